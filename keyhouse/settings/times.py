"""Moments and weekly series as people write them → UTC, each with its own sentence when it cannot be meant so."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, tzinfo
from itertools import islice

from dateutil.rrule import WEEKLY, rrule, rruleset

from keyhouse.core.local_time import UnclearTime, moment_of
from keyhouse.core.slots import MOST_AT_ONCE

_YEARS = range(2000, 2200)


class TimeFault(ValueError):
    """A time cannot be meant as it was written; the text is one plain sentence for each thing to change, on a line."""


def read_moment(written: str, zone: tzinfo) -> datetime:
    """Read a moment such as "2027-03-29 10:00", in this zone if it names none; UTC. Raises TimeFault."""
    read = _read(written)
    return read.astimezone(UTC) if read.tzinfo is not None else _moments([read], zone)[0]


def read_day(written: str) -> date:
    """Read a day such as "2027-03-29". Raises TimeFault."""
    try:
        return date.fromisoformat(written.strip())
    except ValueError:
        raise TimeFault(f"{written!r} is not a day; write it like 2027-03-29") from None


def read_weekly(written: str, until: date | None, leave_out: Collection[date], zone: tzinfo) -> list[datetime]:
    """Read the moments of a weekly series, UTC: the same time by the wall clock, also after the clocks have changed.

    until: the last day on which one may be.  leave_out: days without one.  At most one more than may be added at once
    is returned. Raises TimeFault for a series without an end, and for times that do not exist or happen twice.
    """
    if until is None:
        raise TimeFault("a weekly series needs an end; say until which day with --until, such as --until 2027-09-30")
    read = _read(written)
    first = read.astimezone(zone).replace(tzinfo=None) if read.tzinfo is not None else read
    series = rruleset()
    series.rrule(rrule(WEEKLY, dtstart=first, until=datetime.combine(until, time.max)))
    for day in leave_out:
        series.exdate(datetime.combine(day, first.time()))
    return _moments(list(islice(series, MOST_AT_ONCE + 1)), zone)


def _read(written: str) -> datetime:
    words = written.strip()
    try:
        read = datetime.fromisoformat(words)
    except ValueError:
        read = None
    if read is None or len(words) <= len("2027-03-29") or read.year not in _YEARS:
        raise TimeFault(f"{written!r} is not a time; write it like 2027-03-29 10:00")
    return read


def _moments(local: list[datetime], zone: tzinfo) -> list[datetime]:
    """Turn wall-clock times into moments; every one that is none, or two, is told."""
    moments = [moment_of(one, zone) for one in local]
    unclear = [one.sentence(zone) for one in moments if isinstance(one, UnclearTime)]
    if unclear:
        raise TimeFault("\n".join(unclear))
    return [one for one in moments if isinstance(one, datetime)]
