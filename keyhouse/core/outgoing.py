"""Something decided to be done, saved with the decision, done once by the process that owns its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from keyhouse.core.ids import OutgoingId

RETRY_STEPS = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))

CLOCKS_MAY_DIFFER = timedelta(seconds=30)
"""Between two machines that share a database; `doctor` complains about more."""


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
    ANSWER = "answer"
    WRITE_AGAIN = "write_again"
    PROBE_CARD = "probe_card"
    ROOM_NOTICE = "room_notice"
    PAGE = "page"
    UNSENT = "unsent"
    REDACTION = "redaction"
    RULES_REMINDER = "rules_reminder"
    RENAME = "rename"
    ACCOUNT_CLOSING = "account_closing"
    REMINDER = "reminder"
    OFFER = "offer"
    OFFER_LAPSE = "offer_lapse"
    BOOKING_NOTICE = "booking_notice"
    THERAPIST_NOTICE = "therapist_notice"


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
    """A saved decision. txn_id: sent with every try, so that Matrix makes retries of one device one event."""

    id: OutgoingId
    kind: OutgoingKind
    worker: Worker
    once: str
    content: Mapping[str, object]
    due_at: datetime
    created_at: datetime
    txn_id: str
    tries: int


class Awaited(StrEnum):
    """What only a person can bring about, after weeks if need be. Whatever waits for it has not failed."""

    DEVICE = "device"
    SIGNED_DEVICE = "signed device"
    JOIN = "join"
    CLOSED_CASE = "closed case"


class Rank(IntEnum):
    """What goes first when more is due than can be done at once; the lowest number before the others."""

    DANGER = 0
    SOMEBODY_WAITS = 1
    LATER = 2


AWAY_STEPS = RETRY_STEPS[:2]
"""When the homeserver is away: soon again, because nobody else tells the team."""

DECIDED_ONCE = frozenset({OutgoingKind.GREETING, OutgoingKind.RULES_REMINDER, OutgoingKind.RENAME})
"""Kinds whose decision is remembered for ever. What else is done is forgotten in time.

A person is greeted once, and reminded of a version of the rules once; a name is given once.
"""

_RANK = {
    OutgoingKind.CARE_CARD: Rank.DANGER,
    OutgoingKind.CARE_MESSAGE: Rank.DANGER,
    OutgoingKind.SIGNPOSTING: Rank.DANGER,
    OutgoingKind.WRITE_AGAIN: Rank.DANGER,
    OutgoingKind.PAGE: Rank.DANGER,
    # Whoever could not be heard may be in distress: the desk answers at once.
    OutgoingKind.UNSENT: Rank.DANGER,
    # It shows how soon a card would come, so it goes as a card goes.
    OutgoingKind.PROBE_CARD: Rank.DANGER,
    OutgoingKind.DESK_ROOM: Rank.SOMEBODY_WAITS,
    OutgoingKind.GREETING: Rank.SOMEBODY_WAITS,
    OutgoingKind.DESK_MESSAGE: Rank.SOMEBODY_WAITS,
    OutgoingKind.ANSWER: Rank.SOMEBODY_WAITS,
    OutgoingKind.REMOVAL: Rank.SOMEBODY_WAITS,
    OutgoingKind.REDACTION: Rank.SOMEBODY_WAITS,
    OutgoingKind.REMINDER: Rank.SOMEBODY_WAITS,
    OutgoingKind.OFFER: Rank.SOMEBODY_WAITS,
    OutgoingKind.BOOKING_NOTICE: Rank.SOMEBODY_WAITS,
}

_MOVES, _DESK, _CASE, _ROOM = ("moves", "person"), ("desk", "person"), ("case", "case"), ("room", "room_id")
_TOLD, _ACCOUNT, _SLOT = ("told", "subject"), ("account", "person"), ("slot", "slot")
_LANE = {
    OutgoingKind.DESK_ROOM: _MOVES,
    OutgoingKind.REMOVAL: _MOVES,
    OutgoingKind.INVITATION: _MOVES,
    OutgoingKind.GREETING: _DESK,
    OutgoingKind.DESK_MESSAGE: _DESK,
    OutgoingKind.SIGNPOSTING: _DESK,
    OutgoingKind.WRITE_AGAIN: _DESK,
    OutgoingKind.UNSENT: _DESK,
    OutgoingKind.RULES_REMINDER: _DESK,
    OutgoingKind.CARE_CARD: _CASE,
    OutgoingKind.CARD_EDIT: _CASE,
    OutgoingKind.CARE_MESSAGE: _CASE,
    OutgoingKind.ANSWER: _ROOM,
    OutgoingKind.ROOM_NOTICE: _ROOM,
    OutgoingKind.PAGE: _TOLD,
    OutgoingKind.RENAME: _ACCOUNT,
    OutgoingKind.ACCOUNT_CLOSING: _ACCOUNT,
    OutgoingKind.REMINDER: _DESK,
    OutgoingKind.BOOKING_NOTICE: _DESK,
    OutgoingKind.OFFER: _SLOT,
    OutgoingKind.OFFER_LAPSE: _SLOT,
}

# Who cannot be removed from one room yet must not be let into another: the two may exclude each other.
# "Well again" that comes before what was wrong sends somebody back to bed, and out of it again.
_HOLDS_UP = frozenset({OutgoingKind.REMOVAL, OutgoingKind.PAGE})


def lane_of(outgoing: NewOutgoing | Outgoing) -> str:
    """Name the lane of a decision: one lane's decisions are done one after the other, in the order they were made.

    A person's moves, a person's desk, a case, a room and what is paged of one part are lanes; the rest go alone.
    """
    name, key = _LANE.get(outgoing.kind, ("", ""))
    about = outgoing.content.get(key)
    return f"{name}:{about}" if about is not None else f"alone:{outgoing.once}"


def rank_of(kind: OutgoingKind) -> Rank:
    """Say how soon decisions of this kind must be done beside others that are due."""
    return _RANK.get(kind, Rank.LATER)


def holds_up(kind: OutgoingKind, *, nobody_can: bool) -> bool:
    """Say whether a decision that could not be done holds up the later ones of its lane.

    nobody_can: nothing in the lane can be done now, because the homeserver is away or asked for time; then the order
    is kept. Otherwise the fault is this decision's own, and help must not wait behind it.
    """
    return nobody_can or kind in _HOLDS_UP


def has_failed(fault: str) -> bool:
    """Say whether a decision that could not be done has failed; False while it only waits for a person.

    Waiting for something of the house's own (a card, a desk room) counts as failing: nobody else would tell.
    """
    return fault not in frozenset(Awaited)


def next_try(tries: int, now: datetime, retry_after: timedelta | None = None) -> datetime:
    """Say when to try again after this many tries; the server's own wish counts when it gave one."""
    return now + (retry_after or RETRY_STEPS[min(tries, len(RETRY_STEPS) - 1)])
