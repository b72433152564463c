"""From a person's keys to the invitations and removals that follow from them."""

from datetime import datetime

from keyhouse.core.access import may_join, moves_for
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import INSIDE, MembershipState
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES, Person, PersonState, held
from keyhouse.core.ports import Transaction
from keyhouse.core.room_state import kinds_with
from keyhouse.core.rooms import RoomScope
from keyhouse.core.verdict import Allowed

_CONCIERGE_INVITES = kinds_with(ServiceAccount.CONCIERGE)
_NOWHERE: frozenset[RoomId] = frozenset()


def rooms_opened(tx: Transaction, person: Person, now: datetime) -> tuple[RoomScope, ...]:
    """Return the rooms that the person's keys open now."""
    keys = tx.people.keys(person.user_id)
    scopes = tx.rooms.opened_by(person.role, held(keys, now), person.user_id)
    return tuple(scope for scope in scopes if isinstance(may_join(scope, person, keys, now), Allowed))


def follow_keys(
    tx: Transaction, person: Person, cause: str, now: datetime, were_open: frozenset[RoomId] | None = None
) -> int:
    """Save what must be done so that memberships follow the keys; return how many decisions were new.

    cause: makes the decisions of this change different from those of an earlier one.  were_open: rooms that the keys
    opened until now, where the keys have just changed: what was observed in rooms that were opened or closed by it may
    be of a moment before.
    """
    return sum(tx.outbox.add(decision, now) for decision in decisions(tx, person, cause, now, were_open))


def decisions(
    tx: Transaction, person: Person, cause: str, now: datetime, were_open: frozenset[RoomId] | None = None
) -> list[NewOutgoing]:
    """Return what must be done so that memberships follow the keys, in the order in which it must be done."""
    places = tx.memberships.of(person.user_id)
    inside = frozenset(place.room_id for place in places if place.state in INSIDE)
    stays_out = frozenset(place.room_id for place in places if place.state is MembershipState.LEFT_BY_CHOICE)
    scopes = rooms_opened(tx, person, now)
    opened = frozenset(scope.room_id for scope in scopes)
    lost, gained = (were_open - opened, opened - were_open) if were_open is not None else (_NOWHERE, _NOWHERE)
    moves = moves_for(person, tx.people.keys(person.user_id), scopes, inside - gained, stays_out, now)
    # The desk goes first, because help is there. Leaving goes before entering: excluding conditions are never held at
    # once, not for a moment.
    decided = [_desk_room(person.user_id, now)] if _needs_desk(tx, person) else []
    decided += [removal(person.user_id, room, cause, now) for room in sorted({*moves.leave, *(lost - stays_out)})]
    entered = [scope.room_id for scope in moves.enter if scope.kind in _CONCIERGE_INVITES]
    return decided + [invitation(person.user_id, room, cause, now) for room in entered]


def _needs_desk(tx: Transaction, person: Person) -> bool:
    lives_here = person.role in REFERRED_ROLES and person.state is not PersonState.CLOSED
    return lives_here and tx.rooms.desk_of(person.user_id) is None


def invitation(person: UserId, room: RoomId, cause: str, now: datetime, *, anew: bool = False) -> NewOutgoing:
    """Return the decision to invite. anew: one that stands unanswered is withdrawn first."""
    once = f"invitation:{room}:{person}:{cause}"
    content = {"room_id": room, "person": person, "anew": anew}
    return NewOutgoing(OutgoingKind.INVITATION, Worker.ROOM_GATEKEEPER, once, content, now)


def removal(person: UserId, room: RoomId, cause: str, now: datetime) -> NewOutgoing:
    """Return the decision to remove."""
    once = f"removal:{room}:{person}:{cause}"
    content = {"room_id": room, "person": person}
    return NewOutgoing(OutgoingKind.REMOVAL, Worker.ROOM_GATEKEEPER, once, content, now)


def _desk_room(person: UserId, now: datetime) -> NewOutgoing:
    return NewOutgoing(OutgoingKind.DESK_ROOM, Worker.ROOM_GATEKEEPER, f"desk:{person}", {"person": person}, now)
