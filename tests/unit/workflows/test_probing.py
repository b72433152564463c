"""The house's own check is heard as any message is, and answered with a card instead of a case."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.risk_monitor.cards import probe_card
from keyhouse.core.access import may_join
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.alerts import Alert
from keyhouse.core.building import PlannedRoom
from keyhouse.core.ids import RoomId
from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, compile_lexicon
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.probing import ANSWER_ROOM, PROBE_ROOM, ROOMS, answers, probe_words
from keyhouse.core.rooms import RoomKind
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Allowed
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.settings.lexicons import load_lexicons
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, ANOREXIA, KNOWN, NOW, alert, key, living_room, person, room

LEXICONS = Path(__file__).parents[3] / "config" / "lexicons"
PROBE = ServiceAccount.PROBE.value
NONCE = "012345678901"
ASKED = alert("check", PROBE, Urgency.URGENT, room_id=f"!{PROBE_ROOM}")


@pytest.fixture
def checked(house: MemoryStore) -> MemoryStore:
    """The house with its probe, the probe's two rooms, and a patient."""
    with house.writing() as tx:
        tx.people.add(person(PROBE, Role.SERVICE))
        for slug in (PROBE_ROOM, ANSWER_ROOM):
            tx.rooms.put(replace(room(slug, RoomKind.PROBE), service=None))
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
    return house


@pytest.fixture(scope="module")
def lexicon() -> CompiledLexicon:
    """The lexicon that the house comes with."""
    return compile_lexicon(load_lexicons(LEXICONS))


def raised(house: MemoryStore, an_alert: Alert, words: str = probe_words(NONCE)) -> None:
    with house.writing() as tx:
        raise_alert(tx, an_alert, words, NOW)


def cards(house: MemoryStore) -> list[Outgoing]:
    with house.reading() as tx:
        due = tx.outbox.due(Worker.RISK_MONITOR, NOW + A_SECOND, 9)
    return [row for row in due if row.kind is OutgoingKind.PROBE_CARD]


def cases(house: MemoryStore) -> int:
    with house.reading() as tx:
        return len(tx.cases.listed(only_open=False, limit=9))


def test_the_houses_own_check_becomes_a_card_and_no_case(checked: MemoryStore) -> None:
    raised(checked, ASKED)

    assert [row.content["words"] for row in cards(checked)] == [probe_words(NONCE)]
    assert cases(checked) == 0


def test_a_patient_who_writes_the_same_words_becomes_a_case_and_no_answer(checked: MemoryStore) -> None:
    raised(checked, alert("words", "river", Urgency.URGENT, room_id=living_room(ANOREXIA).room_id))

    assert cases(checked) == 1
    assert cards(checked) == []


@pytest.mark.parametrize(
    "not_good_enough",
    [
        replace(ASKED, urgency=Urgency.CONCERN),
        replace(ASKED, room_id=living_room(ANOREXIA).room_id),
        replace(ASKED, author=person("concierge").user_id),
    ],
    ids=["heard as less than urgent, or not read at all", "in another room", "by another program"],
)
def test_a_check_that_went_wrong_is_not_answered(checked: MemoryStore, not_good_enough: Alert) -> None:
    raised(checked, not_good_enough)

    assert cards(checked) == []
    assert cases(checked) == 0


def test_somebody_who_is_called_as_the_probe_is_and_is_a_patient_is_not_taken_for_it(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person(PROBE))
        tx.people.grant(key(PROBE, ANOREXIA))

    raised(house, replace(ASKED, room_id=living_room(ANOREXIA).room_id))

    assert cases(house) == 1


def test_a_day_of_checks_leaves_one_row_behind(checked: MemoryStore) -> None:
    for minute in range(5):
        raised(checked, alert(f"check-{minute}", PROBE, Urgency.URGENT, room_id=f"!{PROBE_ROOM}"))
        (card,) = cards(checked)
        with checked.writing() as tx:
            tx.outbox.done(card.id, NOW)

    with checked.reading() as tx:
        assert tx.outbox.known("probe")
        assert tx.outbox.undone(Worker.RISK_MONITOR, NOW + A_SECOND) == 0


def test_while_one_card_waits_to_be_sent_no_second_one_is_decided(checked: MemoryStore) -> None:
    raised(checked, ASKED)
    raised(checked, alert("next", PROBE, Urgency.URGENT, room_id=f"!{PROBE_ROOM}"), probe_words("999999999999"))

    assert [row.content["words"] for row in cards(checked)] == [probe_words(NONCE)]


@given(st.integers(0, 10**12 - 1).map("{:012}".format))
def test_the_shipped_lexicon_calls_every_check_urgent(lexicon: CompiledLexicon, nonce: str) -> None:
    judgement = judge(probe_words(nonce), lexicon, (), Place(RoomKind.PROBE.value))

    assert judgement.urgency is Urgency.URGENT


def test_the_card_answers_its_own_check_and_no_other() -> None:
    body = probe_card(probe_words(NONCE))["body"]

    assert answers(body, NONCE)
    assert not answers(body, "999999999999")


@pytest.mark.parametrize("body", [None, 7, ["House check 012345678901:"], ""], ids=str)
def test_what_is_no_text_answers_nothing(body: object) -> None:
    assert not answers(body, NONCE)


@pytest.mark.parametrize("planned", ROOMS, ids=lambda planned: planned.slug)
def test_the_probes_rooms_admit_programs_alone_and_say_so(planned: PlannedRoom) -> None:
    scope, keys = planned.scope(RoomId("!check")), [key("somebody", condition) for condition in KNOWN]

    admitted = {role for role in Role if isinstance(may_join(scope, person("somebody", role), keys, NOW), Allowed)}

    assert admitted == {Role.SERVICE}
    assert "programs only" in planned.name
