"""One person has one slot: who may book which, and what giving it back means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import BookingNumber, Condition, SlotNumber, UserId
from keyhouse.core.people import REFERRED_ROLES, Person, PersonState
from keyhouse.core.slots import Slot
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.waiting_list import Offer


class BookingState(StrEnum):
    """booked → kept, cancelled, or missed."""

    BOOKED = "booked"
    KEPT = "kept"
    CANCELLED = "cancelled"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Booking:
    """number: stable, also when it is moved.  starts_at, ends_at: of its slot, UTC.

    sequence: one more at every move and at the cancellation, as calendars count.  late: it was given back, or moved
    away, inside the cut-off.  ended_at: when it was kept, cancelled or missed; None while it is booked.
    """

    number: BookingNumber
    slot: SlotNumber
    person: UserId
    state: BookingState
    starts_at: datetime
    ends_at: datetime
    booked_at: datetime
    sequence: int = 0
    late: bool = False
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Booker:
    """Who wants a slot. conditions: of the keys that open now.  upcoming: booked sessions that are not over."""

    person: Person | None
    conditions: frozenset[Condition]
    upcoming: Sequence[Booking]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants. slot: None when there is none of this number.  booking: the slot's, if it has one.

    offer: the slot's open one.
    """

    slot: Slot | None
    booking: Booking | None
    offer: Offer | None


def may_book(
    wanted: Wanted, booker: Booker, rules: BookingRules, now: datetime, instead_of: Booking | None = None
) -> Verdict:
    """Decide whether this person may book this slot. instead_of: the booking that would be given up for it.

    Pausing does not cut therapy and is not asked. A slot that the person's keys do not open is as unknown as one that
    is not there: its number must tell nothing.
    """
    if booker.person is None or booker.person.state is PersonState.CLOSED:
        return Refused(Reason.PERSON_CLOSED if booker.person else Reason.UNKNOWN_PERSON)
    if booker.person.role not in REFERRED_ROLES:
        return Refused(Reason.ROLE_NOT_BOOKED)
    slot = wanted.slot
    if slot is None or not (slot.conditions & booker.conditions):
        return Refused(Reason.SLOT_UNKNOWN)
    verdict = _is_free(slot, wanted, booker.person.user_id, now)
    return verdict if isinstance(verdict, Refused) else _has_room(slot, booker, rules, instead_of)


def _is_free(slot: Slot, wanted: Wanted, person: UserId, now: datetime) -> Verdict:
    if slot.withdrawn_at is not None:
        return Refused(Reason.SLOT_WITHDRAWN)
    if now >= slot.starts_at:
        return Refused(Reason.SLOT_OVER)
    if wanted.booking is not None:
        return Refused(Reason.SLOT_YOURS if wanted.booking.person == person else Reason.SLOT_TAKEN)
    if wanted.offer is not None and wanted.offer.person != person and wanted.offer.holds(now):
        return Refused(Reason.SLOT_HELD)
    return Allowed()


def _has_room(slot: Slot, booker: Booker, rules: BookingRules, instead_of: Booking | None) -> Verdict:
    given_up = instead_of.number if instead_of else None
    others = [booking for booking in booker.upcoming if booking.number != given_up]
    if len(others) >= rules.open_at_most:
        return Refused(Reason.BOOKINGS_FULL)
    overlap = any(other.starts_at < slot.ends_at and slot.starts_at < other.ends_at for other in others)
    return Refused(Reason.BOOKING_OVERLAPS) if overlap else Allowed()


def may_give_back(booking: Booking | None, person: UserId, now: datetime) -> Verdict:
    """Decide whether this person may cancel or move this booking; inside the cut-off too, it is then late.

    Somebody else's booking is as unknown as one that is not there.
    """
    if booking is None or booking.person != person or booking.state is not BookingState.BOOKED:
        return Refused(Reason.BOOKING_UNKNOWN)
    return Refused(Reason.BOOKING_BEGUN) if now >= booking.starts_at else Allowed()


def is_late(booking: Booking, rules: BookingRules, now: datetime) -> bool:
    """Say whether giving the session back now is inside the cut-off; exactly at the cut-off it is not."""
    return booking.starts_at - now < rules.cancel_before


def may_settle(booking: Booking | None, now: datetime) -> Verdict:
    """Decide whether it may be said that a session was kept or missed: from its start on."""
    if booking is None or booking.state is BookingState.CANCELLED:
        return Refused(Reason.SLOT_NOT_BOOKED)
    return Refused(Reason.BOOKING_NOT_BEGUN) if now < booking.starts_at else Allowed()


def moved(booking: Booking, to: Slot, *, late: bool) -> Booking:
    """Return the same booking at another slot."""
    there = replace(booking, slot=to.number, starts_at=to.starts_at, ends_at=to.ends_at)
    return replace(there, sequence=booking.sequence + 1, late=booking.late or late)


def cancelled(booking: Booking, now: datetime, *, late: bool = False) -> Booking:
    """Return the booking as given back."""
    ended = replace(booking, state=BookingState.CANCELLED, ended_at=now)
    return replace(ended, sequence=booking.sequence + 1, late=booking.late or late)


def settled(booking: Booking, state: BookingState, now: datetime) -> Booking:
    """Return the booking as kept or missed."""
    return replace(booking, state=state, ended_at=now)
