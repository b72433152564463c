"""What the bot knows of its rooms from the stream of events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Room:
    """One room that the bot is in.

    encryption: the content of m.room.encryption; None as long as the room is not known to be encrypted.
    """

    joined: set[str] = field(default_factory=set)
    encryption: Mapping[str, Any] | None = None

    def apply(self, event: Mapping[str, Any]) -> None:
        """Learn from one state event; other events and malformed ones change nothing."""
        content, state_key = event.get("content"), event.get("state_key")
        if not isinstance(content, dict) or not isinstance(state_key, str):
            return
        if event.get("type") == "m.room.member":
            change = self.joined.add if content.get("membership") == "join" else self.joined.discard
            change(state_key)
        # Encryption is never taken back: an emptied event does not make the room a plain one.
        if event.get("type") == "m.room.encryption" and state_key == "":
            self.encryption = content


class Rooms:
    """The rooms that the bot is in, by id."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def __getitem__(self, room_id: str) -> Room:
        return self._rooms.setdefault(room_id, Room())

    def get(self, room_id: str) -> Room | None:
        """The room; None if the bot is not known to be in it."""
        return self._rooms.get(room_id)

    def leave(self, room_id: str) -> None:
        """Forget a room that the bot is no longer in."""
        self._rooms.pop(room_id, None)

    def ids(self) -> list[str]:
        """The ids of all rooms that the bot is in."""
        return sorted(self._rooms)
