"""People, rooms and messages for tests of rules and storage; all of one small house."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case, CaseState
from keyhouse.core.ids import CaseNumber, Condition, EventId, ReferralId, RoomId, UserId
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.referrals import Referral
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.urgency import Urgency

NOW = datetime(2027, 3, 29, 10, 0, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
AN_HOUR = timedelta(hours=1)

ANOREXIA = Condition("anorexia")
BULIMIA = Condition("bulimia")
PERINATAL = Condition("perinatal")
KNOWN = frozenset({ANOREXIA, BULIMIA, PERINATAL})
EXCLUSIONS = frozenset({frozenset({ANOREXIA, BULIMIA})})
EATING = "eating_disorders"


def user(name: str) -> UserId:
    """The account of this localpart."""
    return UserId(f"@{name}:keyhouse.test")


def person(
    name: str, role: Role = Role.PATIENT, state: PersonState = PersonState.ACTIVE, rules_agreed: int | None = 1
) -> Person:
    """Somebody of the house, who agreed to its rules if nothing else is said."""
    return Person(user(name), role, state, name, NOW, rules_agreed)


def key(name: str, condition: Condition, expires_at: datetime | None = None) -> Key:
    """A key that was granted now."""
    return Key(user(name), condition, "test", NOW, expires_at)


def referral(name: str, *conditions: Condition, expires_at: datetime = NOW + AN_HOUR) -> Referral:
    """A patient's unused referral that reserves this name; its code hashes to `hash-` and the name."""
    return Referral(
        id=ReferralId(f"r-{name}"),
        code_hash=f"hash-{name}",
        role=Role.PATIENT,
        conditions=frozenset(conditions),
        pseudonym=name,
        issued_by="host",
        issued_at=NOW,
        expires_at=expires_at,
    )


def room(slug: str, kind: RoomKind, *roles: Role, conditions: tuple[Condition, ...] = ()) -> RoomScope:
    """A room of the eating disorder service."""
    return RoomScope(
        room_id=RoomId(f"!{slug}"),
        slug=slug,
        kind=kind,
        name=f"The {slug} room",
        roles=frozenset(roles),
        conditions=frozenset(conditions),
        service=EATING,
    )


def living_room(condition: Condition) -> RoomScope:
    """Where patients and peers of one condition meet, with clinicians."""
    roles = (Role.PATIENT, Role.PEER, Role.CLINICIAN)
    return room(f"living-{condition}", RoomKind.LIVING_ROOM, *roles, conditions=(condition,))


def care_room() -> RoomScope:
    """The care room of the service."""
    return room("care", RoomKind.CARE, Role.CLINICIAN)


def desk(name: str) -> RoomScope:
    """Somebody's own desk room."""
    return replace(room(f"desk-{name}", RoomKind.DESK), members=frozenset({user(name)}), service=None)


def alert(event: str, author: str, urgency: Urgency = Urgency.CONCERN, room_id: str = "!living-anorexia") -> Alert:
    """One message that somebody must look at."""
    return Alert(
        event_id=EventId(f"${event}"),
        room_id=RoomId(room_id),
        author=user(author),
        urgency=urgency,
        category="suicide",
        rules=("plain_intent", "asked_for_help"),
        raised_at=NOW,
    )


def case(author: str, *alerts: Alert, service: str = EATING) -> Case:
    """A case that nobody has taken; the store gives it its number."""
    return Case(
        number=CaseNumber(0),
        author=user(author),
        service=service,
        care_room=RoomId("!care"),
        urgency=Urgency.CONCERN,
        state=CaseState.RAISED,
        raised_at=NOW,
        alerts=alerts,
    )
