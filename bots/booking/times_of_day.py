"""Words for a time of day → from and until when a session may begin, by the wall clock."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from keyhouse.core.slots import WHOLE_DAY_MIN

NOON_MIN, EVENING_MIN = 12 * 60, 17 * 60
_HOUR_MIN = 60
_FIRST_HOUR_OF_A_DAY = 8
"""Who says "after 4" means the afternoon, and who says "after 9" the morning: sessions are in the daytime."""

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_A_TIME = r"(\d{1,2}(?:[:.]\d{2})?(?:\s*(?:am|pm|o'?clock))?|noon|midday)"
_MARKED = r"(\d{1,2}(?:[:.]\d{2})?\s*(?:am|pm|o'?clock)|\d{1,2}:\d{2}|noon|midday)"
_HALF = re.compile(r"\bhalf past (\d{1,2})\b")
_QUARTER = re.compile(r"\bquarter (past|to) (\d{1,2})\b")
_NOT_A_DATE = (
    r"(?![\d./:-])(?!(?:st|nd|rd|th)\b)"
    r"(?!\s+(?:of\s+)?(?:day|week|month|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
)

_BETWEEN = re.compile(rf"\b(?:between|from) {_A_TIME} (?:and|to|until|till) {_A_TIME}{_NOT_A_DATE}")
_FROM = re.compile(rf"\b(?:any ?time |some ?time )?(?:after|from|past|later than|not before) {_A_TIME}{_NOT_A_DATE}")
_UNTIL = re.compile(rf"\b(?:any ?time |some ?time )?(?:before|until|till|by|no later than) {_A_TIME}{_NOT_A_DATE}")
_AT = re.compile(rf"\b(?:at|around|about) {_A_TIME}{_NOT_A_DATE}")
_AT_MARKED = re.compile(rf"(?<![\d./:-])\b{_MARKED}{_NOT_A_DATE}")
_PART = re.compile(r"\b(?:in the |the )?(?:early |late )?(mornings?|afternoons?|evenings?)\b")
_PARTS = {"morning": (0, NOON_MIN), "afternoon": (NOON_MIN, EVENING_MIN), "evening": (EVENING_MIN, WHOLE_DAY_MIN)}


class NoSuchTime(ValueError):
    """A time of day that no clock shows, or a stretch of the day that is none; the text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """When a session may begin. until: excluded.  at: somebody named this one time; None for a stretch.

    rest: the words that were not about a time of day.  named: whether any were.
    """

    from_min: int
    until_min: int
    at: int | None
    rest: str
    named: bool


def read_time_of_day(words: str) -> TimeOfDay:
    """Take the words about a time of day out of these, which are in lower case; raises NoSuchTime."""
    return _Reading(_with_minutes(words)).done()


class _Reading:
    def __init__(self, words: str) -> None:
        self._words, self._from, self._until = words, 0, WHOLE_DAY_MIN
        self._at: int | None = None
        self._named = False
        part = _PART.search(words)
        self._part = part[1].removesuffix("s") if part else None

    def done(self) -> TimeOfDay:
        self._take(_PART, lambda found: self._narrow(*_PARTS[found[1].removesuffix("s")]))
        self._take(_BETWEEN, self._take_stretch)
        self._take(_FROM, lambda found: self._narrow(self._minutes(found[1]), WHOLE_DAY_MIN))
        self._take(_UNTIL, lambda found: self._narrow(0, self._minutes(found[1])))
        self._take(_AT, self._take_one_time)
        self._take(_AT_MARKED, self._take_one_time)
        if self._from >= self._until:
            raise NoSuchTime("No session could be at such a time of day. Please name other hours.")
        return TimeOfDay(self._from, self._until, self._at, " ".join(self._words.split()), self._named)

    def _take(self, pattern: re.Pattern[str], understand: Callable[[re.Match[str]], None]) -> None:
        found = pattern.search(self._words)
        if found is None:
            return
        understand(found)
        self._named = True
        self._words = f"{self._words[: found.start()]} {self._words[found.end() :]}"

    def _take_stretch(self, found: re.Match[str]) -> None:
        first, last = self._minutes(found[1]), self._minutes(found[2])
        # "from 10 to 2" ends in the afternoon, "from 9 to 11" in the morning.
        first = first - NOON_MIN if first > last and first - NOON_MIN >= 0 and not _is_plain(found[1]) else first
        self._narrow(first, last)

    def _take_one_time(self, found: re.Match[str]) -> None:
        self._at = self._minutes(found[1])
        self._narrow(self._at, self._at + _HOUR_MIN)

    def _narrow(self, first: int, last: int) -> None:
        self._from, self._until = max(self._from, first), min(self._until, last)

    def _minutes(self, written: str) -> int:
        words = written.replace(" ", "").replace(".", ":")
        if words in ("noon", "midday"):
            return NOON_MIN
        found = re.match(r"(\d{1,2})(?::(\d{2}))?(am|pm)?", words)
        assert found is not None, "the patterns find nothing else"
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
        if hour > 23 or minute > 59 or (half and not 1 <= hour <= 12):
            raise NoSuchTime(f"“{written.strip()}” is not a time of day. Please write it like 16:00 or 4pm.")
        return (self._hour(hour, half, leading_zero=found[1].startswith("0"))) * 60 + minute

    def _hour(self, hour: int, half: str | None, *, leading_zero: bool) -> int:
        if half:
            return hour % 12 + (12 if half == "pm" else 0)
        if leading_zero or hour == 0 or hour > 12 or self._part == "morning":
            return hour
        is_early = hour < _FIRST_HOUR_OF_A_DAY or (self._part == "evening" and hour < 12)
        return hour + 12 if is_early else hour


def _is_plain(written: str) -> bool:
    """Whether a time says itself in which half of the day it is."""
    return bool(re.search(r"am|pm|noon|midday", written))


def _with_minutes(words: str) -> str:
    """Write "half past three" as 3:30 and the like."""
    for number, name in enumerate(_NUMBERS, start=1):
        words = re.sub(rf"\b{name}\b", str(number), words)
    words = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", words)
    words = _HALF.sub(r"\1:30", words)
    return _QUARTER.sub(_quarter, words)


def _quarter(found: re.Match[str]) -> str:
    hour = int(found[2])
    return f"{hour}:15" if found[1] == "past" else f"{(hour - 2) % 12 + 1}:45"
