"""Compare the building as it is meant to be with the rooms as they are, and say what is to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import Building, PlannedRoom
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.room_state import (
    CHILD,
    ENCRYPTION,
    GUESTS,
    HISTORY,
    JOIN_RULES,
    MEMBER,
    NAME,
    PARENT,
    POWER_LEVELS,
    TOPIC,
    Cast,
    Content,
    child_link,
    parent_link,
    services_in,
    wanted_state,
)
from keyhouse.core.rooms import RoomScope


class Action(StrEnum):
    """What can be to do for a room."""

    CREATE_ROOM = "create_room"
    KEEP_SCOPE = "keep_scope"
    SET_POWER = "set_power"
    SET_JOIN_RULE = "set_join_rule"
    SET_GUEST_ACCESS = "set_guest_access"
    SET_HISTORY = "set_history"
    SET_NAME = "set_name"
    SET_TOPIC = "set_topic"
    SET_ENCRYPTION = "set_encryption"
    SET_CHILD = "set_child"
    INVITE_SERVICE = "invite_service"


STATE_SET_BY: Mapping[Action, str] = {
    Action.SET_POWER: POWER_LEVELS,
    Action.SET_JOIN_RULE: JOIN_RULES,
    Action.SET_GUEST_ACCESS: GUESTS,
    Action.SET_HISTORY: HISTORY,
    Action.SET_NAME: NAME,
    Action.SET_TOPIC: TOPIC,
    Action.SET_ENCRYPTION: ENCRYPTION,
}
"""The state event that an action puts right; the other actions are not one state event."""

_ACTION_FOR = {event_type: action for action, event_type in STATE_SET_BY.items()}


@dataclass(frozen=True, slots=True)
class ObservedRoom:
    """A room as it is. scope: what our database keeps of it, None if nothing.  state: by type and state key."""

    room_id: RoomId
    scope: RoomScope | None
    state: Mapping[tuple[str, str], Content]

    def membership(self, user_id: UserId) -> str:
        """Return the Matrix membership of an account; "leave" if it never was here."""
        return str(self.state.get((MEMBER, user_id), {}).get("membership", "leave"))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do. target: the room's name as people see it.  detail: why, in plain words.

    slug: which room of the building.  service: whom to invite (INVITE_SERVICE only).
    """

    action: Action
    target: str
    detail: str
    slug: str
    service: ServiceAccount | None = None


def plan_building(building: Building, observed: Mapping[str, ObservedRoom], cast: Cast) -> list[Change]:
    """Say what is to do so that the rooms are as the building file says; empty when nothing is.

    observed: the rooms that are there, by slug.  The order is that of the building file, so parents come first.
    """
    changes: list[Change] = []
    names = {room.slug: room.name for room in building.rooms}
    for room in building.rooms:
        seen = observed.get(room.slug)
        inside = f", inside {names[room.parent]}" if room.parent else ""
        if seen is None:
            new = f"a new {room.kind.value.replace('_', ' ')}{inside}"
            changes.append(Change(Action.CREATE_ROOM, room.name, new, room.slug))
            continue
        changes += _scope_changes(room, seen)
        changes += _state_changes(room, seen, cast)
        changes += _link_changes(room, seen, observed, place_in_space(building, room), cast)
        changes += _service_changes(room, seen, cast)
    return changes


def place_in_space(building: Building, room: PlannedRoom) -> int:
    """Return the room's place among the rooms of its space, from 0, in the order of the building file."""
    return [other.slug for other in building.rooms if other.parent == room.parent].index(room.slug)


def _scope_changes(room: PlannedRoom, seen: ObservedRoom) -> Iterator[Change]:
    if seen.scope is None:
        yield Change(Action.KEEP_SCOPE, room.name, "who may enter is not written down", room.slug)
    elif seen.scope != room.scope(seen.room_id):
        yield Change(Action.KEEP_SCOPE, room.name, "who may enter is written down otherwise", room.slug)


def _state_changes(room: PlannedRoom, seen: ObservedRoom, cast: Cast) -> Iterator[Change]:
    for event_type, wanted in wanted_state(room, cast).items():
        found = seen.state.get((event_type, ""), {})
        if found != wanted:
            yield Change(_ACTION_FOR[event_type], room.name, _difference(found, wanted), room.slug)


def _link_changes(
    room: PlannedRoom, seen: ObservedRoom, observed: Mapping[str, ObservedRoom], place: int, cast: Cast
) -> Iterator[Change]:
    if room.parent is None:
        return
    space = observed.get(room.parent)
    as_child = space.state.get((CHILD, seen.room_id)) if space else None
    as_parent = seen.state.get((PARENT, space.room_id)) if space else None
    if as_child != child_link(place, cast) or as_parent != parent_link(cast):
        yield Change(Action.SET_CHILD, room.name, "does not stand in its space as it should", room.slug)


def _service_changes(room: PlannedRoom, seen: ObservedRoom, cast: Cast) -> Iterator[Change]:
    for service in services_in(room.kind):
        match seen.membership(cast.services[service]):
            case "join":
                continue
            case "invite":
                detail = f"the {service.value} has not answered its invitation"
            case _:
                detail = f"the {service.value} is not in it"
        yield Change(Action.INVITE_SERVICE, room.name, detail, room.slug, service)


def _difference(found: Content, wanted: Content) -> str:
    if not found:
        return "is not set"
    return "; ".join(
        _how_it_differs(key, found.get(key), wanted.get(key))
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    )


def _how_it_differs(key: str, found: object, wanted: object) -> str:
    words = key.replace("_", " ")
    # Lists of accounts and events are too long for a line, and nobody reads them.
    if isinstance(found, Mapping) or isinstance(wanted, Mapping):
        return f"{words} differ"
    return f"{words} is {_said(found)}, should be {_said(wanted)}"


def _said(value: object) -> str:
    return "not set" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
