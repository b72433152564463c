"""What became of a session: kept, or missed, which is met with care and never with a ban."""

from datetime import datetime

from keyhouse.core.alerts import Alert
from keyhouse.core.booking import Booking, BookingState, may_settle, settled
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.cases import may_act
from keyhouse.core.ids import EventId, RoomId, SlotNumber, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import booking_notices
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.core.workflows.booking_notices import About

MISSED_SESSIONS = "missed_sessions"
"""Category of the gentle case."""

MISSED_BEFORE_A_CASE = 2
_SAYS_THE_HOUSE = "(Nobody wrote this. A second booked session in a short time was missed; a kind word may help.)"
_AT_ONCE = 100


def mark_missed(
    tx: Transaction, number: SlotNumber, by: UserId, rules: BookingRules, now: datetime
) -> Booking | Refused:
    """Keep that nobody came. The person is told that they were missed; the second time the team gets a gentle case."""
    found = _begun(tx, number, by, now)
    if isinstance(found, Refused) or found.state is BookingState.MISSED:
        return found
    missed = settled(found, BookingState.MISSED, now)
    tx.bookings.keep([missed])
    tx.outbox.add(booking_notices.to_person(missed, About.MISSED, now), now)
    if tx.bookings.missed_since(missed.person, now - rules.missed_within) >= MISSED_BEFORE_A_CASE:
        raise_alert(tx, _gentle(tx, missed, now), _SAYS_THE_HOUSE, now)
    _note(tx, missed, by, now)
    return missed


def mark_kept(tx: Transaction, number: SlotNumber, by: UserId, now: datetime) -> Booking | Refused:
    """Keep that the session took place; what was marked as missed by mistake is put right by it."""
    found = _begun(tx, number, by, now)
    if isinstance(found, Refused) or found.state is BookingState.KEPT:
        return found
    kept = settled(found, BookingState.KEPT, now)
    tx.bookings.keep([kept])
    _note(tx, kept, by, now)
    return kept


def keep_what_is_over(tx: Transaction, rules: BookingRules, now: datetime, limit: int = _AT_ONCE) -> int:
    """Keep as kept what is long over and about which nobody said anything; return how many, at most the limit."""
    over = tx.bookings.unsettled(now - rules.kept_after, limit)
    tx.bookings.keep([settled(booking, BookingState.KEPT, now) for booking in over])
    return len(over)


def _begun(tx: Transaction, number: SlotNumber, by: UserId, now: datetime) -> Booking | Refused:
    """Find the booking of a slot whose session has begun, and hold its person and the slot."""
    verdict = may_act(tx.people.get(by))
    if isinstance(verdict, Refused):
        return verdict
    before = tx.bookings.of_slot(number)
    if before is not None:
        tx.people.get(before.person)
    tx.slots.get(number)
    booking = tx.bookings.of_slot(number)
    verdict = may_settle(booking, now)
    if booking is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.SLOT_NOT_BOOKED)
    return booking


def _gentle(tx: Transaction, booking: Booking, now: datetime) -> Alert:
    desk = tx.rooms.desk_of(booking.person)
    return Alert(
        # No message lies behind it, so nothing may look like a link to one.
        event_id=EventId(f"missed-session-{booking.number}"),
        room_id=desk.room_id if desk else RoomId(""),
        author=booking.person,
        urgency=Urgency.WATCH,
        category=MISSED_SESSIONS,
        rules=("missed_twice",),
        raised_at=now,
    )


def _note(tx: Transaction, booking: Booking, by: UserId, now: datetime) -> None:
    detail: dict[str, str | int] = {"booking": booking.number, "slot": booking.slot}
    tx.audit.append(f"booking.{booking.state.value}", actor=by, detail=detail, now=now)
