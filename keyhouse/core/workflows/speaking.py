"""What follows when a message did not go out: its author is told at the desk."""

from datetime import UTC, datetime, timedelta

from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES, PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason

TOLD_AGAIN_AFTER = timedelta(minutes=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def unsent_once(person: UserId, reason: Reason, now: datetime) -> str:
    """Name what is told once a minute: to this person, for this reason."""
    return f"unsent:{person}:{reason.value}:{(now - _EPOCH) // TOLD_AGAIN_AFTER}"


def tell_unsent(tx: Transaction, person: UserId, reason: Reason, now: datetime) -> bool:
    """Decide to tell somebody at the desk that their message did not go out; nothing of the message is kept.

    False when they were told of the same reason in this minute, or have no desk: the team, the house, who has left.
    """
    author = tx.people.get(person)
    if author is None or author.role not in REFERRED_ROLES or author.state is PersonState.CLOSED:
        return False
    content = {"person": person, "reason": reason.value}
    once = unsent_once(person, reason, now)
    return tx.outbox.add(NewOutgoing(OutgoingKind.UNSENT, Worker.ROOM_GATEKEEPER, once, content, now), now)
