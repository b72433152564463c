"""What is said around a match changes it only within its scope, and never further than is safe."""

import pytest

from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.urgency import Urgency
from tests.unit.core.matching.small import WISH, WORD, small_lexicon

NONE, WATCH, CONCERN, URGENT = Urgency


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        pytest.param("i don't want to die", NONE, id="inside"),
        pytest.param("i'm not well and i want to die", CONCERN, id="parted by the subject"),
        pytest.param("no. i want to die", CONCERN, id="another sentence"),
        pytest.param("i can't not want to die", CONCERN, id="swallowed by a longer phrase"),
        pytest.param("i don't want to die, i want to die", CONCERN, id="one negated, one not"),
    ],
)
def test_negation(text: str, urgency: Urgency) -> None:
    assert judge(text, small_lexicon(WISH)).urgency is urgency


@pytest.mark.parametrize(
    ("text", "carers", "urgency"),
    [
        pytest.param("my friend is suicidal", False, WATCH, id="somebody else"),
        pytest.param("my friend is suicidal", True, CONCERN, id="never softened among carers"),
        pytest.param("my friend is suicidal and missing", False, CONCERN, id="a present danger is named"),
        pytest.param("my friend knows i am suicidal", False, CONCERN, id="parted by the subject"),
        pytest.param("she knows i want to die", False, CONCERN, id="the rule has a subject of its own"),
    ],
)
def test_third_person(text: str, carers: bool, urgency: Urgency) -> None:
    assert judge(text, small_lexicon(WISH, WORD), place=Place("living_room", carers)).urgency is urgency


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        pytest.param("i want to die lol", WATCH, id="a joke lowers concern"),
        pytest.param("i want to die tonight lol", URGENT, id="a joke never lowers urgent"),
    ],
)
def test_humour(text: str, urgency: Urgency) -> None:
    assert judge(text, small_lexicon(WISH)).urgency is urgency


def test_what_a_modifier_did_is_explained() -> None:
    judgement = judge("i don't want to die", small_lexicon(WISH))

    [finding] = judgement.findings
    [change] = finding.changes
    assert (finding.rule, finding.lexicon, finding.version) == ("wish", "small", 7)
    assert finding.slots == (("SELF", (0, 1)), ("WANT", (8, 15)), ("DIE", (16, 19)))
    assert (change.modifier, change.span, change.before, change.after) == ("negated", (2, 7), CONCERN, NONE)
    assert judgement.without == (("negated", CONCERN),)
    assert judgement.rules == ()
    assert judgement.changed_by == ("negated",)


def test_a_wall_of_text_is_not_softened() -> None:
    assert judge("i don't want to die. " * 200, small_lexicon(WISH)).urgency is CONCERN
