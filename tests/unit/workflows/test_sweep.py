"""Keys and memberships differ, and a sweep decides what repairs it."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import ANSWERED_WITHIN, Membership, MembershipState
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind
from keyhouse.core.workflows.housekeeping import observe_rooms
from keyhouse.core.workflows.sweep import AT_MOST, AT_ONCE, find_astray, repair
from keyhouse.storage.memory import MemoryStore
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    NOW,
    PERINATAL,
    care_room,
    desk,
    key,
    living_room,
    person,
    room,
    user,
)

CONCIERGE = user("concierge")
RIVER, DR_A = user("river"), user("dr-a")
WILLOW, ELM, ASH = (living_room(condition).room_id for condition in (ANOREXIA, BULIMIA, PERINATAL))
DESK, CARE = desk("river").room_id, care_room().room_id
REMOVAL, INVITATION = OutgoingKind.REMOVAL, OutgoingKind.INVITATION
INVITED, JOINED = MembershipState.INVITED, MembershipState.JOINED
A_MINUTE = timedelta(minutes=1)


@pytest.fixture
def calm(house: MemoryStore) -> MemoryStore:
    """The house with a patient, everybody where their keys say."""
    with house.writing() as tx:
        tx.people.add(person("concierge", Role.SERVICE))
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.rooms.put(desk("river"))
        for name in ("dr-a", "dr-b"):
            _see(tx, user(name), JOINED, WILLOW, ELM, ASH, CARE)
        _see(tx, RIVER, JOINED, DESK, WILLOW)
        _see(tx, CONCIERGE, JOINED, DESK, WILLOW, ELM, ASH, CARE)
    return house


def _see(tx: Transaction, who: UserId, state: MembershipState, *rooms: RoomId, at: datetime = NOW) -> None:
    tx.memberships.observe(Membership(room_id, who, state, at) for room_id in rooms)


def _sweep(store: MemoryStore, at: datetime = NOW) -> Counter[OutgoingKind]:
    with store.writing() as tx:
        return repair(tx, find_astray(tx, "", at).people, CONCIERGE, at)


def _rows(store: MemoryStore) -> list[Outgoing]:
    with store.reading() as tx:
        return list(tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + timedelta(days=1), 9999))


def _to_do(store: MemoryStore) -> list[tuple[OutgoingKind, object, object]]:
    return [(row.kind, row.content["person"], row.content.get("room_id")) for row in _rows(store)]


def _do_all(store: MemoryStore, at: datetime = NOW) -> None:
    """Mark everything as done, without any effect."""
    with store.writing() as tx:
        for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, at, 9999):
            tx.outbox.done(row.id, at)


def _close(tx: Transaction) -> None:
    tx.people.update(person("river", state=PersonState.CLOSED))


def _revoke(tx: Transaction) -> None:
    tx.people.revoke(RIVER, ANOREXIA, NOW)


def _expire(tx: Transaction, expires_at: datetime) -> None:
    tx.people.revoke(RIVER, ANOREXIA, NOW)
    tx.people.grant(key("river", ANOREXIA, expires_at))


def _swap(tx: Transaction) -> None:
    _revoke(tx)
    tx.people.grant(key("river", BULIMIA))


def _stranger(tx: Transaction) -> None:
    _see(tx, user("stranger"), JOINED, WILLOW)


def _promote(tx: Transaction) -> None:
    tx.people.update(person("river", Role.CARER))


def test_when_everybody_is_where_the_keys_say_nothing_is_done_or_written(calm: MemoryStore) -> None:
    repaired = _sweep(calm)

    assert (repaired, _to_do(calm)) == (Counter(), [])
    with calm.reading() as tx:
        assert find_astray(tx, "", NOW).people == []
        assert tx.audit.verify().entries == 0


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        pytest.param(
            lambda tx: _expire(tx, NOW + A_MINUTE), [(REMOVAL, RIVER, WILLOW)], id="a key expires this very second"
        ),
        pytest.param(lambda tx: _expire(tx, NOW + A_MINUTE + A_SECOND), [], id="a key expires in a second"),
        pytest.param(_revoke, [(REMOVAL, RIVER, WILLOW)], id="a key was taken without a decision"),
        pytest.param(
            lambda tx: _see(tx, RIVER, MembershipState.REMOVED, WILLOW),
            [(INVITATION, RIVER, WILLOW)],
            id="removed behind the house's back",
        ),
        pytest.param(
            lambda tx: _see(tx, RIVER, MembershipState.REMOVED, DESK), [(INVITATION, RIVER, DESK)], id="out of the desk"
        ),
        pytest.param(lambda tx: _see(tx, RIVER, MembershipState.LEFT_BY_CHOICE, WILLOW), [], id="left by choice"),
        pytest.param(
            _close, [(REMOVAL, RIVER, DESK), (REMOVAL, RIVER, WILLOW)], id="closed: removed everywhere, also the desk"
        ),
        pytest.param(_promote, [(REMOVAL, RIVER, WILLOW)], id="a role that the room does not admit"),
        pytest.param(lambda tx: _see(tx, RIVER, JOINED, ELM), [(REMOVAL, RIVER, ELM)], id="put into a room by hand"),
        pytest.param(lambda tx: _see(tx, RIVER, INVITED, CARE), [(REMOVAL, RIVER, CARE)], id="invited by hand"),
        pytest.param(
            lambda tx: _see(tx, DR_A, MembershipState.REMOVED, ELM),
            [(INVITATION, DR_A, ELM)],
            id="a clinician is missing from a living room",
        ),
        pytest.param(
            lambda tx: _see(tx, DR_A, MembershipState.LEFT_BY_CHOICE, ELM), [], id="a clinician who left by choice"
        ),
        pytest.param(_swap, [(REMOVAL, RIVER, WILLOW), (INVITATION, RIVER, ELM)], id="excluding pair: out before in"),
        pytest.param(_stranger, [(REMOVAL, user("stranger"), WILLOW)], id="an account that nobody knows"),
        pytest.param(
            lambda tx: _see(tx, CONCIERGE, MembershipState.REMOVED, WILLOW), [], id="a bot is not the sweep's concern"
        ),
        pytest.param(
            lambda tx: tx.rooms.put(room("guardians", RoomKind.GUARDIANS, Role.PATIENT)),
            [],
            id="a room in which the concierge cannot invite",
        ),
        pytest.param(
            lambda tx: _see(tx, RIVER, JOINED, RoomId("!unknown")),
            [(REMOVAL, RIVER, RoomId("!unknown"))],
            id="a room without a scope",
        ),
    ],
)
def test_what_differs_is_repaired_and_nothing_else(
    calm: MemoryStore,
    happens: Callable[[Transaction], None],
    expected: list[tuple[OutgoingKind, object, object]],
) -> None:
    with calm.writing() as tx:
        happens(tx)

    repaired = _sweep(calm, NOW + A_MINUTE)

    assert _to_do(calm) == expected
    assert repaired == Counter(kind for kind, _, _ in expected)
    with calm.reading() as tx:
        assert tx.audit.verify().entries == (1 if expected else 0)


def test_the_other_half_of_a_pair_is_entered_last_also_when_it_was_decided_before(calm: MemoryStore) -> None:
    with calm.writing() as tx:
        _swap(tx)
        _see(tx, RIVER, MembershipState.REMOVED, WILLOW)
    _sweep(calm)
    _do_all(calm)
    with calm.writing() as tx:
        _see(tx, RIVER, JOINED, WILLOW, at=NOW + A_SECOND)

    _sweep(calm, NOW + A_MINUTE)

    assert _to_do(calm) == [(REMOVAL, RIVER, WILLOW), (INVITATION, RIVER, ELM)]


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(ANSWERED_WITHIN - A_SECOND, [], id="a second too young"),
        pytest.param(ANSWERED_WITHIN, [(INVITATION, RIVER, WILLOW)], id="thirty seconds old"),
    ],
)
def test_an_unanswered_invitation_is_withdrawn_and_sent_anew(
    calm: MemoryStore, age: timedelta, expected: list[tuple[OutgoingKind, object, object]]
) -> None:
    with calm.writing() as tx:
        _see(tx, RIVER, INVITED, WILLOW)

    _sweep(calm, NOW + age)

    assert _to_do(calm) == expected
    assert all(row.content["anew"] is True for row in _rows(calm))


def test_an_unanswered_invitation_that_no_key_opens_is_only_withdrawn(calm: MemoryStore) -> None:
    with calm.writing() as tx:
        _see(tx, RIVER, INVITED, ELM)

    _sweep(calm, NOW + A_MINUTE)

    assert _to_do(calm) == [(REMOVAL, RIVER, ELM)]


def test_a_hole_is_filled_by_an_invitation_that_withdraws_nothing(calm: MemoryStore) -> None:
    with calm.writing() as tx:
        _see(tx, RIVER, MembershipState.REMOVED, WILLOW)

    _sweep(calm)

    assert [row.content["anew"] for row in _rows(calm)] == [False]


def test_what_is_decided_and_not_done_is_not_decided_again(calm: MemoryStore) -> None:
    with calm.writing() as tx:
        _revoke(tx)

    first, second = _sweep(calm), _sweep(calm, NOW + A_MINUTE)

    assert (first, second) == (Counter({REMOVAL: 1}), Counter())
    assert len(_rows(calm)) == 1
    with calm.reading() as tx:
        assert tx.audit.verify().entries == 1


def test_what_was_done_and_did_not_last_is_decided_again(calm: MemoryStore) -> None:
    with calm.writing() as tx:
        _revoke(tx)

    for minute in range(3):
        now = NOW + minute * A_MINUTE
        assert _sweep(calm, now) == Counter({REMOVAL: 1})
        assert _to_do(calm) == [(REMOVAL, RIVER, WILLOW)]
        _do_all(calm, now)


def _newcomer(number: int) -> Person:
    return person(f"p{number:04}", Role.CLINICIAN)


def test_a_house_that_changed_whole_is_repaired_in_steps_that_pass_nobody_over(house: MemoryStore) -> None:
    people = [_newcomer(number) for number in range(AT_MOST + AT_ONCE)]
    with house.writing() as tx:
        for name in ("dr-a", "dr-b"):
            _see(tx, user(name), JOINED, WILLOW, ELM, ASH, CARE)
        for one in people:
            tx.people.add(one)
    with house.reading() as tx:
        first = find_astray(tx, "", NOW)
        second = find_astray(tx, first.next_after, NOW)

    assert [*first.people, *second.people] == [one.user_id for one in people]
    assert second.next_after == ""
    assert {len(batch) for batch in first.batches()} == {AT_ONCE}
    assert [user_id for batch in first.batches() for user_id in batch] == first.people


def test_at_the_start_who_is_no_longer_there_is_told_from_who_is(calm: MemoryStore) -> None:
    later = NOW + A_MINUTE
    with calm.writing() as tx:
        observe_rooms(tx, {WILLOW: [DR_A, user("dr-b"), CONCIERGE], DESK: [RIVER, CONCIERGE]}, later)
    _sweep(calm, later)

    assert _to_do(calm) == [(INVITATION, RIVER, WILLOW)]
