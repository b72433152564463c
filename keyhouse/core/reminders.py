"""When somebody is reminded of a session, and when a reminder comes too late to be told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from keyhouse.core.booking import Booking, BookingState


class ReminderMoment(StrEnum):
    """Which of the two."""

    TWO_DAYS = "two_days"
    TWO_HOURS = "two_hours"


BEFORE = {ReminderMoment.TWO_DAYS: timedelta(hours=48), ReminderMoment.TWO_HOURS: timedelta(hours=2)}
"""Absolute time: a change of the clocks in between moves no reminder."""

_WORTH_TELLING = {ReminderMoment.TWO_DAYS: timedelta(hours=24), ReminderMoment.TWO_HOURS: timedelta(0)}
_ON_TIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """A reminder that is to be kept for its moment."""

    moment: ReminderMoment
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Reminder:
    """What somebody is told now. left: until the session begins.  is_late: it should have been told before."""

    booking: Booking
    moment: ReminderMoment
    left: timedelta
    is_late: bool


def reminders_of(booking: Booking, now: datetime) -> list[ReminderDue]:
    """Return the reminders that are still to come; whoever books inside one's time knows without it."""
    moments = (ReminderDue(moment, booking.starts_at - before) for moment, before in BEFORE.items())
    return [due for due in moments if due.due_at > now]


def find_reminder(booking: Booking | None, sequence: int, moment: ReminderMoment, now: datetime) -> Reminder | None:
    """Find what is told now; None drops it: cancelled or moved since (another sequence), begun, or much too late.

    The first one is dropped when less than a day is left; the second is told, as late, until the session begins.
    """
    if booking is None or booking.state is not BookingState.BOOKED or booking.sequence != sequence:
        return None
    left = booking.starts_at - now
    if left <= timedelta(0) or left < _WORTH_TELLING[moment]:
        return None
    return Reminder(booking, moment, left, is_late=left < BEFORE[moment] - _ON_TIME)
