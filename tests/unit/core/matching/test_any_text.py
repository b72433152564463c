"""Whatever somebody sends, judging it ends well and soon."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyhouse.core.matching.hostile import hostile_texts
from keyhouse.core.matching.judgement import Judgement, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.matching.words import Words
from keyhouse.core.urgency import Urgency
from tests.unit.core.matching.small import small_lexicon

SMALL = small_lexicon()
NAMES = [name for name, _ in hostile_texts(64)]
WORDS = st.sampled_from(
    ["i", "want to", "die", "not", "don't", "tonight", "cutting", "cake", "d1e", "dieee", "d i e", "my friend", "lol",
     ".", "dіe", "\u200b", "suicidal", "help", "no", "\n", "film", "🔪"]
)  # fmt: skip
ANY_TEXT = st.one_of(st.text(st.characters(codec=None), max_size=80), st.lists(WORDS, max_size=14).map(" ".join))
HARMLESS = st.sampled_from([" see you on tuesday.", " the kettle is on.", "\nthanks for the lift."])


@given(ANY_TEXT, st.lists(st.builds(ContextLine, st.sampled_from(["self", "other"]), ANY_TEXT), max_size=3))
def test_no_text_is_an_exception_and_every_span_lies_inside_it(text: str, context: list[ContextLine]) -> None:
    judgement = judge(text, SMALL, context)

    spans = [*judgement.spans, *(finding.span for finding in judgement.findings)]
    assert all(0 <= start <= end <= len(text) for start, end in spans)


@given(ANY_TEXT)
def test_every_token_lies_in_the_original_in_order(text: str) -> None:
    places = Words(text).places

    assert all(0 <= start <= end <= len(text) for start, end in places)
    assert [start for start, _ in places] == sorted(start for start, _ in places)


@given(ANY_TEXT)
def test_the_verdict_is_the_soonest_of_its_findings(text: str) -> None:
    judgement = judge(text, SMALL)

    soonest = max((finding.urgency.rank for finding in judgement.findings), default=0)
    assert judgement.urgency.rank == soonest
    assert bool(judgement.rules) is bool(judgement.spans) is (judgement.urgency is not Urgency.NONE)


@given(st.lists(WORDS, max_size=14).map(" ".join), HARMLESS)
def test_a_harmless_sentence_more_never_makes_it_less_urgent(text: str, harmless: str) -> None:
    # The rule of the desk room counts the words of a message, so it is judged outside the desk.
    assert judge(f"{text}.{harmless}", SMALL).urgency.rank >= judge(f"{text}.", SMALL).urgency.rank


@given(st.lists(WORDS, max_size=10).map(" ".join), ANY_TEXT)
def test_what_was_said_before_never_makes_it_less_urgent(text: str, before: str) -> None:
    alone = judge(text, SMALL)

    assert judge(text, SMALL, [ContextLine("self", before)]).urgency.rank >= alone.urgency.rank


@given(st.lists(WORDS, max_size=10).map(" ".join))
def test_capitals_make_no_difference(text: str) -> None:
    assert without_places(judge(text.upper(), SMALL)) == without_places(judge(text, SMALL))


@settings(max_examples=30)
@given(st.lists(st.sampled_from("kilmsef \u200b1!.й́🔪"), min_size=1, max_size=400).map("".join))
def test_judging_the_shipped_lexicon_is_no_exception(shipped: CompiledLexicon, text: str) -> None:
    assert all(0 <= start < end <= len(text) for start, end in judge(text, shipped).spans)


@pytest.mark.parametrize("name", NAMES)
def test_64_kib_of_anything_brings_a_human(shipped: CompiledLexicon, name: str) -> None:
    text = dict(hostile_texts(65_536))[name]

    judgement = judge(text, shipped)

    assert judgement.urgency.alerts()
    assert "house.could_not_be_judged" in judgement.rules
    assert all(0 <= start < end <= len(text) for start, end in judgement.spans)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_judged_in_full_takes_time_in_proportion(shipped: CompiledLexicon, name: str) -> None:
    quarter, whole = (seconds(dict(hostile_texts(letters))[name], shipped) for letters in (2_500, 10_000))

    # Quadratic work would take sixteen times as long; the constant forgives a busy machine.
    assert whole < 9 * quarter + 0.05


def test_a_text_that_meets_everything_is_given_up_and_brings_a_human(shipped: CompiledLexicon) -> None:
    text = " ".join(["i want to kill myself tonight and he hit me, no food since monday"] * 150)

    judgement = judge(text, shipped)

    assert judgement.urgency is Urgency.URGENT
    assert not judgement.whole


def seconds(text: str, lexicon: CompiledLexicon) -> float:
    """Processor time of the fastest of three, so that a pause of the machine does not count."""
    taken = []
    for _ in range(3):
        started = time.process_time()
        judge(text, lexicon)
        taken.append(time.process_time() - started)
    return min(taken)


def without_places(judgement: Judgement) -> tuple[Urgency, tuple[str, ...], tuple[str, ...]]:
    return judgement.urgency, judgement.rules, judgement.changed_by
