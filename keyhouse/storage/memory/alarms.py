"""What is wrong with the house itself, in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.storage.memory.shelves import Shelves


class MemoryAlarms:
    """Of one kind and subject one alarm at a time is open."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def open(self) -> Sequence[Alarm]:
        """Alarms that stand, oldest first."""
        standing = (alarm for alarm in self._shelves.alarms.values() if alarm.ended_at is None)
        return sorted(standing, key=lambda alarm: alarm.raised_at)

    def latest(self, limit: int) -> Sequence[Alarm]:
        """Newest first, also those that ended."""
        return list(self._shelves.alarms.values())[::-1][:limit]

    def put(self, new: Alarm) -> bool:
        """Keep an open alarm; False when one was there already, of which only when somebody was told is changed."""
        place = self._place_of(new.kind, new.subject)
        if place is None:
            self._shelves.alarms[max(self._shelves.alarms, default=0) + 1] = replace(new, ended_at=None)
            return True
        if new.paged_at is not None:
            self._shelves.alarms[place] = replace(self._shelves.alarms[place], paged_at=new.paged_at)
        return False

    def end(self, kind: AlarmKind, subject: str, now: datetime) -> bool:
        """End the open alarm of this kind and subject; False when there is none."""
        place = self._place_of(kind, subject)
        if place is None:
            return False
        self._shelves.alarms[place] = replace(self._shelves.alarms[place], ended_at=now)
        return True

    def forget(self, before: datetime, limit: int) -> int:
        """Delete up to so many that ended before this moment, and return how many."""
        alarms = self._shelves.alarms
        old = [place for place, one in alarms.items() if one.ended_at is not None and one.ended_at < before][:limit]
        for place in old:
            del alarms[place]
        return len(old)

    def _place_of(self, kind: AlarmKind, subject: str) -> int | None:
        wanted = (kind, subject, None)
        places = self._shelves.alarms.items()
        return next((place for place, one in places if (one.kind, one.subject, one.ended_at) == wanted), None)
