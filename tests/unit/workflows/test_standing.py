"""People are paused, let write again, renamed and closed."""

from dataclasses import replace

import pytest

from keyhouse.core.cases import CaseState, Outcome
from keyhouse.core.ids import Condition, EventId, RoomId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, PersonState, Role, held
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind
from keyhouse.core.standing import RESIDENT_ROLES
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.workflows import casework, standing
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.naming import is_free
from keyhouse.core.workflows.sweep import find_astray, repair
from keyhouse.storage.memory import MemoryStore
from tests.support.household import (
    A_SECOND,
    AN_HOUR,
    ANOREXIA,
    NOW,
    alert,
    case,
    desk,
    key,
    living_room,
    person,
    referral,
    room,
    user,
)

RIVER = user("river")
WILLOW = living_room(ANOREXIA)
NEW = "brisk-otter-44"


@pytest.fixture
def river(house: MemoryStore) -> Person:
    """A patient with one key, a desk, and a place in the living room."""
    somebody = person("river")
    with house.writing() as tx:
        tx.people.add(somebody)
        tx.people.grant(key("river", ANOREXIA))
        tx.rooms.put(desk("river"))
        places = (WILLOW.room_id, desk("river").room_id)
        tx.memberships.observe(Membership(place, RIVER, MembershipState.JOINED, NOW) for place in places)
    return somebody


def for_caretaker(tx: Transaction) -> list[Outgoing]:
    return list(tx.outbox.due(Worker.CARETAKER, NOW + AN_HOUR, 100))


def test_a_pause_changes_the_state_and_no_membership(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        paused = standing.pause(tx, RIVER, "host", NOW)

    assert paused == replace(river, state=PersonState.PAUSED)
    with house.reading() as tx:
        assert tx.people.get(RIVER) == paused
        assert tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 10) == []
        assert RIVER not in find_astray(tx, "", NOW).people
        assert decide_entry(tx, RIVER, WILLOW.room_id, NOW) == Allowed()
        assert tx.audit.verify().entries == 1


def test_a_pause_ends(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        standing.pause(tx, RIVER, "host", NOW)
        assert standing.resume(tx, RIVER, "host", NOW) == river


@pytest.mark.parametrize("act", [standing.pause, standing.resume, standing.close], ids=lambda act: act.__name__)
def test_what_is_so_already_is_not_written_down_twice(house: MemoryStore, river: Person, act: object) -> None:
    assert callable(act)
    with house.writing() as tx:
        act(tx, RIVER, "host", NOW)
        before = tx.audit.verify().entries
        act(tx, RIVER, "host", NOW + A_SECOND)

        assert tx.audit.verify().entries == before


@pytest.mark.parametrize(
    ("role", "state", "reason"),
    [
        pytest.param(Role.SERVICE, PersonState.ACTIVE, Reason.HOUSE_ACCOUNT, id="the house itself"),
        pytest.param(Role.CLINICIAN, PersonState.ACTIVE, Reason.NOT_A_RESIDENT, id="the team"),
        pytest.param(Role.GUARDIAN, PersonState.ACTIVE, Reason.NOT_A_RESIDENT, id="a guardian"),
        pytest.param(Role.PATIENT, PersonState.CLOSED, Reason.PERSON_CLOSED, id="somebody who has left"),
    ],
)
def test_who_is_no_resident_is_neither_paused_nor_renamed(
    house: MemoryStore, role: Role, state: PersonState, reason: Reason
) -> None:
    somebody = person("clover", role, state)
    with house.writing() as tx:
        tx.people.add(somebody)
        answers = [
            standing.pause(tx, somebody.user_id, "host", NOW),
            standing.resume(tx, somebody.user_id, "host", NOW),
            standing.rename(tx, somebody.user_id, NEW, "host", NOW),
        ]

    assert answers == [Refused(reason)] * 3
    with house.reading() as tx:
        assert tx.people.get(somebody.user_id) == somebody
        assert for_caretaker(tx) == []


@pytest.mark.parametrize("role", sorted(RESIDENT_ROLES))
def test_every_resident_is_paused_and_renamed(house: MemoryStore, role: Role) -> None:
    with house.writing() as tx:
        tx.people.add(person("clover", role))
        paused = standing.pause(tx, user("clover"), "host", NOW)
        renamed = standing.rename(tx, user("clover"), NEW, "host", NOW)

    assert isinstance(paused, Person)
    assert renamed == replace(paused, name=NEW)


def test_a_stranger_and_the_house_are_not_closed(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("concierge", Role.SERVICE))
        assert standing.close(tx, RIVER, "host", NOW) == Refused(Reason.UNKNOWN_PERSON)
        assert standing.close(tx, user("concierge"), "host", NOW) == Refused(Reason.HOUSE_ACCOUNT)


def test_a_new_name_is_kept_and_the_caretaker_brings_it_into_the_rooms(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        renamed = standing.rename(tx, RIVER, NEW, "host", NOW)

    assert renamed == replace(river, name=NEW)
    with house.reading() as tx:
        assert [(row.kind, row.content) for row in for_caretaker(tx)] == [(OutgoingKind.RENAME, {"person": RIVER})]


def test_a_name_belongs_to_one_person_for_ever(house: MemoryStore, river: Person) -> None:
    other = user("clover")
    with house.writing() as tx:
        tx.people.add(person("clover"))
        tx.referrals.add(referral("reserved-heron-17", ANOREXIA))
        standing.rename(tx, RIVER, NEW, "host", NOW)
        standing.rename(tx, RIVER, "azure-heron-12", "host", NOW)
        for row in for_caretaker(tx):
            tx.outbox.done(row.id, NOW)
        tx.outbox.forget(Worker.CARETAKER, NOW + AN_HOUR, 100)
        taken = ["river", NEW, "azure-heron-12", "reserved-heron-17", "clover", "steam-otter-12"]

        assert not any(is_free(tx, name) for name in taken)
        assert [standing.rename(tx, other, name, "host", NOW) for name in taken] == [
            Refused(Reason.PSEUDONYM_TAKEN)
        ] * len(taken)
        assert isinstance(standing.rename(tx, other, "free-heron-12", "host", NOW), Person)


def test_a_closed_person_holds_no_key_and_is_removed_from_every_room(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        closed = standing.close(tx, RIVER, "host", NOW)

    assert closed == replace(river, state=PersonState.CLOSED)
    with house.reading() as tx:
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 10)
        assert {row.content["room_id"] for row in rows} == {WILLOW.room_id, desk("river").room_id}
        assert {row.kind for row in rows} == {OutgoingKind.REMOVAL}
        assert [row.kind for row in for_caretaker(tx)] == [OutgoingKind.ACCOUNT_CLOSING]
        assert held(tx.people.keys(RIVER), NOW) == frozenset[Condition]()
        assert decide_entry(tx, RIVER, desk("river").room_id, NOW) == Refused(Reason.PERSON_CLOSED)


def test_a_closed_person_who_stands_in_a_room_again_is_found_by_the_sweep(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        standing.close(tx, RIVER, "host", NOW)
        for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 10):
            tx.outbox.done(row.id, NOW)

        assert RIVER in find_astray(tx, "", NOW).people
        assert repair(tx, [RIVER], "@concierge:keyhouse.test", NOW)[OutgoingKind.REMOVAL] == 2


def test_a_person_with_an_open_case_is_closed_only_on_purpose(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        number = tx.cases.add(case("river", alert("said", "river", Urgency.URGENT))).number
        refused = standing.close(tx, RIVER, "host", NOW)
        on_purpose = standing.close(tx, RIVER, "host", NOW, even_with_open_case=True)

        assert refused == Refused(Reason.CASE_STILL_OPEN)
        assert isinstance(on_purpose, Person)
        kept = tx.cases.get(number)
        assert kept is not None
        assert (kept.is_open, len(kept.alerts)) == (True, 1)
        assert standing.words_are_held(tx, RIVER)
        casework.close(tx, number, Outcome.SUPPORT, user("dr-a"), NOW)
        assert not standing.words_are_held(tx, RIVER)


def test_words_are_taken_back_by_the_concierge_once_and_only_where_it_lives(house: MemoryStore) -> None:
    told, strange = room("told", RoomKind.SPEAK_UP), RoomId("!strange")
    with house.writing() as tx:
        tx.rooms.put(told)
        entered = [told.room_id, WILLOW.room_id, strange]

        assert standing.rooms_to_clear(tx, entered) == [WILLOW.room_id]
        assert standing.take_back(tx, WILLOW.room_id, [EventId("$a"), EventId("$b")], NOW) == 2
        assert standing.take_back(tx, WILLOW.room_id, [EventId("$b")], NOW) == 0
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 10)
        assert {row.kind for row in rows} == {OutgoingKind.REDACTION}
        assert {(row.content["room_id"], row.content["event_id"]) for row in rows} == {
            (WILLOW.room_id, "$a"), (WILLOW.room_id, "$b"),
        }  # fmt: skip


def test_whose_account_is_erased_is_found_by_no_record_number(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        tx.referrals.add(replace(referral("river"), redeemed_at=NOW, redeemed_by=river.user_id), "EDS-1")

    with house.writing() as tx:
        standing.erased(tx, river.user_id, NOW)

    with house.reading() as tx:
        assert tx.referrals.reference_of(referral("river").id) is None


def test_a_clinician_who_leaves_gives_open_cases_back(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("river"))
        tx.people.add(person("clover"))
        theirs = tx.cases.add(case("river", alert("one", "river"))).number
        a_colleagues = tx.cases.add(case("clover", alert("two", "clover"))).number
        casework.claim(tx, theirs, user("dr-a"), NOW)
        casework.claim(tx, a_colleagues, user("dr-b"), NOW)
        standing.close(tx, user("dr-a"), "host", NOW)

        cases = [tx.cases.get(number) for number in (theirs, a_colleagues)]
        assert [each and each.state for each in cases] == [CaseState.RAISED, CaseState.CLAIMED]


def test_a_team_account_of_an_older_house_is_given_the_mark_once(house: MemoryStore) -> None:
    with house.writing() as tx:
        marked = standing.mark_as_team(tx, user("dr-a"), "host", NOW)
        again = standing.mark_as_team(tx, user("dr-a"), "host", NOW + A_SECOND)

        assert marked == replace(person("dr-a", Role.CLINICIAN), name="dr-a (team)")
        assert again == Refused(Reason.NOT_A_RESIDENT)
        assert [row.kind for row in for_caretaker(tx)] == [OutgoingKind.RENAME]


def test_a_patient_is_never_given_the_mark(house: MemoryStore, river: Person) -> None:
    with house.writing() as tx:
        assert standing.mark_as_team(tx, RIVER, "host", NOW) == Refused(Reason.NOT_A_RESIDENT)
