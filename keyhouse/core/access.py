"""Who may be where."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.ids import RoomId
from keyhouse.core.people import TEAM_ROLES, Key, Person, PersonState, Role
from keyhouse.core.rooms import RoomScope
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict


def may_join(scope: RoomScope | None, person: Person | None, keys: Iterable[Key], now: datetime) -> Verdict:
    """Decide whether this person may enter a room of this scope.

    scope: None is a room the house does not know; only service accounts enter it.  keys: all unrevoked keys of
    the person; empty means none.  now: aware, UTC.  A scope without roles or, where the kind asks for one,
    without conditions admits nobody. Bans are Synapse's work and not checked here.
    """
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    if person.state is PersonState.CLOSED:
        return Refused(Reason.PERSON_CLOSED)
    if person.role is Role.SERVICE:
        return Allowed()
    if scope is None:
        return Refused(Reason.NO_SCOPE)
    if scope.rules.personal:
        return Allowed() if person.user_id in scope.members else Refused(Reason.SOMEBODY_ELSES_ROOM)
    return _by_role_and_condition(scope, person, keys, now)


def _by_role_and_condition(scope: RoomScope, person: Person, keys: Iterable[Key], now: datetime) -> Verdict:
    if person.role not in scope.roles:
        return Refused(Reason.ROLE_NOT_ADMITTED)
    if person.role in TEAM_ROLES or not scope.rules.by_condition:
        return Allowed()
    if not scope.conditions:
        return Refused(Reason.NO_CONDITION_IN_SCOPE)
    fitting = [key for key in keys if key.condition in scope.conditions and key.revoked_at is None]
    if any(key.opens(now) for key in fitting):
        return Allowed()
    return Refused(Reason.KEY_EXPIRED if fitting else Reason.NO_KEY)


def may_come_in(
    scope: RoomScope | None, person: Person | None, keys: Iterable[Key], standing: Iterable[RoomScope], now: datetime
) -> Verdict:
    """Decide whether this person may enter a room now, given where the person still stands.

    standing: rooms in which the person is at this moment.  Whoever has not left yet what the keys no longer open enters
    nothing else that needs a key, because the two could exclude each other. The rest is as in `may_join`.
    """
    all_keys = tuple(keys)
    verdict = may_join(scope, person, all_keys, now)
    if isinstance(verdict, Refused) or person is None or scope is None or not scope.rules.by_condition:
        return verdict
    others = [other for other in standing if other.rules.by_condition and other.room_id != scope.room_id]
    if any(isinstance(may_join(other, person, all_keys, now), Refused) for other in others):
        return Refused(Reason.STILL_LEAVING)
    return verdict


@dataclass(frozen=True, slots=True)
class Moves:
    """What must happen to one person's memberships; both may be empty."""

    enter: tuple[RoomScope, ...]
    leave: tuple[RoomId, ...]


def moves_for(
    person: Person,
    keys: Iterable[Key],
    scopes: Iterable[RoomScope],
    inside: frozenset[RoomId],
    stays_out: frozenset[RoomId],
    now: datetime,
) -> Moves:
    """Compare what a person's keys say with where the person is.

    scopes: at least every room that the keys open or that names the person.  inside: rooms joined or invited to.
    stays_out: rooms left by choice, which stay left until the person asks.
    """
    all_keys = tuple(keys)
    admitted = {scope.room_id: scope for scope in scopes if isinstance(may_join(scope, person, all_keys, now), Allowed)}
    enter = tuple(scope for room, scope in admitted.items() if room not in inside | stays_out)
    return Moves(enter, tuple(sorted(inside - admitted.keys())))
