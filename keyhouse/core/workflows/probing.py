"""The probe's message → a card that the probe can see, by the way that every alert goes, and no case."""

from datetime import datetime

from keyhouse.core.alerts import Alert
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.core.probing import PROBE_ROOM
from keyhouse.core.urgency import Urgency

_ONCE = "probe"


def answer_probe(tx: Transaction, alert: Alert, words: str, now: datetime) -> bool:
    """Decide the card that answers the probe; say whether there is one.

    Only what was read and judged urgent, in the probe's own room, is answered: anything less must stay unanswered, so
    that it is noticed. One row serves for ever; while the last card waits to be sent, no second one is decided.
    """
    here = tx.rooms.get(alert.room_id)
    if alert.urgency is not Urgency.URGENT or here is None or here.slug != PROBE_ROOM:
        return False
    card = NewOutgoing(OutgoingKind.PROBE_CARD, Worker.RISK_MONITOR, _ONCE, {"words": words}, now)
    return tx.outbox.add_again(card, now)
