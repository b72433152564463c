"""What a bot is handed: one frozen object per thing that happened in a room, in the room's order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Message:
    """Somebody else's event of any type that is not listed below: text, caption, sticker, poll, edit, unknown kinds.

    content: as it was sent. Inside an encrypted event nobody checked it: any field may be of any type.
    sender_device_signed: whether the sender's device is signed by its owner; None if the event was not
    encrypted, or if the device is not among the sender's (any more).
    """

    room_id: str
    event_id: str
    sender: str
    sent_at: datetime
    type: str
    content: Mapping[str, Any]
    encrypted: bool
    sender_device_signed: bool | None


@dataclass(frozen=True)
class Reaction:
    """A reaction of somebody else; the key is mostly an emoji, but may be any text."""

    room_id: str
    event_id: str
    sender: str
    target: str
    key: str
    sent_at: datetime


@dataclass(frozen=True)
class Redaction:
    """Somebody else took an event's content away."""

    room_id: str
    event_id: str
    sender: str
    target: str
    sent_at: datetime


@dataclass(frozen=True)
class Deleted:
    """Somebody's message that had been taken away before this bot heard of it. by: who took it away."""

    room_id: str
    event_id: str
    sender: str
    by: str


@dataclass(frozen=True)
class MemberChanged:
    """Somebody's membership changed; also the bot's own.

    previous: the membership before, None if there was none or it is not told.
    event_id: made up for an invitation of the bot itself, which has none yet.
    """

    room_id: str
    user_id: str
    membership: str
    sender: str
    previous: str | None
    event_id: str


@dataclass(frozen=True)
class Undecryptable:
    """An event that could not be read. If its room key comes later, the same event follows as a Message."""

    room_id: str
    event_id: str
    sender: str
    session_id: str | None
    reason: str


@dataclass(frozen=True)
class Malformed:
    """An event that breaks the rules of its type, so that nothing can be said about its content."""

    room_id: str
    event_id: str
    sender: str
    type: str


Received = Message | Reaction | Redaction | Deleted | MemberChanged | Undecryptable | Malformed


class Handler(Protocol):
    """What a bot does with what it is handed."""

    async def received(self, event: Received) -> None:
        """Handle one event. It may come again after a crash: what it leads to is decided with Ledger.decide.

        A raised exception leads to could_not_handle; while the database is away, to another try.
        """

    async def could_not_handle(self, event: Received) -> None:
        """Raise an alarm about an event that received() failed on. If this raises too, the bot stops."""

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Raise the alarm, with Ledger.alarm, about an event whose room key did not come in time, or never will."""
