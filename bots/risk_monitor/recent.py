"""The last few lines of each room, in memory alone, for the rules that need what went before."""

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from keyhouse.core.matching.lexicon import ContextLine
from keyhouse.core.urgency import Urgency

REMEMBERED_FOR = timedelta(minutes=15)
REMEMBERED_LINES = 10
_LINES_OF_A_ROOM = 40
_REMEMBERED_ROOMS = 2000
_LETTERS = 600


@dataclass(frozen=True, slots=True)
class Line:
    """Something said. urgency and rules: what it was judged as, and why."""

    at: datetime
    event_id: str
    sender: str
    text: str
    urgency: Urgency
    rules: frozenset[str] = frozenset()


class Recent:
    """What was said in the last quarter of an hour."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[str, deque[Line]] = OrderedDict()

    def before(self, room_id: str, sender: str, now: datetime, except_for: str | None = None) -> Sequence[ContextLine]:
        """Return what this sender said lately in this room, and the last thing that another said; oldest first.

        except_for: an event to leave out, because it has just been edited.
        """
        lines = [line for line in self._lately(room_id, now) if line.event_id != except_for]
        own = list(islice((line for line in reversed(lines) if line.sender == sender), REMEMBERED_LINES))
        asked = list(islice((line for line in reversed(lines) if line.sender != sender), 1))
        kept = {id(line) for line in (*own, *asked)}
        return [
            ContextLine("self" if line.sender == sender else "other", line.text) for line in lines if id(line) in kept
        ]

    def line(self, room_id: str, event_id: str, now: datetime) -> Line | None:
        """Return what is remembered of an event; None when nothing is."""
        return next((line for line in self._lately(room_id, now) if line.event_id == event_id), None)

    def remember(self, room_id: str, line: Line) -> None:
        """Keep a line, in place of an earlier one of the same event."""
        lines = [each for each in self._lately(room_id, line.at) if each.event_id != line.event_id]
        kept = replace(line, text=line.text[-_LETTERS:])
        self._rooms[room_id] = deque([*lines, kept], maxlen=_LINES_OF_A_ROOM)
        self._rooms.move_to_end(room_id)
        self._forget(line.at)

    def _lately(self, room_id: str, now: datetime) -> Iterator[Line]:
        return (line for line in self._rooms.get(room_id, ()) if now - line.at <= REMEMBERED_FOR)

    def _forget(self, now: datetime) -> None:
        """Forget rooms in which nobody said anything lately; the one that was silent longest stands first."""
        while self._rooms:
            room_id, lines = next(iter(self._rooms.items()))
            if len(self._rooms) <= _REMEMBERED_ROOMS and now - lines[-1].at <= REMEMBERED_FOR:
                return
            del self._rooms[room_id]
