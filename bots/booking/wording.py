"""Days, times and slots as people read them, and the lines that answers are made of."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from keyhouse.core.booking import Booking
from keyhouse.core.ids import SlotNumber
from keyhouse.core.local_time import moments_of
from keyhouse.core.reminders import ReminderMoment, reminders_of
from keyhouse.core.slots import EVERY_DAY, WHOLE_DAY_MIN, Mode, Preference, Slot

WHERE = {Mode.ONLINE: "online", Mode.IN_PERSON: "in person"}
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_GROUPS = {tuple(range(5)): "weekdays", (5, 6): "weekends"}
_BEFORE = {ReminderMoment.TWO_DAYS: "two days", ReminderMoment.TWO_HOURS: "two hours"}
_MANY = 10


def day_text(day: date, today: date) -> str:
    """Write a day as "Tuesday 6 April", with the year when it is not this one."""
    return f"{day:%A %-d %B}" if day.year == today.year else f"{day:%A %-d %B %Y}"


def clock_text(moment: datetime, zone: tzinfo) -> str:
    """Write a time of day; in the night in which an hour comes twice, with which of the two it is."""
    local = moment.astimezone(zone)
    comes_twice = len(moments_of(local.replace(tzinfo=None, fold=0), zone)) > 1
    return f"{local:%H:%M %Z}" if comes_twice else f"{local:%H:%M}"


def start_text(moment: datetime, zone: tzinfo, now: datetime) -> str:
    """Write when something begins, "Tuesday 6 April at 16:00"."""
    day = day_text(moment.astimezone(zone).date(), now.astimezone(zone).date())
    return f"{day} at {clock_text(moment, zone)}"


def span_text(starts_at: datetime, ends_at: datetime, zone: tzinfo, now: datetime) -> str:
    """Write "Tuesday 6 April, 16:00 to 16:50"."""
    day = day_text(starts_at.astimezone(zone).date(), now.astimezone(zone).date())
    return f"{day}, {clock_text(starts_at, zone)} to {clock_text(ends_at, zone)}"


def slot_text(slot: Slot, zone: tzinfo, now: datetime) -> str:
    """Write "**3** · Tuesday 6 April, 16:00 to 16:50, online", the number that people type first."""
    return f"**{slot.number}** · {span_text(slot.starts_at, slot.ends_at, zone, now)}, {WHERE[slot.mode]}"


def slot_lines(slots: Iterable[Slot], zone: tzinfo, now: datetime) -> list[str]:
    """Write a list of slots, one to a line."""
    return [f"- {slot_text(slot, zone, now)}" for slot in slots]


def booking_text(booking: Booking, slots: Mapping[SlotNumber, Slot], zone: tzinfo, now: datetime) -> str:
    """Write a booking as its slot is written. slots: those of the bookings, by number."""
    where = f", {WHERE[slots[booking.slot].mode]}" if booking.slot in slots else ""
    return f"**{booking.slot}** · {span_text(booking.starts_at, booking.ends_at, zone, now)}{where}"


def reminders_text(booking: Booking, now: datetime) -> str:
    """Say when somebody will be reminded."""
    moments = [_BEFORE[due.moment] for due in reminders_of(booking, now)]
    if not moments:
        return "It is so soon that there will be no reminder."
    return f"We will remind you {' and '.join(moments)} before."


def left_text(left: timedelta) -> str:
    """Say how long it still is, roughly."""
    minutes = max(1, round(left / timedelta(minutes=1)))
    if minutes < 90:
        return "in 1 minute" if minutes == 1 else f"in {minutes} minutes"
    return f"in {round(minutes / 60)} hours"


def preference_text(preference: Preference) -> str:
    """Say days of the week, hours and where; empty when nothing of it is limited."""
    parts = [] if preference.weekdays == EVERY_DAY else [f"on {days_text(preference.weekdays)}"]
    hours = _hours_text(preference.from_minute, preference.until_minute)
    parts += [hours] if hours else []
    parts += [WHERE[preference.mode]] if preference.mode else []
    return ", ".join(parts)


def days_text(weekdays: Iterable[int]) -> str:
    """Write "Tuesdays and Thursdays"."""
    numbers = sorted(weekdays)
    return _GROUPS.get(tuple(numbers)) or listed([_DAYS[number] for number in numbers])


def listed(words: Sequence[str]) -> str:
    """Write "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def some(lines: Sequence[str], of: str) -> list[str]:
    """Return the first lines, and how many more there are. of: what they are, "slots"."""
    more = len(lines) - _MANY
    return [*lines[:_MANY], f"- and {more} more {of}"] if more > 0 else list(lines)


def _hours_text(first: int, last: int) -> str:
    if last == WHOLE_DAY_MIN:
        return f"from {_minute_text(first)}" if first else ""
    return f"between {_minute_text(first)} and {_minute_text(last)}" if first else f"before {_minute_text(last)}"


def _minute_text(minute: int) -> str:
    return f"{datetime.fromtimestamp(0, UTC) + timedelta(minutes=minute):%H:%M}"
