"""The commands that the house understands, where, and how typed text is read as one."""

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum

from keyhouse.core.outgoing import Worker
from keyhouse.core.rooms import RoomKind

PREFIX = "!"
_TYPED = re.compile(r"^\s*[!！]\s*([^\W\d_]+(?:-[^\W\d_]+)?)\s*(.*)$", re.DOTALL)
_AUTOCORRECTED = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "‑": "-"})


class Place(StrEnum):
    """The kinds of room in which commands are answered."""

    DESK = RoomKind.DESK.value
    CARE = RoomKind.CARE.value


ANSWERS_HELP = {Place.DESK: Worker.ROOM_GATEKEEPER, Place.CARE: Worker.RISK_MONITOR}
"""Who answers `!help` and mistyped commands, so that exactly one bot does."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command in one kind of room, and the process that answers it."""

    name: str
    place: Place
    worker: Worker
    does: str
    example: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed after the prefix: the name in lower case, and the rest."""

    name: str
    rest: str


COMMANDS: tuple[Command, ...] = (
    Command("help", Place.DESK, Worker.ROOM_GATEKEEPER, "shows what you can do here", "!help"),
    Command("rooms", Place.DESK, Worker.ROOM_GATEKEEPER, "lists your rooms, and lets you back in", "!rooms"),
    Command("rules", Place.DESK, Worker.ROOM_GATEKEEPER, "shows the rules of the house", "!rules"),
    Command("agree", Place.DESK, Worker.ROOM_GATEKEEPER, "says that you agree to the rules of the house", "!agree"),
    Command(
        "slots", Place.DESK, Worker.BOOKING, "lists sessions that are free, all or at a time", "!slots tuesday after 4"
    ),
    Command("book", Place.DESK, Worker.BOOKING, "books the session of this number", "!book 3"),
    Command("mine", Place.DESK, Worker.BOOKING, "shows what you have booked", "!mine"),
    Command("move", Place.DESK, Worker.BOOKING, "moves your session to another one", "!move 3 7"),
    Command("cancel", Place.DESK, Worker.BOOKING, "gives your session back", "!cancel 3"),
    Command("yes", Place.DESK, Worker.BOOKING, "takes the session that you were asked about", "!yes 3"),
    Command("no", Place.DESK, Worker.BOOKING, "declines the session that you were asked about", "!no 3"),
    Command(
        "waitlist",
        Place.DESK,
        Worker.BOOKING,
        "asks us to tell you when a session becomes free; `!waitlist leave` ends it",
        "!waitlist mornings",
    ),
    Command(
        "calendar",
        Place.DESK,
        Worker.BOOKING,
        "gives you a link that shows your sessions in your own calendar; `!calendar off` ends it",
        "!calendar",
    ),
    Command("help", Place.CARE, Worker.RISK_MONITOR, "shows what you can do here", "!help"),
    Command("cases", Place.CARE, Worker.RISK_MONITOR, "lists the open cases", "!cases"),
    Command("show", Place.CARE, Worker.RISK_MONITOR, "shows one case", "!show 4"),
    Command("claim", Place.CARE, Worker.RISK_MONITOR, "takes a case", "!claim 4"),
    Command("open", Place.CARE, Worker.RISK_MONITOR, "gives your case back, for a colleague to take", "!open 4"),
    Command("close", Place.CARE, Worker.RISK_MONITOR, "closes a case and says how it ended", "!close 4 support"),
    Command("false", Place.CARE, Worker.RISK_MONITOR, "closes a case as a false alarm", "!false 4"),
    Command(
        "slots",
        Place.CARE,
        Worker.BOOKING,
        "adds a session of yours; `!slots mine` lists them, `!slots withdraw 3` takes one away, and `!slots priority "
        "NAME 5` says how soon somebody on the waiting list must be seen",
        "!slots add 2027-03-29 10:00 50 minutes",
    ),
    Command("missed", Place.CARE, Worker.BOOKING, "says that nobody came to a session", "!missed 3"),
    Command("kept", Place.CARE, Worker.BOOKING, "says that a session took place", "!kept 3"),
    Command(
        "calendar",
        Place.CARE,
        Worker.BOOKING,
        "gives you a link that shows the sessions booked with you in your own calendar; `!calendar off` ends it",
        "!calendar",
    ),
)


def read_command(text: str) -> Typed | None:
    """Read typed text as a command; None if it is none.

    Upper case, spaces around the prefix, a missing space before a number, smart quotes and long dashes are understood.
    """
    if len(text) > 4000:
        return None
    match = _TYPED.match(text.translate(_AUTOCORRECTED))
    return Typed(match[1].lower(), " ".join(match[2].split())) if match else None


def commands_in(place: Place) -> tuple[Command, ...]:
    """Return what is understood in this kind of room."""
    return tuple(command for command in COMMANDS if command.place is place)


def find_command(name: str, place: Place) -> Command | None:
    """Find the command of this name in this kind of room."""
    return next((command for command in commands_in(place) if command.name == name), None)


def meant(name: str, place: Place) -> Command | None:
    """Guess the command that was mistyped; None when nothing is near."""
    near = difflib.get_close_matches(name, [command.name for command in commands_in(place)], n=1, cutoff=0.6)
    return find_command(near[0], place) if near else None


def number_in(text: str) -> int | None:
    """Return the first whole number in the text, `#4` and `case 4` included."""
    match = re.search(r"\d{1,9}", text)
    return int(match[0]) if match else None
