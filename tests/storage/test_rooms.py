"""Scopes, who they could open to, and who was seen where."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyhouse.core.access import may_join
from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.people import Role
from keyhouse.core.ports import Store
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.verdict import Allowed
from keyhouse.storage.errors import StoreConflict
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    EATING,
    NOW,
    care_room,
    desk,
    key,
    living_room,
    person,
    room,
    user,
)

ROOMS = [living_room(ANOREXIA), living_room(BULIMIA), care_room(), desk("river"), desk("clover"),
         room("team", RoomKind.TEAM_SPACE, Role.CLINICIAN), room("quiet", RoomKind.QUIET, Role.STAFF)]  # fmt: skip


def _furnish(store: Store) -> None:
    with store.writing() as tx:
        for scope in ROOMS:
            tx.rooms.put(scope)


def test_a_scope_comes_back_as_put_and_is_replaced_whole(store: Store) -> None:
    before = replace(living_room(ANOREXIA), members=frozenset({user("river")}))
    after = replace(before, name="Willow", roles=frozenset({Role.CARER}), conditions=frozenset(), members=frozenset())

    with store.writing() as tx:
        tx.rooms.put(before)
        first = tx.rooms.get(before.room_id)
        tx.rooms.put(after)

    with store.reading() as tx:
        assert (first, tx.rooms.get(before.room_id), tx.rooms.by_slug(before.slug)) == (before, after, after)
        assert tx.rooms.get(RoomId("!elsewhere")) is None
        assert tx.rooms.by_slug("elsewhere") is None


def test_two_rooms_never_share_a_slug(store: Store) -> None:
    with store.writing() as tx:
        tx.rooms.put(care_room())

    with pytest.raises(StoreConflict), store.writing() as tx:
        tx.rooms.put(replace(care_room(), room_id=RoomId("!other")))


def test_rooms_are_found_by_what_they_are_for(store: Store) -> None:
    with store.reading() as tx:
        assert tx.rooms.any_care_room() is None
    _furnish(store)

    with store.reading() as tx:
        assert tx.rooms.desk_of(user("river")) == desk("river")
        assert tx.rooms.desk_of(user("nobody")) is None
        assert tx.rooms.care_room(EATING) == care_room() == tx.rooms.any_care_room()
        assert tx.rooms.care_room("perinatal") is None
        assert tx.rooms.all() == sorted(ROOMS, key=lambda scope: scope.slug)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("held", [(), (ANOREXIA,), (ANOREXIA, BULIMIA)], ids=["none", "one", "both"])
def test_rooms_that_could_open_hold_every_room_that_does_open(
    store: Store, role: Role, held: tuple[Condition, ...]
) -> None:
    _furnish(store)
    somebody, keys = person("river", role), [key("river", condition) for condition in held]

    with store.reading() as tx:
        could_open = tx.rooms.opened_by(role, frozenset(held), somebody.user_id)

    admitted = [scope for scope in ROOMS if may_join(scope, somebody, keys, NOW) == Allowed()]
    # Service accounts enter every room; nobody has to be invited for that.
    expected: list[RoomScope] = [] if role is Role.SERVICE else admitted
    assert [scope.slug for scope in expected if scope not in could_open] == []


def test_rooms_that_could_open_are_few_on_a_database(sql_store: Store) -> None:
    _furnish(sql_store)

    with sql_store.reading() as tx:
        could_open = tx.rooms.opened_by(Role.PATIENT, frozenset({ANOREXIA}), user("river"))

    assert could_open == [desk("river"), living_room(ANOREXIA)]


def test_a_newer_sight_replaces_an_older_one_and_never_the_other_way_round(store: Store) -> None:
    joined = Membership(RoomId("!a"), user("river"), MembershipState.JOINED, NOW)
    left = replace(joined, state=MembershipState.LEFT_BY_CHOICE, observed_at=NOW + A_SECOND)
    elsewhere = replace(joined, room_id=RoomId("!b"))

    with store.writing() as tx:
        tx.memberships.observe([left, joined, elsewhere])
        tx.memberships.observe([joined])
        tx.memberships.observe([])

    with store.reading() as tx:
        assert tx.memberships.of(user("river")) == [left, elsewhere]
        assert tx.memberships.of(user("clover")) == []


def test_of_two_sights_at_one_moment_the_later_one_counts(store: Store) -> None:
    invited = Membership(RoomId("!a"), user("river"), MembershipState.INVITED, NOW + timedelta(milliseconds=1))
    joined = replace(invited, state=MembershipState.JOINED)

    with store.writing() as tx:
        tx.memberships.observe([invited, joined])

    with store.reading() as tx:
        assert tx.memberships.of(user("river")) == [joined]


def test_several_rooms_are_found_at_once_and_unknown_ones_are_left_out(store: Store) -> None:
    _furnish(store)
    wanted = {desk("river").room_id, living_room(BULIMIA).room_id, RoomId("!elsewhere")}

    with store.reading() as tx:
        found = tx.rooms.among(wanted)
        none = tx.rooms.among(frozenset())

    assert {scope.room_id: scope for scope in found} == {
        desk("river").room_id: desk("river"),
        living_room(BULIMIA).room_id: living_room(BULIMIA),
    }
    assert list(none) == []
