"""Something decided to be done, saved with the decision, done once by the process that owns its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from keyhouse.core.ids import OutgoingId

RETRY_STEPS = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))


class Worker(StrEnum):
    """The processes that do Outgoing rows; one of each at a time holds the lease."""

    RISK_MONITOR = "risk_monitor"
    ROOM_GATEKEEPER = "room_gatekeeper"
    BOOKING = "booking"
    CARETAKER = "caretaker"


class OutgoingKind(StrEnum):
    """What is to be done."""

    DESK_ROOM = "desk_room"
    INVITATION = "invitation"
    REMOVAL = "removal"
    GREETING = "greeting"
    DESK_MESSAGE = "desk_message"
    SIGNPOSTING = "signposting"
    CARE_CARD = "care_card"
    CARD_EDIT = "card_edit"
    CARE_MESSAGE = "care_message"


@dataclass(frozen=True, slots=True)
class NewOutgoing:
    """A decision to be saved.

    once: the key under which a second, equal decision is dropped.  content: JSON values only; sealed at rest and
    wiped when done, because it may hold somebody's words.
    """

    kind: OutgoingKind
    worker: Worker
    once: str
    content: Mapping[str, object]
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A saved decision. txn_id: sent with every try, so that Matrix makes retries one event."""

    id: OutgoingId
    kind: OutgoingKind
    worker: Worker
    once: str
    content: Mapping[str, object]
    due_at: datetime
    created_at: datetime
    txn_id: str
    tries: int


def next_try(tries: int, now: datetime, retry_after: timedelta | None = None) -> datetime:
    """Say when to try again after this many tries; the server's own wish counts when it gave one."""
    return now + (retry_after or RETRY_STEPS[min(tries, len(RETRY_STEPS) - 1)])
