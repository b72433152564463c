"""What is wrong with the house itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, text, update

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.storage.tables import alarm
from keyhouse.storage.work import Work


class SqlAlarms:
    """Keeps alarms in the table `alarm`; of one kind and subject one at a time is open."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def open(self) -> Sequence[Alarm]:
        """Alarms that stand, oldest first."""
        query = select(alarm).where(alarm.c.ended_at.is_(None)).order_by(alarm.c.raised_at, alarm.c.id)
        return [_alarm(row) for row in self._work.all(query)]

    def latest(self, limit: int) -> Sequence[Alarm]:
        """Newest first, also those that ended."""
        return [_alarm(row) for row in self._work.all(select(alarm).order_by(alarm.c.id.desc()).limit(limit))]

    def put(self, new: Alarm) -> bool:
        """Keep an open alarm; False when one was there already, of which only when somebody was told is changed."""
        insert = self._work.insert(alarm).values(
            kind=new.kind.value, subject=new.subject, raised_at=new.raised_at, paged_at=new.paged_at
        )
        once = insert.on_conflict_do_nothing(
            index_elements=[alarm.c.kind, alarm.c.subject], index_where=text("ended_at IS NULL")
        )
        if self._work.change(once) == 1:
            return True
        if new.paged_at is not None:
            told = update(alarm).where(*_stands(new.kind, new.subject), alarm.c.paged_at.is_distinct_from(new.paged_at))
            self._work.change(told.values(paged_at=new.paged_at))
        return False

    def end(self, kind: AlarmKind, subject: str, now: datetime) -> bool:
        """End the open alarm of this kind and subject; False when there is none."""
        return self._work.change(update(alarm).where(*_stands(kind, subject)).values(ended_at=now)) == 1

    def forget(self, before: datetime, limit: int) -> int:
        """Delete up to so many that ended before this moment, and return how many."""
        query = select(alarm.c.id).where(alarm.c.ended_at < before).order_by(alarm.c.ended_at).limit(limit)
        ids = [row.id for row in self._work.all(query)]
        if ids:
            self._work.change_quietly(delete(alarm).where(alarm.c.id.in_(ids)))
        return len(ids)


def _stands(kind: AlarmKind, subject: str) -> tuple[Any, ...]:
    return alarm.c.kind == kind.value, alarm.c.subject == subject, alarm.c.ended_at.is_(None)


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(AlarmKind(row.kind), row.subject, row.raised_at, row.paged_at, row.ended_at)
