"""Words for a day, a week or a month → dates. dateparser reads the dates; what it would guess is refused before."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import dateparser

from bots.booking.wording import day_text
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import EVERY_DAY
from keyhouse.core.verdict import Reason

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORT = {
    "mon": 0,
    "tue": 1,
    "tues": 1,
    "wed": 2,
    "weds": 2,
    "thu": 3,
    "thur": 3,
    "thurs": 3,
    "fri": 4,
    "sat": 5,
    "sun": 6,
}
_WEEKDAY_OF = {**{name: number for number, name in enumerate(WEEKDAYS)}, **_SHORT}
_DAY = "|".join(sorted(_WEEKDAY_OF, key=len, reverse=True))
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "september" else "sept?(?:ember)?" for name in MONTHS)
_RELATIVE = r"(?:the )?day after tomorrow|today|yesterday|tomorrow|in (?:a|\d{1,2}) days?|a week (?:today|tomorrow)"
_NUMBERED = (
    rf"(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})(?: \d{{4}})?"
    rf"|(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?"
)
_FIGURES = r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}(?:[/.](?:\d{4}|\d{2}))?"
_DATE = re.compile(rf"(?:on )?(?:(?:the )?({_DAY})(?: the)? )?({_NUMBERED}|{_FIGURES}|{_RELATIVE})")
_LIST = re.compile(rf"(?:on |every |any |only )?(?:a )?(?:{_DAY})s?(?:(?: and | or |, | / | )(?:on )?(?:{_DAY})s?)*")
_GROUPS = {"weekday": range(5), "weekdays": range(5), "weekend": range(5, 7), "weekends": range(5, 7)}
_GROUP = re.compile(r"(?:on |at |any |every |the )*(weekdays?|weekends?)")
_ONE_DAY = re.compile(rf"(?:on )?(this|this coming|the coming|next) ({_DAY})")
_DAY_OF_WEEK = re.compile(rf"(?:on )?({_DAY}) (?:of )?(next|this) week|(next|this) week (?:on )?({_DAY})")
_WEEK = re.compile(
    r"(?:in |at |some ?time |any ?time )?(this|next) week|in (a|\d{1,2}) weeks?|in a fortnight|the week after next"
)
_MONTHS_NAMED = re.compile(rf"(?:in )?({_MONTH})(?: (\d{{4}}))?|(?:in )?(this|next) month")
_EDGE = re.compile(r"(?:any ?time |some ?time )?(after|from|starting|before|until|till) (.+?)(?: on| onwards)?")
_FILLING = re.compile(
    r"^(?:some ?time|any ?time|on|at|please|in the)\b|\b(?:on|at|please|some ?time|any ?time|in the)$"
)
_ONE_AT_A_TIME = threading.Lock()
_NEAR_YEARS = 3
_TOO_FAR = "That is years away. Please name an earlier time."
_A_DAY = timedelta(days=1)
_A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are meant. first, end: the first one, and the one after the last; None is without a bound.

    only: the one day that is meant; None for several.  said: in our words; empty when the weekdays say it all.
    """

    first: date | None = None
    end: date | None = None
    weekdays: frozenset[int] = EVERY_DAY
    said: str = ""
    only: date | None = None
    named: bool = True


@dataclass(frozen=True, slots=True)
class UnclearDays:
    """Words for days that mean two things, or none; said: one sentence with what to write instead."""

    said: str


Found = Days | UnclearDays | None


def read_days(words: str, local_now: datetime) -> Found:
    """Read words about days, in lower case; no words are every day. None: they are about something else."""
    spoken = _without_filling(words)
    if not spoken:
        return Days(named=False)
    today = local_now.date()
    for read in _READERS:
        found = read(spoken, today)
        if found is not None:
            return found
    return None


def _weekdays(words: str, today: date) -> Found:
    group = _GROUP.fullmatch(words)
    if group:
        return Days(weekdays=frozenset(_GROUPS[group[1]]))
    if not _LIST.fullmatch(words):
        return None
    names = re.findall(rf"\b({_DAY})s?\b", words)
    return Days(weekdays=frozenset(_WEEKDAY_OF[name] for name in names))


def _one_day(words: str, today: date) -> Found:
    found = _ONE_DAY.fullmatch(words)
    if found is None:
        return None
    number = _WEEKDAY_OF[found[2]]
    if found[1] != "next":
        return _only(_on_or_after(today, number), today)
    nearest, in_next_week = _on_or_after(today + _A_DAY, number), _monday(today) + _A_WEEK + number * _A_DAY
    if nearest == in_next_week:
        return _only(nearest, today)
    one, other = (f"{day:%-d %B}" for day in (nearest, in_next_week))
    return UnclearDays(f"“{words}” could be {one} or {other}. Please write `{one}` or `{other}`.")


def _nearest(words: str, today: date) -> Found:
    number = _WEEKDAY_OF.get(words)
    return None if number is None else _only(_on_or_after(today + _A_DAY, number), today)


def _day_of_week(words: str, today: date) -> Found:
    found = _DAY_OF_WEEK.fullmatch(words)
    if found is None:
        return None
    day, week = (found[1], found[2]) if found[1] else (found[4], found[3])
    monday = _monday(today) + (_A_WEEK if week == "next" else timedelta())
    return _only(monday + _WEEKDAY_OF[day] * _A_DAY, today)


def _week(words: str, today: date) -> Found:
    found = _WEEK.fullmatch(words)
    if found is None:
        return None
    if found[1]:
        weeks = 1 if found[1] == "next" else 0
    else:
        weeks = 2 if not found[2] else 1 if found[2] == "a" else int(found[2])
    monday = _monday(today) + weeks * _A_WEEK
    said = "this week" if weeks == 0 else f"in the week from {day_text(monday, today)}"
    return Days(monday, monday + _A_WEEK, said=said)


def _month(words: str, today: date) -> Found:
    found = _MONTHS_NAMED.fullmatch(words)
    if found is None:
        return None
    if found[3]:
        first = today.replace(day=1) if found[3] == "this" else _month_after(today)
    else:
        number = next(place for place, name in enumerate(MONTHS, start=1) if name.startswith(found[1][:3]))
        year = int(found[2]) if found[2] else today.year + (number < today.month)
        if abs(year - today.year) > _NEAR_YEARS:
            return UnclearDays(_TOO_FAR if year > today.year else sentence(Reason.TIME_PAST))
        first = date(year, number, 1)
    name = f"in {first:%B}"
    return Days(first, _month_after(first), said=name if first.year == today.year else f"{name} {first.year}")


def _edge(words: str, today: date) -> Found:
    found = _EDGE.fullmatch(words)
    bound = next((read for reads in _BOUNDS if found and (read := reads(found[2], today))), None)
    if found is None or not isinstance(bound, Days) or bound.first is None or bound.end is None:
        return bound if isinstance(bound, UnclearDays) else None
    if found[1] in ("before", "until", "till"):
        return Days(end=bound.first, said=f"before {day_text(bound.first, today)}")
    first = bound.end if found[1] == "after" else bound.first
    return Days(first, said=f"from {day_text(first, today)} on")


def _date(words: str, today: date) -> Found:
    found = _DATE.fullmatch(words)
    if found is None:
        return None
    day = _parsed(found[2], today)
    if day is None:
        return UnclearDays(f"“{words}” is not a day of the calendar. Please write it like `6 april` or `06/04/2027`.")
    if found[1] and day.weekday() != _WEEKDAY_OF[found[1]]:
        name = day_text(day, today)
        return UnclearDays(f"{name} is not a {WEEKDAYS[_WEEKDAY_OF[found[1]]].capitalize()}. Please check the date.")
    if day < today:
        return UnclearDays(sentence(Reason.TIME_PAST))
    return UnclearDays(_TOO_FAR) if day.year > today.year + _NEAR_YEARS else _only(day, today)


def _parsed(words: str, today: date) -> date | None:
    """Have dateparser read a date, seen from midday; None for one that is in no calendar."""
    said = re.sub(r"^the (?=\d)", "", words)
    settings: Any = {
        "TIMEZONE": "UTC",
        "DATE_ORDER": "YMD" if re.match(r"\d{4}-", said) else "DMY",
        "PREFER_DATES_FROM": "future",
        "RELATIVE_BASE": datetime(today.year, today.month, today.day, 12),
    }
    said = {"a week today": "in 7 days", "a week tomorrow": "in 8 days"}.get(said, said)
    # It keeps what it has loaded in places that all threads share.
    with _ONE_AT_A_TIME:
        read = dateparser.parse(said, languages=["en"], settings=settings)
    if read is None:
        return None
    figures = re.match(r"(\d{1,2})[/.](\d{1,2})", said)
    # A thirteenth month makes dateparser read the American way.
    is_swapped = figures is not None and (int(figures[1]), int(figures[2])) != (read.day, read.month)
    return None if is_swapped else _with_this_year(read.date(), said, today)


def _with_this_year(day: date, said: str, today: date) -> date:
    """Today's own date is today, not today in a year."""
    is_today = (day.day, day.month) == (today.day, today.month)
    return today if is_today and not re.search(r"\d{4}|\d[/.]\d+[/.]\d", said) else day


def _only(day: date, today: date) -> Days | UnclearDays:
    if day < today:
        return UnclearDays(sentence(Reason.TIME_PAST))
    return Days(day, day + _A_DAY, said=day_text(day, today), only=day)


def _on_or_after(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _without_filling(words: str) -> str:
    before, spoken = None, words.strip()
    while spoken != before:
        before, spoken = spoken, _FILLING.sub("", spoken).strip()
    return spoken


_BOUNDS = (_date, _one_day, _week, _nearest)
_READERS: tuple[Callable[[str, date], Found], ...] = (_weekdays, _one_day, _day_of_week, _week, _month, _date, _edge)
