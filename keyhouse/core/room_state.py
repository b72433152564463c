"""How a room of the building stands in Matrix: its state events, and which of the house's accounts live in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyhouse.core.accounts import CLINICIAN_POWER, POWER, ServiceAccount
from keyhouse.core.building import PlannedRoom
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind

Content = Mapping[str, Any]
ROOM_VERSION = "12"
MARK = "uk.keyhouse.room"
"""Key of the create event under which a room carries its mark: a keyed hash, because the slug may hold a condition."""

NAME = "m.room.name"
TOPIC = "m.room.topic"
POWER_LEVELS = "m.room.power_levels"
JOIN_RULES = "m.room.join_rules"
GUESTS = "m.room.guest_access"
HISTORY = "m.room.history_visibility"
ENCRYPTION = "m.room.encryption"
MEMBER = "m.room.member"
CHILD = "m.space.child"
PARENT = "m.space.parent"

HOUSE_ALONE = 100
OWNER_ALONE = 150
"""More than anybody listed has: only the creator's power is above it."""

_ROTATION = {"rotation_period_ms": 7 * 24 * 60 * 60 * 1000, "rotation_period_msgs": 100}
# Often enough to see that new room keys arrive, seldom enough that years of checks fill no bot's store.
_PROBES_ROTATION = {"rotation_period_ms": 6 * 60 * 60 * 1000, "rotation_period_msgs": 1000}

_SPACES = frozenset({RoomKind.SPACE, RoomKind.TEAM_SPACE})
_WITHOUT_CONCIERGE = frozenset({RoomKind.GUARDIANS, RoomKind.SPEAK_UP})
_BOOKED_IN = frozenset({RoomKind.DESK, RoomKind.CARE})


@dataclass(frozen=True, slots=True)
class Cast:
    """Who has a part in the rooms besides the people who live in them.

    services: user ids of the house's own accounts.  clinicians: those who moderate.  via: the server's name.
    """

    services: Mapping[ServiceAccount, UserId]
    clinicians: frozenset[UserId]
    via: str


def services_in(kind: RoomKind) -> tuple[ServiceAccount, ...]:
    """Return the bots that live in every room of a kind."""
    concierge = () if kind in _WITHOUT_CONCIERGE else (ServiceAccount.CONCIERGE,)
    watcher = (ServiceAccount.WATCHER,) if ROOM_KINDS[kind].watched or kind is RoomKind.CARE else ()
    booking = (ServiceAccount.BOOKING,) if kind in _BOOKED_IN else ()
    probe = (ServiceAccount.PROBE,) if kind is RoomKind.PROBE else ()
    return (*concierge, *watcher, *booking, *probe)


def kinds_with(service: ServiceAccount) -> frozenset[RoomKind]:
    """Return the kinds of room in which a bot lives; only there can it invite, remove and see who is there."""
    return frozenset(kind for kind in RoomKind if service in services_in(kind))


def create_content(room: PlannedRoom, mark: str) -> Content:
    """Return what the create event says; it can never be changed."""
    space = {"type": "m.space"} if room.kind in _SPACES else {}
    return {"m.federate": False, MARK: mark, **space}


def wanted_state(room: PlannedRoom, cast: Cast) -> dict[str, Content]:
    """Return the state events with an empty state key that the room must have, by type."""
    rules = ROOM_KINDS[room.kind]
    state: dict[str, Content] = {
        POWER_LEVELS: power_levels(room, cast),
        JOIN_RULES: {"join_rule": "invite"},
        GUESTS: {"guest_access": "forbidden"},
        HISTORY: {"history_visibility": "joined" if rules.encrypted else "shared"},
        NAME: {"name": room.name},
        TOPIC: {"topic": room.topic},
    }
    if rules.encrypted:
        state[ENCRYPTION] = {
            "algorithm": "m.megolm.v1.aes-sha2",
            **(_PROBES_ROTATION if room.kind is RoomKind.PROBE else _ROTATION),
        }
    return state


def power_levels(room: PlannedRoom, cast: Cast) -> Content:
    """Return who may do what; the creator stands above it and must not be named."""
    house_writes = ROOM_KINDS[room.kind].house_writes
    users = {cast.services[service]: POWER[service] for service in services_in(room.kind)}
    if Role.CLINICIAN in room.roles:
        users |= dict.fromkeys(sorted(cast.clinicians), CLINICIAN_POWER)
    # Where only the house writes, people may still react, and take their own reaction back.
    events = {"m.reaction": 0, "m.room.redaction": 0} if house_writes else {}
    return {
        "users": users,
        "users_default": 0,
        "events": {"m.room.tombstone": OWNER_ALONE, **events},
        "events_default": HOUSE_ALONE if house_writes else 0,
        "state_default": HOUSE_ALONE,
        "invite": HOUSE_ALONE,
        "kick": CLINICIAN_POWER,
        "ban": CLINICIAN_POWER,
        # Everybody takes back their own words without it; nobody else's, nor the watcher's cards.
        "redact": HOUSE_ALONE,
        "notifications": {"room": CLINICIAN_POWER},
    }


def child_link(place: int, cast: Cast) -> Content:
    """Return what a space says of a room in it. place: the room's place among those of the space."""
    return {"via": [cast.via], "order": f"{place:04d}", "suggested": True}


def parent_link(cast: Cast) -> Content:
    """Return what a room says of the space that it stands in."""
    return {"via": [cast.via], "canonical": True}


def initial_state(room: PlannedRoom, parent: RoomId | None, cast: Cast) -> list[dict[str, Any]]:
    """Return the state that a new room begins with, in Matrix's form."""
    events = [{"type": kind, "state_key": "", "content": content} for kind, content in wanted_state(room, cast).items()]
    if parent is not None:
        events.append({"type": PARENT, "state_key": parent, "content": parent_link(cast)})
    return events
