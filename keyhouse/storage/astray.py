"""One query over the whole house: who stands where the keys do not let them, or does not stand where they do.

It says in tables what `core.access.may_join` says of one person; a test compares the two. Which kinds and roles need
a condition is asked of the rules and bound.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, exists, or_, select, union, union_all

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.memberships import ANSWERED_WITHIN, INSIDE, MembershipState
from keyhouse.core.people import TEAM_ROLES, PersonState, Role
from keyhouse.core.room_state import kinds_with
from keyhouse.core.rooms import ROOM_KINDS, RoomKind
from keyhouse.storage.tables import membership, person, person_key, room, room_condition, room_member, room_role

_PERSONAL = frozenset(kind for kind, rules in ROOM_KINDS.items() if rules.personal)
_BY_CONDITION = frozenset(kind for kind, rules in ROOM_KINDS.items() if rules.by_condition) - _PERSONAL
_BY_ROLE_ALONE = frozenset(RoomKind) - _PERSONAL - _BY_CONDITION
_WITH_CONCIERGE = kinds_with(ServiceAccount.CONCIERGE)
_WHERE_THEY_WANT_TO_BE = [state.value for state in (*INSIDE, MembershipState.LEFT_BY_CHOICE)]


def astray(now: datetime, limit: int, after: str) -> Select[Any]:
    """Return the query for user ids after `after`, in their order."""
    found = union(_missing(now, after), _misplaced(now, after)).subquery()
    return select(found.c.person).order_by(found.c.person).limit(limit)


def desks_without(service: UserId, now: datetime, limit: int) -> Select[Any]:
    """Return the query for desks in which a service account is not, of people who live here; by room id."""
    soon_in = and_(
        membership.c.state == MembershipState.INVITED.value, membership.c.observed_at > now - ANSWERED_WITHIN
    )
    its = (membership.c.room_id == room.c.room_id, membership.c.person == service)
    there = exists().where(*its, or_(membership.c.state == MembershipState.JOINED.value, soon_in))
    whose = exists().where(
        room_member.c.room_id == room.c.room_id, person.c.user_id == room_member.c.user_id, _lives_here()
    )
    desks = select(room.c.room_id).where(room.c.kind == RoomKind.DESK.value, whose, ~there)
    return desks.order_by(room.c.room_id).limit(limit)


def _missing(now: datetime, after: str) -> Select[Any]:
    """People whom a key lets in where they are not."""
    opened = union_all(*_opened(now, after)).subquery()
    there = (membership.c.person == opened.c.person, membership.c.room_id == opened.c.room_id)
    settled = exists().where(*there, membership.c.state.in_(_WHERE_THEY_WANT_TO_BE))
    return select(opened.c.person).where(~settled)


def _opened(now: datetime, after: str) -> Iterable[Select[Any]]:
    """Who is let in where, one query for each way in.

    By condition it begins at the keys: joined freely, SQLite would go through everybody for each room.
    """
    pairs = select(person.c.user_id.label("person"), room.c.room_id).where(_lives_here(), person.c.user_id > after)
    by_role = pairs.join(room_role, room_role.c.role == person.c.role).join(room)
    yield by_role.where(_kind_in(_BY_ROLE_ALONE & _WITH_CONCIERGE))
    yield by_role.where(_kind_in(_BY_CONDITION & _WITH_CONCIERGE), _needs_no_condition())
    admitted = exists().where(person.c.user_id == person_key.c.person, _lives_here(), _role_fits(room_condition))
    of_such_kind = exists().where(room.c.room_id == room_condition.c.room_id, _kind_in(_BY_CONDITION & _WITH_CONCIERGE))
    keys = select(person_key.c.person, room_condition.c.room_id).where(person_key.c.person > after)
    yield keys.where(_good_for(now), admitted, of_such_kind)
    named = pairs.join(room_member, room_member.c.user_id == person.c.user_id)
    yield named.join(room, room.c.room_id == room_member.c.room_id).where(_kind_in(_PERSONAL & _WITH_CONCIERGE))


def _misplaced(now: datetime, after: str) -> Select[Any]:
    """People who are where no key lets them, or whose invitation stands unanswered."""
    inside = (membership.c.person > after, membership.c.state.in_([state.value for state in INSIDE]))
    unanswered = and_(
        membership.c.state == MembershipState.INVITED.value, membership.c.observed_at <= now - ANSWERED_WITHIN
    )
    whose = select(membership.c.person).outerjoin(person, person.c.user_id == membership.c.person)
    where = whose.outerjoin(room, room.c.room_id == membership.c.room_id)
    is_ours = person.c.role == Role.SERVICE.value
    return where.where(*inside, is_ours.is_not(True), or_(unanswered, ~_let_in(now)))


def _let_in(now: datetime) -> ColumnElement[bool]:
    """Whether a key lets this person in where this membership is."""
    by_key = exists().where(
        room_condition.c.room_id == room.c.room_id, person_key.c.person == person.c.user_id, _good_for(now)
    )
    named = exists().where(room_member.c.room_id == room.c.room_id, room_member.c.user_id == person.c.user_id)
    enough = or_(_kind_in(_BY_ROLE_ALONE), _needs_no_condition(), by_key)
    admitted = or_(and_(_kind_in(_PERSONAL), named), and_(~_kind_in(_PERSONAL), _role_fits(room), enough))
    # Of an account or a room that the house does not know no EXISTS is true, so it is false here and not NULL.
    return and_(_lives_here(), admitted)


def _good_for(now: datetime) -> ColumnElement[bool]:
    fits = and_(person_key.c.condition == room_condition.c.condition, person_key.c.revoked_at.is_(None))
    return and_(fits, or_(person_key.c.expires_at.is_(None), person_key.c.expires_at > now))


def _role_fits(where: Table) -> ColumnElement[bool]:
    fits = exists().where(room_role.c.room_id == where.c.room_id, room_role.c.role == person.c.role)
    return fits.correlate(where, person)


def _lives_here() -> ColumnElement[bool]:
    return and_(person.c.state != PersonState.CLOSED.value, person.c.role != Role.SERVICE.value)


def _needs_no_condition() -> ColumnElement[bool]:
    return person.c.role.in_(sorted(TEAM_ROLES))


def _kind_in(kinds: Iterable[RoomKind]) -> ColumnElement[bool]:
    return room.c.kind.in_(sorted(kind.value for kind in kinds))
