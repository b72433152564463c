"""The kinds of room and what holds for each. Documents and tests read this one table."""

from dataclasses import dataclass, field
from enum import StrEnum

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.people import Role


class RoomKind(StrEnum):
    """What a room is for."""

    TEAM_SPACE = "team_space"
    SPACE = "space"
    LIVING_ROOM = "living_room"
    FORUM = "forum"
    ASK = "ask"
    LIBRARY = "library"
    TELEVISION = "television"
    DESK = "desk"
    TALK = "talk"
    THERAPY = "therapy"
    CARE = "care"
    QUIET = "quiet"
    SPEAK_UP = "speak_up"
    GUARDIANS = "guardians"
    PROBE = "probe"


@dataclass(frozen=True, slots=True)
class KindRules:
    """What holds for every room of a kind.

    personal: opened by being named in the scope, not by role and condition.
    by_condition: patients, carers and peers need a key of the room's condition.
    house_writes: only the house may write.  while_paused: somebody paused may still write.
    owner_signed_only: our bots give room keys to owner-signed devices alone (DESIGN, safety rule 6).
    """

    encrypted: bool
    watched: bool
    personal: bool = False
    by_condition: bool = False
    house_writes: bool = False
    while_paused: bool = False
    owner_signed_only: bool = True


_READ_ONLY = KindRules(encrypted=False, watched=False, by_condition=True, house_writes=True)
_SHARED = KindRules(encrypted=True, watched=True, by_condition=True)

ROOM_KINDS: dict[RoomKind, KindRules] = {
    RoomKind.TEAM_SPACE: KindRules(encrypted=False, watched=False, house_writes=True),
    RoomKind.SPACE: _READ_ONLY,
    RoomKind.LIVING_ROOM: _SHARED,
    RoomKind.FORUM: _SHARED,
    RoomKind.ASK: _SHARED,
    RoomKind.LIBRARY: _READ_ONLY,
    RoomKind.TELEVISION: _READ_ONLY,
    RoomKind.DESK: KindRules(encrypted=True, watched=True, personal=True, while_paused=True, owner_signed_only=False),
    RoomKind.TALK: KindRules(encrypted=True, watched=True, personal=True),
    RoomKind.THERAPY: KindRules(encrypted=True, watched=False, personal=True, while_paused=True),
    RoomKind.CARE: KindRules(encrypted=True, watched=False),
    RoomKind.QUIET: KindRules(encrypted=True, watched=False),
    RoomKind.SPEAK_UP: KindRules(encrypted=True, watched=False, personal=True),
    RoomKind.GUARDIANS: KindRules(encrypted=True, watched=False),
    RoomKind.PROBE: KindRules(encrypted=True, watched=True),
}


@dataclass(frozen=True, slots=True)
class RoomScope:
    """Which roles and conditions open a room.

    slug: the room's stable name inside the house; never shown in Matrix, because it may hold a condition.
    members: for personal kinds, who is admitted besides the house.  service: whose care room hears of it.
    """

    room_id: RoomId
    slug: str
    kind: RoomKind
    name: str
    roles: frozenset[Role] = frozenset()
    conditions: frozenset[Condition] = frozenset()
    members: frozenset[UserId] = field(default_factory=frozenset)
    service: str | None = None

    @property
    def rules(self) -> KindRules:
        """Return what holds for this kind of room."""
        return ROOM_KINDS[self.kind]
