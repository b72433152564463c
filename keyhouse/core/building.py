"""The building as it is meant to be: the rooms that the house has, and who they are for."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from keyhouse.core.house_rules import HouseRules
from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.people import REFERRED_ROLES, Exclusions, Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind, RoomScope

_NEVER_TOGETHER = (Role.PATIENT, Role.CARER)


@dataclass(frozen=True, slots=True)
class PlannedRoom:
    """A room of the building file. parent: slug of its space, None at the top."""

    slug: str
    kind: RoomKind
    name: str
    topic: str
    roles: frozenset[Role]
    conditions: frozenset[Condition]
    service: str | None = None
    parent: str | None = None

    def scope(self, room_id: RoomId) -> RoomScope:
        """Return who may enter, once Synapse has given the room an id."""
        return RoomScope(
            room_id,
            self.slug,
            self.kind,
            self.name,
            self.roles,
            self.conditions,
            service=self.service,
        )


@dataclass(frozen=True, slots=True)
class Service:
    """A clinical service of the house; its care room hears of its people."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Building:
    """Everything the building file says. rooms: parents stand before their children.

    notice: what every room of people says of itself.
    """

    name: str
    notice: str
    conditions: frozenset[Condition]
    exclusions: Exclusions
    services: tuple[Service, ...]
    rooms: tuple[PlannedRoom, ...]
    rules: HouseRules


def meetings_that_must_not_be(rooms: Iterable[PlannedRoom], exclusions: Exclusions) -> list[str]:
    """Name every room in which people would meet who must not; empty is good.

    A space is a room too: its members see each other.
    """
    found = []
    for room in rooms:
        found += [
            f"{room.slug}: would hold people with {one} and people with {other}; give each a room of its own"
            for one, other in combinations(sorted(room.conditions), 2)
            if frozenset({one, other}) in exclusions
        ]
        if set(_NEVER_TOGETHER) <= room.roles:
            found.append(f"{room.slug}: would hold patients and carers; give each a room of its own")
        rules = ROOM_KINDS[room.kind]
        if not rules.by_condition and not rules.personal and room.roles & REFERRED_ROLES:
            found.append(
                f"{room.slug}: would hold people whatever their keys; rooms of this kind are for the team alone"
            )
    return found


def said_aloud(rooms: Iterable[PlannedRoom], conditions: frozenset[Condition]) -> list[str]:
    """Name every room whose name or topic says a condition: lock screens are read by others."""
    return [
        f"{room.slug}: its name or topic says {condition!r}; choose a neutral one"
        for room in rooms
        for condition in sorted(conditions)
        if condition.replace("_", " ") in f"{room.name} {room.topic}".lower().replace("_", " ")
    ]
