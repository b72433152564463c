"""New rules of the house → one reminder for everybody who agreed to older ones."""

from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction

AT_ONCE = 100
"""People in one transaction: other processes wait for its end."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What one transaction did. decided: new reminders.  next_after: where to go on; None when it was the last."""

    decided: int
    next_after: str | None


def remind(tx: Transaction, version: int, after: str, now: datetime) -> Portion:
    """Decide reminders for the next people, by user id, who agreed to an older version; each is reminded of it once."""
    people = tx.people.agreed_before(version, AT_ONCE, after)
    decided = sum(tx.outbox.add(_reminder(person, version, now), now) for person in people)
    return Portion(decided, people[-1] if len(people) == AT_ONCE else None)


def _reminder(person: UserId, version: int, now: datetime) -> NewOutgoing:
    once = f"rules_reminder:{version}:{person}"
    content: dict[str, object] = {"person": person, "version": version}
    return NewOutgoing(OutgoingKind.RULES_REMINDER, Worker.ROOM_GATEKEEPER, once, content, now)
