"""An event that a bot received: kept before it is handled, so that no crash loses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyhouse.core.ids import EventId, RoomId

GIVE_UP_AFTER = 3
"""An event that was alone at work when the process died, this often, is set aside, so that the rest flows."""


@dataclass(frozen=True, slots=True)
class NewIncoming:
    """A raw event of the stream, as the homeserver sent it: still encrypted in encrypted rooms."""

    room_id: RoomId
    event_id: EventId
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A kept event. place: its number in the order of receipt.  tries: how often a start found it unfinished.

    unread_since: None when it was readable, or was not looked at yet.
    """

    place: int
    room_id: RoomId
    event_id: EventId
    raw: Mapping[str, Any]
    received_at: datetime
    tries: int
    unread_since: datetime | None
