"""What the bot knows of its rooms, from the stream of events and from asking who is in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Room:
    """One room that the bot is in.

    encryption: the content of m.room.encryption; None as long as the room is not known to be encrypted.
    told: about whom the stream has spoken, which is newer than any answer about who is in the room; None once such an
    answer was learnt.
    """

    joined: set[str] = field(default_factory=set)
    encryption: Mapping[str, Any] | None = None
    told: set[str] | None = field(default_factory=set)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Learn from one state event; other events and malformed ones change nothing."""
        content, state_key = event.get("content"), event.get("state_key")
        if not isinstance(content, dict) or not isinstance(state_key, str):
            return
        if event.get("type") == "m.room.member":
            change = self.joined.add if content.get("membership") == "join" else self.joined.discard
            change(state_key)
            if self.told is not None:
                self.told.add(state_key)
        # Encryption is never taken back: an emptied event does not make the room a plain one.
        if event.get("type") == "m.room.encryption" and state_key == "":
            self.encryption = content

    def found(self, user_ids: Iterable[str]) -> None:
        """Learn who is in the room from an answer; nothing changes for those about whom the stream has spoken."""
        self.joined.update(set(user_ids) - (self.told or set()))
        self.told = None


class Rooms:
    """The rooms that the bot is in, by id."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}
        self._left: set[str] = set()

    def __getitem__(self, room_id: str) -> Room:
        return self._rooms.setdefault(room_id, Room())

    def get(self, room_id: str) -> Room | None:
        """The room; None if the bot is not known to be in it."""
        return self._rooms.get(room_id)

    def found(self, room_ids: Iterable[str]) -> None:
        """Learn the bot's rooms from an answer; one that the stream says was left stays left."""
        for room_id in set(room_ids) - self._left:
            self._rooms.setdefault(room_id, Room())

    def enter(self, room_ids: Iterable[str]) -> bool:
        """Learn from the stream that the bot is in these rooms; say whether one of them is new."""
        new = [room_id for room_id in room_ids if room_id not in self._rooms]
        for room_id in new:
            self._left.discard(room_id)
            self._rooms[room_id] = Room()
        return bool(new)

    def leave(self, room_id: str) -> None:
        """Forget a room that the bot is no longer in."""
        self._rooms.pop(room_id, None)
        self._left.add(room_id)

    def ids(self) -> list[str]:
        """The ids of all rooms that the bot is in."""
        return sorted(self._rooms)
