"""Signs of life of the processes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from keyhouse.core.ports import Heartbeat
from keyhouse.storage.tables import heartbeat
from keyhouse.storage.work import Work


class SqlHeartbeats:
    """Keeps the last beat of each process in the table `heartbeat`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def beat(self, beat: Heartbeat) -> None:
        """Keep a sign of life in place of the process's last one."""
        values = {
            "pid": beat.pid,
            "started_at": beat.started_at,
            "beat_at": beat.beat_at,
            "last_sync_at": beat.last_sync_at,
            "counters": dict(beat.counters),
        }
        insert = self._work.insert(heartbeat).values(process=beat.process, **values)
        self._work.change_quietly(insert.on_conflict_do_update(index_elements=[heartbeat.c.process], set_=values))

    def all(self) -> Sequence[Heartbeat]:
        """The last sign of life of every process, by name."""
        return [_heartbeat(row) for row in self._work.all(select(heartbeat).order_by(heartbeat.c.process))]


def _heartbeat(row: Row[Any]) -> Heartbeat:
    return Heartbeat(row.process, row.pid, row.started_at, row.beat_at, row.last_sync_at, row.counters)
