"""What people and therapists are told about sessions. Neutral first words, and nothing of what a session is for."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from bots.booking.finding import NO, YES
from bots.booking.wording import clock_text, day_text, left_text, slot_lines, slot_text, span_text, start_text
from keyhouse.core.booking import Booking
from keyhouse.core.reminders import Reminder, ReminderMoment
from keyhouse.core.slots import Slot
from keyhouse.core.waiting_list import Offer
from keyhouse.core.workflows.booking_notices import About

FROM_THE_HOUSE = "A message for you from the house."


def reminder_text(reminder: Reminder, zone: tzinfo, now: datetime) -> str:
    """Write a reminder, which may be read on somebody else's screen."""
    booking = reminder.booking
    at, day = clock_text(booking.starts_at, zone), booking.starts_at.astimezone(zone).date()
    today = now.astimezone(zone).date()
    is_soon = reminder.moment is ReminderMoment.TWO_HOURS and day == today
    when = f"at {at}" if is_soon else f"on {day_text(day, today)} at {at}"
    late = f" It begins {left_text(reminder.left)}; this message should have come before." if reminder.is_late else ""
    return _letter(
        f"You have something booked {when} with the team.{late}",
        f"`!mine` shows it. If you cannot come, `!cancel {booking.slot}` gives it back, also now.",
    )


def offer_text(offer: Offer, slot: Slot, zone: tzinfo, now: datetime) -> str:
    """Write that a time has become free and is held."""
    return _letter(
        "A time with the team has become free, and you asked us to tell you:",
        slot_text(slot, zone, now),
        f"It is kept for you until {clock_text(offer.until, zone)}, then we ask somebody else. "
        f"Tap {YES} or write `!yes {slot.number}` to take it. Tap {NO} or write `!no {slot.number}` if it does not "
        "suit you: you stay on the list.",
    )


def withdrawn_text(booking: Booking, instead: Sequence[Slot], zone: tzinfo, now: datetime) -> str:
    """Write that a session cannot take place, with new times."""
    sorry = f"What you had booked with the team on {start_text(booking.starts_at, zone, now)} cannot take place. "
    sorry += "We are sorry; it has nothing to do with you."
    if not instead:
        how = "Nothing else is free just now. Write `!waitlist`, and we will ask you when something becomes free."
        return _letter(sorry, f'{how} You can also write "call me" here.')
    lines = "\n".join(slot_lines(instead, zone, now))
    return _letter(sorry, f"You could come at one of these times instead:\n\n{lines}", _take(instead[0]))


def missed_text(booking: Booking, instead: Sequence[Slot], zone: tzinfo, now: datetime) -> str:
    """Write that somebody was missed; nothing follows from it."""
    missed = f"We missed you on {start_text(booking.starts_at, zone, now)}. You are not in trouble for it, and you can "
    missed += 'book again at any time. If it has been hard to come, write "call me", and the team will contact you.'
    lines = "\n".join(slot_lines(instead, zone, now))
    times = [f"You could come at one of these times:\n\n{lines}", _take(instead[0])] if instead else []
    return _letter(missed, *(times or ["`!slots` shows what is free."]))


def therapist_text(slot: Slot, about: About, name: str, zone: tzinfo, now: datetime) -> str:
    """Write to a therapist that a session was given back late. name: the pseudonym."""
    did = "gave back" if about is About.LATE_CANCEL else "moved away from"
    session = span_text(slot.starts_at, slot.ends_at, zone, now)
    return (
        f"{name} {did} slot {slot.number}, {session}, inside the cut-off. The slot is free for others again. "
        "`!slots mine` shows your slots."
    )


def _take(slot: Slot) -> str:
    return f"Write `!book {slot.number}` to take number {slot.number}, or `!slots` to see all."


def _letter(*paragraphs: str) -> str:
    return "\n\n".join([FROM_THE_HOUSE, *paragraphs])
