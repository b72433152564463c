"""Message → a private word at the author's desk."""

from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.core.nudging import earlier_keys, once_for
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES
from keyhouse.core.ports import Transaction


def nudge(tx: Transaction, person: UserId, name: str, now: datetime) -> bool:
    """Decide on a private word; False when this person heard it within the cool-down, or is of the team.

    name: which word; the watcher knows its wording. Nothing of the message is kept.
    """
    author = tx.people.get(person)
    if author is None or author.role not in REFERRED_ROLES:
        return False
    if any(tx.outbox.known(key) for key in earlier_keys(name, person, now)):
        return False
    content = {"person": person, "nudge": name}
    return tx.outbox.add(
        NewOutgoing(OutgoingKind.DESK_MESSAGE, Worker.RISK_MONITOR, once_for(name, person, now), content, now), now
    )
