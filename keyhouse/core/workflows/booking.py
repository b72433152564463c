"""Book a session, move it, give it back; see what is open and what is one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.booking import (
    Booking,
    BookingState,
    Wanted,
    cancelled,
    is_late,
    may_book,
    may_give_back,
    moved,
)
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import BookingNumber, EventId, SlotNumber, UserId
from keyhouse.core.people import held
from keyhouse.core.ports import Transaction
from keyhouse.core.reminders import Reminder, ReminderMoment, find_reminder
from keyhouse.core.slots import ANY_TIME, Preference, Slot, SlotSearch
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.waiting_list import OfferOutcome
from keyhouse.core.workflows import booking_notices
from keyhouse.core.workflows.booking_notices import About
from keyhouse.core.workflows.booking_offers import find_booker, find_wanted, free, leave

PAGE = 8


@dataclass(frozen=True, slots=True)
class Asked:
    """Which open slots somebody asks for. starts_before: UTC; None is any time.  after: the last one shown before."""

    preference: Preference = ANY_TIME
    starts_after: datetime | None = None
    starts_before: datetime | None = None
    therapist: UserId | None = None
    after: Slot | None = None


def open_slots(tx: Transaction, user_id: UserId, asked: Asked, now: datetime, limit: int = PAGE) -> Sequence[Slot]:
    """Return the next open slots that the person's keys open, also one held for them; empty means there is none."""
    search = SlotSearch(
        user_id,
        held(tx.people.keys(user_id), now),
        asked.starts_after or now,
        asked.starts_before,
        asked.preference,
        asked.therapist,
        asked.after,
    )
    return tx.slots.open_for(search, limit, now)


def new_times(tx: Transaction, booking: Booking, now: datetime, limit: int = 3) -> Sequence[Slot]:
    """Return what to offer somebody who lost this session: the same therapist's next open slots, then anybody's."""
    lost = tx.slots.get(booking.slot)
    therapist = lost.therapist if lost else None
    same = open_slots(tx, booking.person, Asked(therapist=therapist), now, limit)
    known = {slot.number for slot in same}
    others = open_slots(tx, booking.person, Asked(), now, limit) if len(same) < limit else []
    return [*same, *(slot for slot in others if slot.number not in known)][:limit]


def mine(tx: Transaction, user_id: UserId, now: datetime) -> Sequence[Booking]:
    """Return the person's booked sessions that are not over, in the order of time."""
    return tx.bookings.upcoming(user_id, now)


def book(
    tx: Transaction, user_id: UserId, number: SlotNumber, event_id: EventId, rules: BookingRules, now: datetime
) -> Booking | Refused:
    """Give somebody a slot. event_id: the message that asked for it; the same one again answers the same booking."""
    booker = find_booker(tx, user_id, now)
    again = _done_before(tx, user_id, event_id)
    if again is not None:
        return again
    wanted = find_wanted(tx, number)
    verdict = may_book(wanted, booker, rules, now)
    if wanted.slot is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.SLOT_UNKNOWN)
    slot = wanted.slot
    new = Booking(
        BookingNumber(0), slot.number, user_id, BookingState.BOOKED, slot.starts_at, slot.ends_at, booked_at=now
    )
    booking = tx.bookings.add(new, event_id)
    _follow(tx, booking, wanted, now)
    _note(tx, "booking.made", user_id, booking, now)
    return booking


def move(
    tx: Transaction,
    user_id: UserId,
    numbers: tuple[SlotNumber, SlotNumber],
    event_id: EventId,
    rules: BookingRules,
    now: datetime,
) -> Booking | Refused:
    """Move somebody's booking from the first slot to the second; refused, the first one stays theirs.

    Inside the cut-off too: it is then marked as late, and the therapist is told.
    """
    booker = find_booker(tx, user_id, now)
    again = _done_before(tx, user_id, event_id)
    if again is not None:
        return again
    slots = {slot.number: slot for slot in tx.slots.held(numbers)}
    booking = tx.bookings.of_slot(numbers[0])
    verdict = may_give_back(booking, user_id, now)
    if booking is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.BOOKING_UNKNOWN)
    wanted = find_wanted(tx, numbers[1])
    verdict = may_book(wanted, booker, rules, now, instead_of=booking)
    if wanted.slot is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.SLOT_UNKNOWN)
    late = is_late(booking, rules, now)
    changed = moved(booking, wanted.slot, late=late)
    tx.bookings.keep([changed])
    tx.bookings.note_event(event_id, changed.number)
    _follow(tx, changed, wanted, now)
    _freed(tx, slots[numbers[0]], changed, About.LATE_MOVE if late else None, rules, now)
    _note(tx, "booking.moved", user_id, changed, now)
    return changed


def cancel(
    tx: Transaction, user_id: UserId, number: SlotNumber, event_id: EventId, rules: BookingRules, now: datetime
) -> Booking | Refused:
    """Give somebody's session back; inside the cut-off it is marked as late, and the therapist is told."""
    tx.people.get(user_id)
    again = _done_before(tx, user_id, event_id)
    if again is not None:
        return again
    ended = _give_back(tx, user_id, number, rules, now)
    if isinstance(ended, Booking):
        tx.bookings.note_event(event_id, ended.number)
        _note(tx, "booking.cancelled", user_id, ended, now)
    return ended


def give_back_all(tx: Transaction, user_id: UserId, rules: BookingRules, now: datetime) -> int:
    """Give back every session that has not begun, and leave the waiting list: somebody leaves. Return how many."""
    tx.people.get(user_id)
    bookings, offer = tx.bookings.upcoming(user_id, now), tx.waiting_list.open_offer_to(user_id)
    # All at once, because of the order in which slots are held.
    tx.slots.held({*(booking.slot for booking in bookings), *([offer.slot] if offer else [])})
    leave(tx, user_id, rules, now)
    outcomes = [_give_back(tx, user_id, booking.slot, rules, now) for booking in bookings]
    ended = [outcome for outcome in outcomes if isinstance(outcome, Booking)]
    # The chain comes last: nobody else gets past it until the end.
    for one in ended:
        _note(tx, "booking.cancelled", user_id, one, now)
    return len(ended)


def reminder_to_tell(
    tx: Transaction, number: BookingNumber, sequence: int, moment: ReminderMoment, now: datetime
) -> Reminder | None:
    """Return what a reminder that is due says now; None drops it, because it is no longer so, or too late."""
    return find_reminder(tx.bookings.get(number), sequence, moment, now)


def _done_before(tx: Transaction, user_id: UserId, event_id: EventId) -> Booking | Refused | None:
    """Find what this message did before; somebody else's message does nothing."""
    booking = tx.bookings.by_event(event_id)
    if booking is None or booking.person == user_id:
        return booking
    return Refused(Reason.BOOKING_UNKNOWN)


def _give_back(
    tx: Transaction, user_id: UserId, number: SlotNumber, rules: BookingRules, now: datetime
) -> Booking | Refused:
    slot = tx.slots.get(number)
    booking = tx.bookings.of_slot(number)
    verdict = may_give_back(booking, user_id, now)
    if slot is None or booking is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.BOOKING_UNKNOWN)
    late = is_late(booking, rules, now)
    ended = cancelled(booking, now, late=late)
    tx.bookings.keep([ended])
    _freed(tx, slot, ended, About.LATE_CANCEL if late else None, rules, now)
    return ended


def _follow(tx: Transaction, booking: Booking, wanted: Wanted, now: datetime) -> None:
    """Do what follows when a slot is taken: reminders, the end of its offer, and of the waiting for one like it."""
    if wanted.offer is not None:
        taken = wanted.offer.person == booking.person
        outcome = OfferOutcome.TAKEN if taken else OfferOutcome.LAPSED
        tx.waiting_list.end_offers([booking.slot], outcome, now)
    waiting = tx.waiting_list.get(booking.person)
    if waiting is not None and wanted.slot is not None and waiting.preference.fits(wanted.slot):
        tx.waiting_list.leave(booking.person)
    tx.outbox.add_all(booking_notices.reminders(booking, now), now)


def _freed(
    tx: Transaction, slot: Slot, booking: Booking, tell: About | None, rules: BookingRules, now: datetime
) -> None:
    if tell is not None:
        tx.outbox.add(booking_notices.to_therapist(slot, booking, tell, now), now)
    free(tx, slot, booking.person, rules, now)


def _note(tx: Transaction, action: str, user_id: UserId, booking: Booking, now: datetime) -> None:
    detail: dict[str, str | int] = {"booking": booking.number, "slot": booking.slot, "late": int(booking.late)}
    tx.audit.append(action, actor=user_id, detail=detail, now=now)
