"""Picture → taken away again, and its author told why."""

from datetime import datetime

from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason

TAKEN_AWAY = "taken_away"
"""The key by which an UNSENT decision says that something was sent and is gone again."""


def take_away(tx: Transaction, room_id: RoomId, event_id: EventId, author: UserId, now: datetime) -> bool:
    """Decide that an event is redacted and its author told at the desk; False for what the house itself sent.

    The author is told once in a minute: an album is many events. Whoever has no desk reads it in the room.
    """
    person = tx.people.get(author)
    if person is not None and person.role is Role.SERVICE:
        return False
    tx.outbox.add(redaction(room_id, event_id, now, Reason.NOT_CARRIED), now)
    if person is not None and person.role in REFERRED_ROLES:
        told: dict[str, object] = {"person": author, "reason": Reason.NOT_CARRIED.value, TAKEN_AWAY: True}
        once = f"{TAKEN_AWAY}:{author}:{now:%Y%m%d%H%M}"
        tx.outbox.add(_for_concierge(OutgoingKind.UNSENT, once, told, now), now)
    return True


def redaction(room_id: RoomId, event_id: EventId, now: datetime, reason: Reason | None = None) -> NewOutgoing:
    """Return the decision that the concierge takes an event away. reason: told in the room; None: it was wished for."""
    what: dict[str, object] = {"room_id": room_id, "event_id": event_id, "reason": reason and reason.value}
    return _for_concierge(OutgoingKind.REDACTION, f"redaction:{event_id}", what, now)


def _for_concierge(kind: OutgoingKind, once: str, content: dict[str, object], now: datetime) -> NewOutgoing:
    return NewOutgoing(kind, Worker.ROOM_GATEKEEPER, once, content, now)
