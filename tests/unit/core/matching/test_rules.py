"""Slots in order, within their gaps, whole words only; idioms take their words away."""

import pytest

from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import ContextLine
from keyhouse.core.urgency import Urgency
from tests.unit.core.matching.small import ANSWER, CUTTING, DESK, WISH, WORD, small_lexicon


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        pytest.param("i want to die", True, id="in order"),
        pytest.param("i really do want to just die", True, id="at the widest gaps"),
        pytest.param("i really do so want to die", False, id="one word too far"),
        pytest.param("die want to i", False, id="wrong order"),
        pytest.param("i want to diet", False, id="part of a word"),
        pytest.param("i want to. die", False, id="across the end of a sentence"),
        pytest.param("i want to d1e", True, id="leet"),
        pytest.param("i want to diiiiie", True, id="repeated letters"),
        pytest.param("i want to d i e", True, id="spaced letters"),
        pytest.param("i wаnt to dіe", True, id="look-alikes"),
        pytest.param("i want to endmylife", True, id="run together"),
    ],
)
def test_a_rule_is_met(text: str, is_met: bool) -> None:
    assert bool(judge(text, small_lexicon(WISH)).rules) is is_met


def test_a_word_nearby_raises_the_urgency_and_is_named() -> None:
    judgement = judge("tonight i want to die", small_lexicon(WISH))

    assert judgement.urgency is Urgency.URGENT
    assert judgement.changed_by == ("with_soon",)
    assert judgement.without == (("with_soon", Urgency.CONCERN),)


def test_a_denied_word_nearby_raises_nothing() -> None:
    assert judge("i want to die, not tonight", small_lexicon(WISH)).urgency is Urgency.CONCERN


@pytest.mark.parametrize(("text", "is_met"), [("cutting", True), ("cutting the cake", False), ("cake, cutting", True)])
def test_an_idiom_takes_its_words_away(text: str, is_met: bool) -> None:
    assert bool(judge(text, small_lexicon(CUTTING)).rules) is is_met


@pytest.mark.parametrize(("text", "is_met"), [("suicidal", True), ("suicidal film", False), ("die laughing", False)])
def test_a_word_that_must_not_stand_near_silences_the_rule(text: str, is_met: bool) -> None:
    assert bool(judge(text, small_lexicon(WORD)).rules) is is_met


@pytest.mark.parametrize(
    ("text", "context", "is_met"),
    [
        pytest.param("nope", [ContextLine("other", "are you safe?")], True, id="asked"),
        pytest.param("nope", [], False, id="not asked"),
        pytest.param("nope", [ContextLine("self", "are you safe?")], False, id="asked by oneself"),
        pytest.param(
            "nope", [ContextLine("other", "are you safe?"), ContextLine("other", "ok bye")], False, id="stale"
        ),
        pytest.param("oh, nope", [ContextLine("other", "are you safe?")], False, id="not the opening word"),
    ],
)
def test_an_answer_needs_its_question(text: str, context: list[ContextLine], is_met: bool) -> None:
    assert bool(judge(text, small_lexicon(ANSWER), context).rules) is is_met


@pytest.mark.parametrize(
    ("text", "place", "is_met"),
    [
        pytest.param("help", Place("desk"), True, id="in the desk room"),
        pytest.param("help", Place("living_room"), False, id="elsewhere"),
        pytest.param("help", None, False, id="nowhere"),
        pytest.param("please help me now", Place("desk"), False, id="too long a message"),
    ],
)
def test_a_rule_of_some_rooms_counts_only_there(text: str, place: Place | None, is_met: bool) -> None:
    assert bool(judge(text, small_lexicon(DESK), place=place).rules) is is_met


def test_a_sentence_split_over_two_messages_is_met_and_its_span_lies_in_the_last() -> None:
    judgement = judge("die", small_lexicon(WISH), [ContextLine("self", "i want to")])

    assert judgement.rules == ("wish",)
    assert judgement.spans == ((0, 3),)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        pytest.param(ContextLine("other", "i want to"), "die", id="two people make no sentence"),
        pytest.param(ContextLine("self", "i want to die"), "ok", id="what was judged before is not judged again"),
    ],
)
def test_context_alone_alerts_nobody(before: ContextLine, text: str) -> None:
    assert judge(text, small_lexicon(WISH), [before]).urgency is Urgency.NONE
