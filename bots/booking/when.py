"""What somebody says about when they would like to come → which slots are meant, in a fixed frame.

A pure function of the words, the moment and the zone. What could mean two things, or nothing, is said so in a sentence.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from bots.booking.days import Days, UnclearDays, read_days
from bots.booking.times_of_day import NoSuchTime, TimeOfDay, read_time_of_day
from bots.booking.wording import day_text, preference_text
from keyhouse.core.local_time import UnclearTime, moment_of
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import Mode, Preference
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.booking import Asked

LONGEST = 160
_JUST_BEFORE = timedelta(microseconds=1)
_SAYS_MORE = re.compile(r"[?!.,;]+(?=\s|$)")
_THIS_PART = re.compile(r"\bthis (morning|afternoon|evening)\b")
_MODES = (
    (re.compile(r"\b(?:online|(?:by|on|over) video)\b"), Mode.ONLINE),
    (re.compile(r"\b(?:in[ -]person|face[ -]to[ -]face)\b"), Mode.IN_PERSON),
)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ t]\d{2}:\d{2}(?::\d{2})?(?:z|[+-]\d{2}:?\d{2})?")
HOW_TO_SAY_IT = (
    "Please say it like `tuesday after 4`, `next week in the morning`, `6 april at 14:00` or `weekdays before 12`."
)


@dataclass(frozen=True, slots=True)
class Understood:
    """What was meant. said: the same in our words.  lasting: said as days of the week and times, not as dates.

    names_day, names_time: whether the words named a day or a stretch of days, and a time of the day.
    """

    asked: Asked
    said: str
    lasting: bool
    names_day: bool
    names_time: bool


@dataclass(frozen=True, slots=True)
class Unclear:
    """It was about a time, but which one is not clear, or it cannot be. sentence: what to write instead."""

    sentence: str
    names_day: bool = False
    names_time: bool = False


def understand(words: str, now: datetime, zone: tzinfo) -> Understood | Unclear | None:
    """Understand words such as "tuesday after 4"; None when they are not, or not only, about a time.

    now: aware, UTC.  zone: of the wall clocks that the person lives by.
    """
    spoken = _plain(words)
    if not spoken or len(spoken) > LONGEST:
        return None
    if _MOMENT.fullmatch(spoken):
        return _at_moment(spoken, now, zone)
    mode, spoken = _mode(spoken)
    try:
        hours = read_time_of_day(spoken)
        named = hours.named
    except NoSuchTime as fault:
        return Unclear(str(fault), names_time=True)
    found = read_days(hours.rest, now.astimezone(zone))
    match found:
        case None:
            return None
        case UnclearDays(said):
            return Unclear(said, names_day=True, names_time=named)
        case Days():
            return _together(found, hours, mode, now, zone) if found.named or named or mode else None


def _together(days: Days, hours: TimeOfDay, mode: Mode | None, now: datetime, zone: tzinfo) -> Understood | Unclear:
    if days.only is not None and hours.at is not None:
        on_clock = datetime.combine(days.only, time(hours.at // 60, hours.at % 60))
        moment = moment_of(on_clock, zone)
        if isinstance(moment, UnclearTime):
            return Unclear(moment.sentence(zone), names_day=True, names_time=True)
    preference = Preference(days.weekdays, hours.from_min, hours.until_min, mode)
    after = max(now, _midnight(days.first, zone) - _JUST_BEFORE) if days.first else None
    before = _midnight(days.end, zone) if days.end else None
    last = days.end - timedelta(days=1) if days.end else None
    if before is not None and (before <= now or (last == now.astimezone(zone).date() and _is_over(hours, now, zone))):
        return Unclear(sentence(Reason.TIME_PAST), names_day=True, names_time=hours.named)
    said = ", ".join(words for words in (days.said, preference_text(preference)) if words)
    asked = Asked(preference, after, before)
    lasting = days.first is None and days.end is None
    return Understood(asked, said or "at any time", lasting, days.named, hours.named)


def _at_moment(written: str, now: datetime, zone: tzinfo) -> Understood | Unclear:
    """Read a date and a time as computers write them, also with the difference to UTC that tells two hours apart."""
    both = {"names_day": True, "names_time": True}
    try:
        read = datetime.fromisoformat(written.upper())
    except ValueError:
        return Unclear(f"“{written}” is not a time. {HOW_TO_SAY_IT}", **both)
    moment = read if read.tzinfo is not None else moment_of(read, zone)
    if isinstance(moment, UnclearTime):
        return Unclear(moment.sentence(zone), **both)
    if moment <= now:
        return Unclear(sentence(Reason.TIME_PAST), **both)
    local = moment.astimezone(zone)
    said = f"{day_text(local.date(), now.astimezone(zone).date())}, at {local:%H:%M}"
    asked = Asked(starts_after=moment - _JUST_BEFORE, starts_before=moment + timedelta(hours=1))
    return Understood(asked, said, lasting=False, names_day=True, names_time=True)


def _is_over(hours: TimeOfDay, now: datetime, zone: tzinfo) -> bool:
    local = now.astimezone(zone)
    return hours.until_min <= local.hour * 60 + local.minute + 1


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _mode(words: str) -> tuple[Mode | None, str]:
    for pattern, mode in _MODES:
        if pattern.search(words):
            return mode, " ".join(pattern.sub(" ", words).split())
    return None, words


def _plain(words: str) -> str:
    folded = words.casefold().replace("’", "'").replace("–", "-").replace("—", "-")
    spoken = " ".join(_SAYS_MORE.sub(" ", folded).split())
    return _THIS_PART.sub(r"today in the \1", spoken)


def any_time() -> Understood:
    """Return what is meant by saying nothing."""
    return Understood(Asked(), "at any time", lasting=True, names_day=False, names_time=False)
