"""Message → case → the clinician's hands."""

from dataclasses import replace
from datetime import datetime

import pytest

from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case, CaseState, Outcome
from keyhouse.core.ids import CaseNumber, EventId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.alerting import WORDS_SHOWN, Raised, raise_alert
from keyhouse.core.workflows.casework import card_sent, claim, close, release
from keyhouse.storage.memory import MemoryStore
from tests.support.household import (
    A_SECOND,
    AN_HOUR,
    ANOREXIA,
    EATING,
    NOW,
    alert,
    care_room,
    desk,
    key,
    living_room,
    person,
    user,
)

DR_A, DR_B = user("dr-a"), user("dr-b")


@pytest.fixture
def lived_in(house: MemoryStore) -> MemoryStore:
    """The house with a patient in it."""
    with house.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.rooms.put(desk("river"))
    return house


def _raise(store: MemoryStore, one: Alert, words: str = "words", at: datetime = NOW) -> Raised | None:
    with store.writing() as tx:
        return raise_alert(tx, one, words, at)


def _raised(store: MemoryStore, event: str = "one", urgency: Urgency = Urgency.CONCERN) -> Case:
    raised = _raise(store, alert(event, "river", urgency))
    assert raised is not None
    return raised.case


def _leaving(store: MemoryStore) -> list[Outgoing]:
    with store.reading() as tx:
        return list(tx.outbox.due(Worker.RISK_MONITOR, NOW + 9 * AN_HOUR, 99))


def _kinds(store: MemoryStore) -> list[OutgoingKind]:
    return [row.kind for row in _leaving(store)]


def test_a_first_alert_opens_a_case_with_its_card_and_signposting(lived_in: MemoryStore) -> None:
    one = alert("one", "river", Urgency.URGENT)

    raised = _raise(lived_in, one, "the very words")

    assert raised is not None
    assert (raised.is_new, raised.case.state, raised.case.urgency) == (True, CaseState.RAISED, Urgency.URGENT)
    assert (raised.case.service, raised.case.care_room, raised.case.alerts) == (EATING, care_room().room_id, (one,))
    card, signposting = _leaving(lived_in)
    assert (card.kind, card.content["words"]) == (OutgoingKind.CARE_CARD, "the very words")
    assert (signposting.kind, signposting.content["person"]) == (OutgoingKind.SIGNPOSTING, user("river"))
    assert "words" not in signposting.content


def test_long_words_are_cut_on_the_card(lived_in: MemoryStore) -> None:
    _raise(lived_in, alert("one", "river"), "x" * (WORDS_SHOWN + 1))

    assert _leaving(lived_in)[0].content["words"] == "x" * WORDS_SHOWN


def test_one_event_is_raised_once(lived_in: MemoryStore) -> None:
    _raised(lived_in)

    assert _raise(lived_in, alert("one", "river")) is None
    assert len(_leaving(lived_in)) == 2
    assert _raise(lived_in, alert("two", "river")) is not None


@pytest.mark.parametrize(
    "author",
    [
        pytest.param("dr-a", id="a clinician"),
        pytest.param("bot", id="a bot"),
        pytest.param("stranger", id="somebody unknown"),
    ],
)
def test_the_team_and_the_house_raise_no_alert(lived_in: MemoryStore, author: str) -> None:
    with lived_in.writing() as tx:
        tx.people.add(person("bot", Role.SERVICE))

    assert _raise(lived_in, alert("one", author)) is None
    assert _leaving(lived_in) == []
    assert _raise(lived_in, alert("one", "river")) is not None


def test_a_further_alert_joins_the_case_and_edits_its_card(lived_in: MemoryStore) -> None:
    first = _raised(lived_in, "one", Urgency.CONCERN)

    again = _raise(lived_in, alert("two", "river", Urgency.URGENT))

    assert again is not None
    assert (again.is_new, again.case.number, again.case.urgency) == (False, first.number, Urgency.URGENT)
    assert _kinds(lived_in).count(OutgoingKind.CARE_CARD) == 1
    assert {OutgoingKind.CARE_MESSAGE, OutgoingKind.CARD_EDIT} <= set(_kinds(lived_in))


def test_after_a_case_was_closed_a_further_alert_opens_another(lived_in: MemoryStore) -> None:
    first = _raised(lived_in)
    with lived_in.writing() as tx:
        close(tx, first.number, Outcome.SUPPORT, DR_A, NOW)

    again = _raise(lived_in, alert("two", "river"))

    assert again is not None
    assert (again.is_new, again.case.number) == (True, first.number + 1)


def test_signposting_comes_once_an_hour_at_most(lived_in: MemoryStore) -> None:
    for number, at in enumerate((NOW, NOW + AN_HOUR - A_SECOND, NOW + AN_HOUR)):
        _raise(lived_in, alert(str(number), "river"), at=at)

    assert _kinds(lived_in).count(OutgoingKind.SIGNPOSTING) == 2


def test_an_alert_that_is_only_watched_signposts_nobody(lived_in: MemoryStore) -> None:
    _raised(lived_in, urgency=Urgency.WATCH)

    assert _kinds(lived_in) == [OutgoingKind.CARE_CARD]


@pytest.mark.parametrize("room_id", ["!desk-river", "!nobody knows this room"])
def test_in_a_personal_room_the_persons_own_service_hears_of_it(lived_in: MemoryStore, room_id: str) -> None:
    raised = _raise(lived_in, alert("one", "river", room_id=room_id))

    assert raised is not None
    assert (raised.case.service, raised.case.care_room) == (EATING, care_room().room_id)


def test_somebody_whose_keys_have_run_out_is_heard_by_any_team(lived_in: MemoryStore) -> None:
    with lived_in.writing() as tx:
        tx.people.revoke(user("river"), ANOREXIA, NOW)

    assert _raise(lived_in, alert("one", "river", room_id="!desk-river")) is not None


def test_a_building_without_a_care_room_is_a_fault_and_nothing_is_kept() -> None:
    bare = MemoryStore()
    with bare.writing() as tx:
        tx.people.add(person("river"))
        tx.rooms.put(living_room(ANOREXIA))

    with pytest.raises(LookupError, match="keyhouse building apply"):
        _raise(bare, alert("one", "river"))
    with bare.reading() as tx:
        assert not tx.cases.has_alert(EventId("$one"))


def test_a_case_is_taken_given_back_taken_by_another_and_closed(lived_in: MemoryStore) -> None:
    number = _raised(lived_in).number

    with lived_in.writing() as tx:
        taken = claim(tx, number, DR_A, NOW)
        given_back = release(tx, number, DR_B, NOW + A_SECOND)
        taken_again = claim(tx, number, DR_B, NOW + 2 * A_SECOND)
        ended = close(tx, number, Outcome.PLAN, DR_B, NOW + 3 * A_SECOND)

    steps = [step for step in (taken, given_back, taken_again, ended) if isinstance(step, Case)]
    assert [step.state for step in steps] == ["claimed", "raised", "claimed", "closed"]
    assert [step.claimed_by for step in steps] == [DR_A, None, DR_B, DR_B]
    assert _kinds(lived_in).count(OutgoingKind.CARD_EDIT) == 4
    with lived_in.reading() as tx:
        assert tx.cases.get(number) == ended
        assert tx.audit.verify().entries == 5


def test_taking_ones_own_case_again_changes_nothing(lived_in: MemoryStore) -> None:
    number = _raised(lived_in).number
    with lived_in.writing() as tx:
        first = claim(tx, number, DR_A, NOW)
        again = claim(tx, number, DR_A, NOW + A_SECOND)

    assert first == again
    assert _kinds(lived_in).count(OutgoingKind.CARD_EDIT) == 1


def test_a_colleagues_case_is_not_taken_and_may_be_closed(lived_in: MemoryStore) -> None:
    number = _raised(lived_in).number
    with lived_in.writing() as tx:
        claim(tx, number, DR_A, NOW)

        assert claim(tx, number, DR_B, NOW) == Refused(Reason.CASE_TAKEN)
        ended = close(tx, number, Outcome.SUPPORT, DR_B, NOW)
    assert isinstance(ended, Case)
    assert ended.claimed_by == DR_A


@pytest.mark.parametrize("doing", ["claim", "release", "close"])
@pytest.mark.parametrize(
    ("by", "which", "reason"),
    [
        pytest.param("river", "open", Reason.NOT_THE_TEAM, id="a patient"),
        pytest.param("stranger", "open", Reason.NOT_THE_TEAM, id="somebody unknown"),
        pytest.param("dr-a", "unknown", Reason.CASE_UNKNOWN, id="no such case"),
        pytest.param("dr-a", "closed", Reason.CASE_CLOSED, id="a closed case"),
    ],
)
def test_what_may_not_be_done_to_a_case_is_refused(
    lived_in: MemoryStore, doing: str, by: str, which: str, reason: Reason
) -> None:
    number = _raised(lived_in).number
    with lived_in.writing() as tx:
        if which == "closed":
            close(tx, number, Outcome.SUPPORT, DR_B, NOW)
        number = CaseNumber(99) if which == "unknown" else number
        before = (tx.cases.get(number), tx.audit.verify().entries)

        match doing:
            case "claim":
                refused = claim(tx, number, user(by), NOW)
            case "release":
                refused = release(tx, number, user(by), NOW)
            case _:
                refused = close(tx, number, Outcome.SUPPORT, user(by), NOW)

        assert refused == Refused(reason)
        assert (tx.cases.get(number), tx.audit.verify().entries) == before


def test_a_case_that_nobody_has_cannot_be_given_back(lived_in: MemoryStore) -> None:
    number = _raised(lived_in).number

    with lived_in.writing() as tx:
        assert release(tx, number, DR_A, NOW) == Refused(Reason.CASE_OPEN)


def test_a_case_is_found_by_its_card_once_it_was_sent(lived_in: MemoryStore) -> None:
    kept = _raised(lived_in)

    with lived_in.writing() as tx:
        assert tx.cases.by_card(EventId("$card")) is None
        card_sent(tx, kept.number, EventId("$card"))
        card_sent(tx, CaseNumber(99), EventId("$nothing"))

    with lived_in.reading() as tx:
        assert tx.cases.by_card(EventId("$card")) == replace(kept, card=EventId("$card"))
        assert tx.cases.by_card(EventId("$nothing")) is None
