"""Who has which slot."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal_column, or_, select, update

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.calendars import Shown
from keyhouse.core.ids import BookingNumber, EventId, SlotNumber, UserId
from keyhouse.core.slots import LONGEST
from keyhouse.core.utilisation import Outcomes, TherapistWeek, Utilisation
from keyhouse.storage.tables import booking, booking_event, slot
from keyhouse.storage.work import Work

# Spelt out, not bound: SQLite takes an index of a part of the rows only when the statement itself names that part.
NOT_CANCELLED = booking.c.state != literal_column("'cancelled'")
BOOKED = booking.c.state == literal_column("'booked'")
_KEPT = booking.c.state == literal_column("'kept'")
_MISSED = booking.c.state == literal_column("'missed'")


class SqlBookings:
    """Keeps bookings in the table `booking`, and the events that changed them in `booking_event`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, number: BookingNumber) -> Booking | None:
        """Find a booking by its number."""
        row = self._work.one(select(booking).where(booking.c.number == number))
        return as_booking(row._mapping) if row else None

    def of_slot(self, slot: SlotNumber) -> Booking | None:
        """Find the slot's booking that is not cancelled."""
        return next(iter(self._all(select(booking).where(booking.c.slot == slot, NOT_CANCELLED))), None)

    def of_slots(self, slots: Collection[SlotNumber]) -> Sequence[Booking]:
        """The bookings of these slots that are booked, in the order of time."""
        theirs = (booking.c.slot.in_(sorted(slots)), NOT_CANCELLED, BOOKED)
        return self._all(select(booking).where(*theirs).order_by(booking.c.starts_at, booking.c.number))

    def by_event(self, event_id: EventId) -> Booking | None:
        """Find the booking that this event made, moved or cancelled."""
        joined = select(booking).join(booking_event, booking_event.c.booking == booking.c.number)
        return next(iter(self._all(joined.where(booking_event.c.event_id == event_id))), None)

    def upcoming(self, person: UserId, now: datetime) -> Sequence[Booking]:
        """The person's booked sessions that are not over, in the order of time."""
        theirs = (booking.c.person == person, BOOKED, booking.c.ends_at > now)
        return self._all(select(booking).where(*theirs).order_by(booking.c.starts_at))

    def missed_since(self, person: UserId, since: datetime) -> int:
        """How many sessions that began after this moment the person missed."""
        theirs = (booking.c.person == person, _MISSED, booking.c.starts_at > since)
        return int(self._work.scalar(select(func.count()).select_from(booking).where(*theirs)))

    def unsettled(self, ended_before: datetime, limit: int) -> Sequence[Booking]:
        """Booked sessions that ended before this moment, oldest first."""
        query = select(booking).where(BOOKED, booking.c.ends_at < ended_before)
        return self._all(query.order_by(booking.c.ends_at).limit(limit))

    def add(self, new: Booking, event_id: EventId | None) -> Booking:
        """Keep a new booking; its number is given here."""
        number = self._work.added(booking.insert().values(**_values(new)).returning(booking.c.number))
        if event_id is not None:
            self.note_event(event_id, BookingNumber(number))
        return as_booking({**_values(new), "number": number})

    def note_event(self, event_id: EventId, number: BookingNumber) -> None:
        """Keep that this event moved or cancelled the booking."""
        self._work.change(booking_event.insert().values(event_id=event_id, booking=number))

    def keep(self, bookings: Sequence[Booking]) -> None:
        """Keep these bookings as they are now."""
        its_row = booking.c.number == bindparam("its_number")
        rows = [{**_values(changed), "its_number": changed.number} for changed in bookings]
        self._work.change(update(booking).where(its_row), rows)

    def listed(self, *, limit: int, before: Booking | None = None) -> Sequence[Booking]:
        """All bookings, the last to come first."""
        query = select(booking).order_by(booking.c.starts_at.desc(), booking.c.number.desc()).limit(limit)
        if before is None:
            return self._all(query)
        at_once = and_(booking.c.starts_at == before.starts_at, booking.c.number < before.number)
        earlier = or_(booking.c.starts_at < before.starts_at, at_once)
        return self._all(query.where(booking.c.starts_at <= before.starts_at, earlier))

    def of_person(self, person: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What somebody booked, as far as calendars show it, in the order of time."""
        query = select(booking).where(booking.c.person == person, *_in_calendar(shown))
        return self._all(query.order_by(booking.c.starts_at, booking.c.number).limit(limit))

    def with_therapist(self, therapist: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What was booked with somebody, as far as calendars show it, in the order of time."""
        its = (slot.c.therapist == therapist, slot.c.starts_at > shown.ends_after - LONGEST)
        query = select(booking).join(slot, slot.c.number == booking.c.slot)
        query = query.where(*its, slot.c.starts_at < shown.starts_before, *_in_calendar(shown))
        return self._all(query.order_by(booking.c.starts_at, booking.c.number).limit(limit))

    def used(self, starts_from: datetime, starts_before: datetime) -> Sequence[TherapistWeek]:
        """What became of the slots that begin in this time, by therapist, in one query."""
        late = and_(~NOT_CANCELLED, booking.c.late)
        # Looked up first: SQLite would rather walk through every slot of each therapist than sort a week's.
        within = (slot.c.starts_at >= starts_from, slot.c.starts_at < starts_before)
        week = select(slot.c.therapist, slot.c.number, slot.c.withdrawn_at).where(*within).cte("week")
        week = week.prefix_with("MATERIALIZED")
        counts = (
            func.count(case((week.c.withdrawn_at.is_(None), week.c.number)).distinct()),
            *(func.count(case((which, booking.c.number))) for which in (NOT_CANCELLED, _KEPT, _MISSED, late)),
            func.count(case((or_(NOT_CANCELLED, late), booking.c.person)).distinct()),
        )
        with_bookings = week.outerjoin(booking, booking.c.slot == week.c.number)
        query = select(week.c.therapist, *counts).select_from(with_bookings)
        rows = self._work.all(query.group_by(week.c.therapist).order_by(week.c.therapist))
        return [_week(*tuple(row)) for row in rows]

    def _all(self, query: Select[Any]) -> list[Booking]:
        return [as_booking(row._mapping) for row in self._work.all(query)]


def as_booking(columns: Mapping[Any, Any], prefix: str = "") -> Booking:
    """Read a booking from the columns of a row; prefix: before the name of each."""
    return Booking(
        number=BookingNumber(columns[f"{prefix}number"]),
        slot=SlotNumber(columns[f"{prefix}slot"]),
        person=UserId(columns[f"{prefix}person"]),
        state=BookingState(columns[f"{prefix}state"]),
        starts_at=columns[f"{prefix}starts_at"],
        ends_at=columns[f"{prefix}ends_at"],
        booked_at=columns[f"{prefix}booked_at"],
        sequence=columns[f"{prefix}sequence"],
        late=columns[f"{prefix}late"],
        ended_at=columns[f"{prefix}ended_at"],
    )


def _in_calendar(shown: Shown) -> tuple[ColumnElement[bool], ...]:
    stays = or_(NOT_CANCELLED, booking.c.ended_at > shown.cancelled_after)
    return booking.c.ends_at > shown.ends_after, booking.c.starts_at < shown.starts_before, stays


def _week(therapist: str, offered: int, booked: int, kept: int, missed: int, late: int, people: int) -> TherapistWeek:
    return TherapistWeek(UserId(therapist), Utilisation(offered, booked, Outcomes(kept, missed, late), people))


def _values(of: Booking) -> dict[str, Any]:
    return {
        "slot": of.slot,
        "person": of.person,
        "state": of.state.value,
        "starts_at": of.starts_at,
        "ends_at": of.ends_at,
        "booked_at": of.booked_at,
        "sequence": of.sequence,
        "late": of.late,
        "ended_at": of.ended_at,
    }
