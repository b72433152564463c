"""What the concierge keeps: desk rooms, and where people were seen."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import INSIDE, Membership, MembershipState, observed_state
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.moves import follow_keys, removal, rooms_opened


def greeting_key(person: UserId) -> str:
    """Return the key of the one greeting that a person gets."""
    return f"greeting:{person}"


def hasten_greetings(tx: Transaction, people: Iterable[UserId], now: datetime) -> None:
    """Greet these people now, if their greeting has been waiting for a device."""
    for person in people:
        tx.outbox.hasten(greeting_key(person), now)


def open_desk(tx: Transaction, person: Person, room_id: RoomId, now: datetime) -> RoomScope:
    """Keep a person's desk room, invite the person into it, and decide the greeting."""
    scope = RoomScope(room_id, f"desk.{person.name}", RoomKind.DESK, "Your desk", members=frozenset({person.user_id}))
    tx.rooms.put(scope)
    greeting = NewOutgoing(
        OutgoingKind.GREETING,
        Worker.ROOM_GATEKEEPER,
        greeting_key(person.user_id),
        {"person": person.user_id},
        now,
    )
    tx.outbox.add(greeting, now)
    follow_keys(tx, person, f"desk:{room_id}", now)
    return scope


def observe_change(
    tx: Transaction, room_id: RoomId, person: UserId, sender: UserId, membership: str, now: datetime
) -> None:
    """Keep what a membership event says; whoever comes in where no key lets them any more is removed again.

    A join that the door allowed a moment before the key was taken may come after the removal that followed from it.
    """
    state = observed_state(membership, person, sender)
    if state is None:
        return
    tx.memberships.observe([Membership(room_id, person, state, now)])
    if state in INSIDE and isinstance(decide_entry(tx, person, room_id, now), Refused):
        tx.outbox.add(removal(person, room_id, f"seen:{now.isoformat()}", now), now)


def observe_rooms(tx: Transaction, members: Mapping[str, Iterable[str]], now: datetime) -> None:
    """Keep who is joined, as found at the start, whole: what was not heard while nobody listened is made good."""
    joined = {RoomId(room): frozenset(UserId(person) for person in people) for room, people in members.items()}
    tx.memberships.observe_whole(joined, now)


def let_back_in(tx: Transaction, user_id: UserId, now: datetime) -> tuple[RoomScope, ...]:
    """Invite a person again into rooms left by choice; return every room that the keys open."""
    person = tx.people.get(user_id)
    if person is None or person.state is PersonState.CLOSED:
        return ()
    left = [place for place in tx.memberships.of(user_id) if place.state is MembershipState.LEFT_BY_CHOICE]
    tx.memberships.observe(Membership(place.room_id, user_id, MembershipState.REMOVED, now) for place in left)
    follow_keys(tx, person, f"asked:{now.isoformat()}", now)
    return rooms_opened(tx, person, now)
