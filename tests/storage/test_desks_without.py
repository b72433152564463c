"""Desks in which one of the house's own accounts is missing."""

from datetime import timedelta

from keyhouse.core.ids import RoomId
from keyhouse.core.memberships import ANSWERED_WITHIN, Membership, MembershipState
from keyhouse.core.people import PersonState, Role
from keyhouse.core.ports import Store
from tests.support.household import A_SECOND, ANOREXIA, NOW, care_room, desk, living_room, person, user

BOOKING = user("booking")
NAMES = ("ash", "birch", "clover", "elm", "fern")


def furnish(store: Store) -> None:
    """Keep five people with desks, one of whom has left, and rooms that are no desks."""
    with store.writing() as tx:
        tx.people.add(person("booking", Role.SERVICE))
        for name in NAMES:
            tx.people.add(person(name, state=PersonState.CLOSED if name == "fern" else PersonState.ACTIVE))
            tx.rooms.put(desk(name))
        for scope in (care_room(), living_room(ANOREXIA)):
            tx.rooms.put(scope)


def missing(store: Store, limit: int = 9) -> list[RoomId]:
    """Desks that are without the account."""
    with store.reading() as tx:
        return list(tx.memberships.desks_without(BOOKING, NOW, limit))


def test_every_desk_of_who_lives_here_is_found_and_no_other_room(store: Store) -> None:
    furnish(store)

    assert missing(store) == ["!desk-ash", "!desk-birch", "!desk-clover", "!desk-elm"]
    assert missing(store, limit=2) == ["!desk-ash", "!desk-birch"]


def test_where_it_is_or_is_about_to_be_it_is_not_missing(store: Store) -> None:
    furnish(store)
    seen = {
        "ash": (MembershipState.JOINED, NOW - timedelta(days=9)),
        "birch": (MembershipState.INVITED, NOW - ANSWERED_WITHIN + A_SECOND),
        "clover": (MembershipState.INVITED, NOW - ANSWERED_WITHIN),
        "elm": (MembershipState.REMOVED, NOW),
    }

    with store.writing() as tx:
        tx.memberships.observe(Membership(desk(name).room_id, BOOKING, *sight) for name, sight in seen.items())
        # Somebody else's place says nothing about it.
        tx.memberships.observe([Membership(desk("elm").room_id, user("elm"), MembershipState.JOINED, NOW)])

    assert missing(store) == ["!desk-clover", "!desk-elm"]
