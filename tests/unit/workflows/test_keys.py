"""Keys change, and memberships follow."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, Role, held
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.keys import KeyChange, change_keys
from keyhouse.core.workflows.moves import follow_keys, rooms_opened
from keyhouse.core.workflows.team import welcome
from keyhouse.storage.memory import MemoryStore
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    EXCLUSIONS,
    KNOWN,
    NOW,
    PERINATAL,
    care_room,
    desk,
    key,
    living_room,
    person,
    user,
)

RIVER = user("river")
WILLOW, ELM = living_room(ANOREXIA), living_room(BULIMIA)
conditions = st.frozensets(st.sampled_from([ANOREXIA, BULIMIA, PERINATAL]))


def _moved_in(house: MemoryStore, *holding: Condition, inside: tuple[RoomId, ...] = ()) -> Person:
    river = person("river")
    with house.writing() as tx:
        tx.people.add(river)
        tx.rooms.put(desk("river"))
        for condition in holding:
            tx.people.grant(key("river", condition))
        places = [*inside, desk("river").room_id]
        tx.memberships.observe(Membership(room_id, RIVER, MembershipState.JOINED, NOW) for room_id in places)
    return river


def _change(
    house: MemoryStore,
    add: frozenset[Condition] = frozenset(),
    remove: frozenset[Condition] = frozenset(),
    role: Role | None = None,
    at: datetime = NOW,
) -> Person | Refused:
    with house.writing() as tx:
        return change_keys(tx, RIVER, KeyChange(add, remove, role, "host"), KNOWN, EXCLUSIONS, at)


def _decisions(tx: Transaction) -> list[tuple[OutgoingKind, object]]:
    rows: list[Outgoing] = list(tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + A_SECOND, 99))
    return [(row.kind, row.content.get("room_id")) for row in rows]


def test_a_moved_person_is_removed_before_being_invited(house: MemoryStore) -> None:
    _moved_in(house, ANOREXIA, inside=(WILLOW.room_id,))

    changed = _change(house, add=frozenset({BULIMIA}), remove=frozenset({ANOREXIA}))

    assert changed == person("river")
    with house.reading() as tx:
        assert held(tx.people.keys(RIVER), NOW) == {BULIMIA}
        assert _decisions(tx) == [(OutgoingKind.REMOVAL, WILLOW.room_id), (OutgoingKind.INVITATION, ELM.room_id)]
        assert decide_entry(tx, RIVER, WILLOW.room_id, NOW) == Refused(Reason.NO_KEY)
        assert decide_entry(tx, RIVER, ELM.room_id, NOW) == Allowed()


def test_a_room_that_was_open_is_left_although_nobody_has_seen_the_person_there(house: MemoryStore) -> None:
    _moved_in(house, ANOREXIA)

    _change(house, add=frozenset({PERINATAL}), remove=frozenset({ANOREXIA}))

    with house.reading() as tx:
        assert (OutgoingKind.REMOVAL, WILLOW.room_id) in _decisions(tx)


def test_a_room_that_opens_is_entered_although_the_person_was_last_seen_there(house: MemoryStore) -> None:
    # Taken and given again at once: nobody has observed yet that the person was removed in between.
    _moved_in(house, PERINATAL, inside=(WILLOW.room_id,))

    _change(house, add=frozenset({ANOREXIA}))

    with house.reading() as tx:
        assert (OutgoingKind.INVITATION, WILLOW.room_id) in _decisions(tx)


def test_a_room_that_was_open_before_is_not_entered_again_where_the_person_is(house: MemoryStore) -> None:
    _moved_in(house, ANOREXIA, inside=(WILLOW.room_id,))

    _change(house, add=frozenset({PERINATAL}))

    with house.reading() as tx:
        assert (OutgoingKind.INVITATION, WILLOW.room_id) not in _decisions(tx)


@pytest.mark.parametrize(
    ("add", "remove", "role", "reason"),
    [
        pytest.param({BULIMIA}, set(), None, Reason.CONDITIONS_EXCLUDE, id="the other half of a pair"),
        pytest.param(set(), {ANOREXIA}, None, Reason.CONDITION_MISSING, id="the last one taken"),
        pytest.param({"flu"}, set(), None, Reason.CONDITION_UNKNOWN, id="an unknown one"),
        pytest.param({BULIMIA}, {PERINATAL}, None, Reason.CONDITIONS_EXCLUDE, id="the wrong one taken"),
    ],
)
def test_a_change_that_may_not_be_changes_nothing(
    house: MemoryStore, add: set[Condition], remove: set[Condition], role: Role | None, reason: Reason
) -> None:
    _moved_in(house, ANOREXIA, inside=(WILLOW.room_id,))

    refused = _change(house, frozenset(add), frozenset(remove), role)

    assert refused == Refused(reason)
    with house.reading() as tx:
        assert held(tx.people.keys(RIVER), NOW) == {ANOREXIA}
        assert _decisions(tx) == []
        assert tx.audit.verify().entries == 0


def test_somebody_unknown_holds_nothing(house: MemoryStore) -> None:
    assert _change(house, add=frozenset({ANOREXIA})) == Refused(Reason.UNKNOWN_PERSON)


def test_a_carer_of_the_same_condition_leaves_the_patients_rooms(house: MemoryStore) -> None:
    _moved_in(house, ANOREXIA, inside=(WILLOW.room_id,))

    changed = _change(house, role=Role.CARER)

    assert changed == person("river", Role.CARER)
    with house.reading() as tx:
        assert tx.people.get(RIVER) == changed
        assert _decisions(tx) == [(OutgoingKind.REMOVAL, WILLOW.room_id)]


def test_a_key_that_ran_out_may_be_given_again(house: MemoryStore) -> None:
    _moved_in(house, PERINATAL)
    with house.writing() as tx:
        tx.people.grant(key("river", ANOREXIA, expires_at=NOW + A_SECOND))

    _change(house, add=frozenset({ANOREXIA}), at=NOW + A_SECOND)

    with house.reading() as tx:
        assert held(tx.people.keys(RIVER), NOW + A_SECOND) == {ANOREXIA, PERINATAL}


def test_after_one_half_of_a_pair_ran_out_the_other_may_be_held(house: MemoryStore) -> None:
    _moved_in(house)
    with house.writing() as tx:
        tx.people.grant(key("river", ANOREXIA, expires_at=NOW + A_SECOND))

    too_early = _change(house, add=frozenset({BULIMIA}), at=NOW)
    in_time = _change(house, add=frozenset({BULIMIA}), at=NOW + A_SECOND)

    assert (too_early, in_time) == (Refused(Reason.CONDITIONS_EXCLUDE), person("river"))


@given(st.lists(st.tuples(conditions, conditions, st.sampled_from([None, *Role])), max_size=8))
def test_no_way_of_changing_keys_leaves_an_excluding_pair_held(
    changes: list[tuple[frozenset[Condition], frozenset[Condition], Role | None]],
) -> None:
    house = MemoryStore()
    with house.writing() as tx:
        for scope in (WILLOW, ELM, care_room()):
            tx.rooms.put(scope)
    _moved_in(house, ANOREXIA)

    for add, remove, role in changes:
        _change(house, add, remove, role)

        with house.reading() as tx:
            now_held = held(tx.people.keys(RIVER), NOW)
            assert not any(pair <= now_held for pair in EXCLUSIONS)
            somebody = tx.people.get(RIVER)
            assert somebody is not None
            open_now = {scope.room_id for scope in rooms_opened(tx, somebody, NOW)}
            assert somebody.role in (Role.CLINICIAN, Role.SERVICE) or not {WILLOW.room_id, ELM.room_id} <= open_now


def test_following_twice_for_one_cause_decides_once(house: MemoryStore) -> None:
    river = _moved_in(house, ANOREXIA)

    with house.writing() as tx:
        assert follow_keys(tx, river, "letter", NOW) == 1
        assert follow_keys(tx, river, "letter", NOW) == 0
        assert follow_keys(tx, river, "another letter", NOW) == 1


def test_a_room_that_was_left_by_choice_stays_left(house: MemoryStore) -> None:
    river = _moved_in(house, ANOREXIA)
    with house.writing() as tx:
        left = MembershipState.LEFT_BY_CHOICE
        tx.memberships.observe([Membership(WILLOW.room_id, RIVER, left, NOW)])
        stays = follow_keys(tx, river, "letter", NOW)
        tx.memberships.observe([Membership(WILLOW.room_id, RIVER, MembershipState.REMOVED, NOW)])
        comes_back = follow_keys(tx, river, "letter", NOW)

    assert (stays, comes_back) == (0, 1)


def test_who_has_no_desk_gets_one_and_clinicians_need_none(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("clover"))
        follow_keys(tx, person("clover"), "letter", NOW)
        assert _decisions(tx) == [(OutgoingKind.DESK_ROOM, None)]
    with house.writing() as tx:
        invited = welcome(tx, person("dr-a", Role.CLINICIAN), NOW)
        assert (OutgoingKind.DESK_ROOM, None) not in _decisions(tx)[1:]
        assert invited == len(tx.rooms.all())


def test_entry_is_decided_by_what_is_kept(house: MemoryStore) -> None:
    _moved_in(house, ANOREXIA)

    with house.reading() as tx:
        assert decide_entry(tx, RIVER, WILLOW.room_id, NOW) == Allowed()
        assert decide_entry(tx, RIVER, ELM.room_id, NOW) == Refused(Reason.NO_KEY)
        assert decide_entry(tx, RIVER, RoomId("!other"), NOW) == Refused(Reason.NO_SCOPE)
        assert decide_entry(tx, user("stranger"), WILLOW.room_id, NOW) == Refused(Reason.UNKNOWN_PERSON)
