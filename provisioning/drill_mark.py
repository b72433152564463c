"""DIR/run/drill.json: there while a drill goes on, so that its pages say that they are one."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from keyhouse.core.alarms import CARETAKER, MANY_ROOMS, WATCHER, Alarm, AlarmKind, means_blindness
from keyhouse.core.outgoing import Worker
from provisioning.answers import Failure

DRILL = "DRILL: "
"""Before the text of every page of a drill."""

_CONCIERGE, _BOOKING = Worker.ROOM_GATEKEEPER.value, Worker.BOOKING.value
_ANY_WATCHER, _THE_HOUSE = (WATCHER,), ("",)
_OF_ROOMS = frozenset({AlarmKind.ROOM_WITHOUT_WATCHER, AlarmKind.ROOM_UNREADABLE})


class Part(StrEnum):
    """What a drill takes away. card: the sending of cards, while the watcher goes on hearing."""

    WATCHER = "watcher"
    HOMESERVER = "homeserver"
    CONCIERGE = "concierge"
    CARD = "card"

    @property
    def words(self) -> str:
        """Return how sentences call it."""
        return "sending of cards" if self is Part.CARD else self.value


_EXPLAINED: Mapping[Part, Mapping[AlarmKind, tuple[str, ...]]] = {
    Part.WATCHER: {
        AlarmKind.PROCESS_STOPPED: _ANY_WATCHER,
        AlarmKind.WATCHER_LAGS: _ANY_WATCHER,
        AlarmKind.OUTBOX_LATE: _ANY_WATCHER,
        AlarmKind.PROBE_LATE: _THE_HOUSE,
    },
    Part.HOMESERVER: {
        AlarmKind.HOMESERVER_AWAY: _THE_HOUSE,
        AlarmKind.WATCHER_LAGS: _ANY_WATCHER,
        AlarmKind.OUTBOX_LATE: (WATCHER, _CONCIERGE, _BOOKING),
        AlarmKind.PROBE_LATE: _THE_HOUSE,
    },
    Part.CONCIERGE: {AlarmKind.PROCESS_STOPPED: (_CONCIERGE,), AlarmKind.OUTBOX_LATE: (_CONCIERGE,)},
    Part.CARD: {AlarmKind.OUTBOX_LATE: _ANY_WATCHER, AlarmKind.PROBE_LATE: _THE_HOUSE},
}
"""With what the subjects of the alarms begin that each part explains."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A drill that goes on. until: from then on it counts for nothing, whatever became of whoever began it."""

    part: Part
    until: datetime

    def covers(self, kind: str, subject: str) -> bool:
        """Say whether an alarm is of this drill: only what the part that was taken away explains."""
        return _explains(self.part, kind, subject)


def spoils(alarm: Alarm, parts: Iterable[Part]) -> bool:
    """Say whether a drill of these parts shows nothing while this alarm stands: the house, or the part, is away."""
    if alarm.key == (AlarmKind.PROCESS_STOPPED, CARETAKER) or any(_explains(part, *alarm.key) for part in parts):
        return True
    of_one_room = alarm.kind in _OF_ROOMS and alarm.subject != MANY_ROOMS
    return means_blindness(alarm) and not of_one_room


def _explains(part: Part, kind: str, subject: str) -> bool:
    explained = _EXPLAINED[part]
    return kind in explained and subject.startswith(explained[AlarmKind(kind)])


def running_drill(run: Path, now: datetime) -> Drill | None:
    """Return the drill that goes on in this house; None when there is none, or when its time is over."""
    try:
        kept = json.loads((run / "drill.json").read_text())
        drill = Drill(Part(kept["part"]), datetime.fromisoformat(kept["until"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return drill if now < drill.until else None


@contextmanager
def marked(run: Path, drill: Drill, now: datetime) -> Iterator[None]:
    """Mark the house as drilling until the end of the block; raises Failure while another drill goes on."""
    if (other := running_drill(run, now)) is not None:
        raise Failure(f"a drill of the {other.part.words} goes on until {other.until:%H:%M} UTC; try again then")
    file = run / "drill.json"
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps({"part": drill.part, "until": drill.until.isoformat()}))
    os.replace(part, file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
