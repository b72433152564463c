"""What a clinician writes after `!slots add` → a plan of slots, in the words of `keyhouse slots add`."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo

from keyhouse.core.ids import Condition, UserId
from keyhouse.core.slots import Mode, SlotPlan, Span
from keyhouse.settings.times import TimeFault, read_day, read_moment, read_weekly

EXAMPLE = "`!slots add 2027-03-29 10:00 50 minutes weekly until 2027-09-30 except 2027-05-03`"
_USUAL_MIN = 50
_MOST_MIN = 10_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTES = re.compile(r"(\d{1,5})(?:m|min|mins|minutes)?")
_SAYS_NOTHING = frozenset({"at", "minutes", "minute", "min", "mins", "on", "and", "for", "online", "with"})


@dataclass
class _Read:
    """What was read so far."""

    at: list[str] = field(default_factory=list)
    minutes: int | None = None
    conditions: set[Condition] = field(default_factory=set)
    weekly: bool = False
    until: date | None = None
    left_out: list[date] = field(default_factory=list)
    mode: Mode = Mode.ONLINE
    before: int = 0
    after: int = 0
    therapist: str | None = None


def read_plan(
    words: str, sender: UserId, usual: frozenset[Condition], user_id: Callable[[str], str], zone: tzinfo
) -> SlotPlan:
    """Read a plan. usual: whose keys open the slots when no condition is named.

    sender: the therapist when no other is named.  user_id: makes an account of a name.  Raises TimeFault, with one
    plain sentence for each thing to change.
    """
    read = _read(words)
    starts = _starts(read, zone)
    lasts = timedelta(minutes=_USUAL_MIN if read.minutes is None else read.minutes)
    therapist = read.therapist or sender
    return SlotPlan(
        UserId(therapist if therapist.startswith("@") else user_id(therapist)),
        frozenset(read.conditions) or usual,
        read.mode,
        tuple(Span(start, start + lasts) for start in starts),
        timedelta(minutes=read.before),
        timedelta(minutes=read.after),
    )


def _starts(read: _Read, zone: tzinfo) -> list[datetime]:
    if not read.at:
        raise TimeFault(f"Please say when the session begins, for example {EXAMPLE}.")
    at = " ".join(read.at)
    if not read.weekly and (read.until or read.left_out):
        raise TimeFault("`until` and `except` belong to a weekly series. Please add the word `weekly`.")
    return read_weekly(at, read.until, read.left_out, zone) if read.weekly else [read_moment(at, zone)]


def _read(words: str) -> _Read:
    try:
        # Phones write two dashes as one.
        left = [word.lstrip("-").lower().replace(",", " ") for word in shlex.split(words)]
    except ValueError:
        raise TimeFault(f"A quotation mark is missing. Please write it like {EXAMPLE}.") from None
    left, read = " ".join(left).split(), _Read()
    while left:
        _read_next(left, read)
    return read


def _read_next(left: list[str], read: _Read) -> None:
    word = left.pop(0)
    match word:
        case "weekly":
            read.weekly = True
        case "until":
            read.until = read_day(_value(word, left))
        case "except":
            read.left_out.append(read_day(_value(word, left)))
            while left and _DATE.fullmatch(left[0]):
                read.left_out.append(read_day(left.pop(0)))
        case "in-person":
            read.mode = Mode.IN_PERSON
        case "in" if left[:1] == ["person"]:
            left.pop(0)
            read.mode = Mode.IN_PERSON
        case "condition":
            read.conditions.add(Condition(_value(word, left)))
        case "therapist":
            read.therapist = _value(word, left)
        case "before":
            read.before = _minutes(_value(word, left))
        case "after":
            read.after = _minutes(_value(word, left))
        case _:
            _read_moment_or_minutes(word, left, read)


def _read_moment_or_minutes(word: str, left: list[str], read: _Read) -> None:
    if word in _SAYS_NOTHING:
        return
    if _DATE.match(word) and not read.at:
        read.at.append(word)
        if ":" not in word and left and ":" in left[0]:
            read.at.append(left.pop(0))
    elif _MINUTES.fullmatch(word) and read.minutes is None:
        read.minutes = _minutes(word)
    else:
        raise TimeFault(f"I do not understand “{word}”. Please write it like {EXAMPLE}.")


def _value(word: str, left: list[str]) -> str:
    if not left:
        raise TimeFault(f"Something is missing after “{word}”. Please write it like {EXAMPLE}.")
    return left.pop(0)


def _minutes(word: str) -> int:
    found = _MINUTES.fullmatch(word)
    if found is None or int(found[1]) > _MOST_MIN:
        raise TimeFault(f"“{word}” is not a number of minutes. Please write it like 50.")
    return int(found[1])
