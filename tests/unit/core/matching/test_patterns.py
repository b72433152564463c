"""Slots made of other slots, room by room exceptions, nudges, quotes, and small signs that gather."""

import pytest

from keyhouse.core.matching.definitions import Gathering, Lexicon, RoomException, Rule, Step
from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine, compile_lexicon
from keyhouse.core.matching.patterns import CircularPattern
from keyhouse.core.urgency import Urgency
from tests.unit.core.matching.small import MODIFIERS, SLOTS


def steps(*slots: str, gap: int = 0) -> tuple[Step, ...]:
    """These slots, one after the other."""
    return tuple(Step((slot,), gap) for slot in slots)


KILL_SELF = {"KILL": ("kill", "hurt"), "MYSELF": ("myself", "my self"), "NUMBER": ("40", "50"), "KILO": ("kg",)}
PLAN = Rule("plan", steps("WANT", "KILL_MYSELF"), Urgency.URGENT, "suicide")
WEIGHT = Rule("weight", steps("NUMBER", "KILO"), Urgency.NONE, "eating_disorder_behaviour",
              nudge="no_numbers", conditions=("anorexia",))  # fmt: skip
LOW = Rule("low", steps("LOW"), Urgency.WATCH, "suicide")
ALONE = Rule("alone", steps("ALONE"), Urgency.WATCH, "suicide")
BURDEN = Rule("burden", steps("BURDEN"), Urgency.WATCH, "suicide")
WORD = Rule("word", steps("DIE"), Urgency.CONCERN, "suicide")
SIGNS = {"LOW": ("so low",), "ALONE": ("all alone",), "BURDEN": ("a burden",)}
ALL_THREE = Gathering("signs", ("low", "alone", "burden"), 3, Urgency.CONCERN, "suicide")


def lexicon(*rules: Rule, **more: object) -> CompiledLexicon:
    """A lexicon of these rules over all the slots of this page."""
    patterns = {"KILL_MYSELF": (steps("KILL", "MYSELF"),), "DEEPER": (steps("KILL_MYSELF", "SOON", gap=1),)}
    return compile_lexicon(
        [
            Lexicon(
                "one", 1, "nobody", False, {**SLOTS, **KILL_SELF, **SIGNS}, rules, modifiers=MODIFIERS,
                patterns=patterns, **more,  # type: ignore[arg-type]
            )
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        pytest.param("i want to kill myself", True, id="both slots in a row"),
        pytest.param("i want to hurt my self", True, id="other words of both"),
        pytest.param("i want to kill time by myself", False, id="too far apart"),
        pytest.param("myself want to kill", False, id="the other way round"),
    ],
)
def test_a_slot_is_filled_by_other_slots_in_a_row(text: str, is_met: bool) -> None:
    assert bool(judge(text, lexicon(PLAN)).rules) is is_met


def test_a_row_may_be_made_of_rows() -> None:
    rule = Rule("deep", steps("DEEPER"), Urgency.URGENT, "suicide")

    judgement = judge("to kill myself right tonight", lexicon(rule))

    assert judgement.rules == ("deep",)
    assert judgement.findings[0].slots == (("DEEPER", (3, 28)),)


def test_a_slot_made_of_itself_is_refused() -> None:
    circle = {"ONE": (steps("TWO"),), "TWO": (steps("ONE"),)}

    with pytest.raises(CircularPattern, match="a slot cannot be made of itself"):
        compile_lexicon([Lexicon("one", 1, "nobody", False, patterns=circle)])


@pytest.mark.parametrize(
    ("place", "nudges"),
    [
        pytest.param(Place("living_room", conditions=frozenset({"anorexia"})), ("no_numbers",), id="about it"),
        pytest.param(Place("living_room", conditions=frozenset({"perinatal"})), (), id="about something else"),
        pytest.param(None, (), id="nowhere"),
    ],
)
def test_a_nudge_is_for_its_rooms_and_is_no_alert(place: Place | None, nudges: tuple[str, ...]) -> None:
    judgement = judge("i am 40 kg", lexicon(WEIGHT), place=place)

    assert judgement.nudges == nudges
    assert judgement.urgency is Urgency.NONE


@pytest.mark.parametrize(
    ("place", "is_met"),
    [
        pytest.param(Place("ask"), False, id="the excepted room"),
        pytest.param(Place("living_room"), True, id="another room"),
        pytest.param(Place("ask", carers=True), True, id="the excepted room, of carers"),
        pytest.param(None, True, id="nowhere"),
    ],
)
def test_an_exception_holds_in_its_rooms_alone(place: Place | None, is_met: bool) -> None:
    exception = RoomException(("wor*",), rooms=("ask",), carers=False)

    assert bool(judge("i die", lexicon(WORD, exceptions=(exception,)), place=place).rules) is is_met


@pytest.mark.parametrize(
    ("text", "urgency", "changed_by"),
    [
        pytest.param("> i die\nwhat do you mean?", Urgency.WATCH, ("quote",), id="repeated"),
        pytest.param("> i die", Urgency.CONCERN, (), id="nothing else is said"),
        pytest.param("> i die\ni die", Urgency.CONCERN, ("quote",), id="said by oneself as well"),
        pytest.param("two > one, i die", Urgency.CONCERN, (), id="a sign inside a line"),
    ],
)
def test_what_is_repeated_in_a_quote_is_watched(text: str, urgency: Urgency, changed_by: tuple[str, ...]) -> None:
    judgement = judge(text, lexicon(WORD))

    assert judgement.urgency is urgency
    assert judgement.changed_by == changed_by


class TestSigns:
    """Three different small signs of one person."""

    BOTH = (ContextLine("self", "i feel so low"), ContextLine("self", "all alone again"))

    @pytest.mark.parametrize(
        ("text", "before", "urgency"),
        [
            pytest.param("i am a burden", BOTH, Urgency.CONCERN, id="three in three messages"),
            pytest.param("so low, all alone, a burden", (), Urgency.CONCERN, id="three in one message"),
            pytest.param("i am a burden", BOTH[:1], Urgency.WATCH, id="two"),
            pytest.param("so low", (BOTH[0], BOTH[0]), Urgency.WATCH, id="one three times"),
            pytest.param("see you", (*BOTH, ContextLine("self", "a burden")), Urgency.NONE, id="gathered before"),
            pytest.param(
                "a burden", (BOTH[0], ContextLine("other", "all alone")), Urgency.WATCH, id="one of somebody else"
            ),
        ],
    )
    def test_they_gather(self, text: str, before: tuple[ContextLine, ...], urgency: Urgency) -> None:
        assert judge(text, lexicon(LOW, ALONE, BURDEN, gatherings=(ALL_THREE,)), before).urgency is urgency

    def test_the_gathering_is_named_with_its_version(self) -> None:
        judgement = judge("a burden", lexicon(LOW, ALONE, BURDEN, gatherings=(ALL_THREE,)), self.BOTH)

        finding = judgement.findings[0]
        assert (finding.rule, finding.lexicon, finding.version, finding.from_context) == ("signs", "one", 1, True)
        assert judgement.rules == ("signs", "burden")


def test_phrases_of_another_language_are_found_with_and_without_their_accents() -> None:
    polish = Lexicon(
        "pl", 1, "nobody", False, {"LIVE": ("nie chcę żyć", "ból")},
        (Rule("live", steps("LIVE"), Urgency.CONCERN, "suicide"),), language="pl",
    )  # fmt: skip
    compiled = compile_lexicon([polish], frozenset({"bol"}))

    assert judge("Nie chcę żyć", compiled).rules == ("live",)
    assert judge("nie chce zyc", compiled).rules == ("live",)
    assert judge("ból", compiled).rules == ("live",)
    assert judge("bol", compiled).rules == ()


def test_a_later_message_that_makes_an_earlier_one_urgent_alerts_again() -> None:
    wish = Rule("wish", steps("WANT", "DIE"), Urgency.CONCERN, "suicide", raised_by={"SOON": Urgency.URGENT})
    before = [ContextLine("self", "i want to die")]

    judgement = judge("tonight", lexicon(wish), before)

    assert (judgement.urgency, judgement.spans) == (Urgency.URGENT, ((0, 7),))
    assert judge("today", lexicon(wish), before).urgency is Urgency.NONE


@pytest.mark.parametrize("text", ["word " * 3000, "a" * 20_000], ids=["words", "letters"])
def test_what_is_too_long_to_be_judged_alerts(text: str) -> None:
    judgement = judge(text, lexicon(WORD))

    assert (judgement.urgency, judgement.category) == (Urgency.CONCERN, "could_not_be_judged")
    assert judgement.rules == ("house.could_not_be_judged",)
    assert judge(text[: len(text) // 2], lexicon(WORD)).urgency is Urgency.NONE


def test_what_is_found_at_the_end_of_a_long_text_points_to_its_place() -> None:
    text = "x " * 10_000 + "i die"

    judgement = judge(text, lexicon(WORD))

    assert judgement.spans == ((len(text) - 3, len(text)),)
    assert judgement.rules == ("word", "house.could_not_be_judged")
