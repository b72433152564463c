"""Events received and not yet dealt with. Their content is sealed at rest and wiped when done.

Nothing here wakes another process: none waits for it, and every message would wake them all.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, case, delete, func, null, select, update

from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import Incoming, NewIncoming
from keyhouse.core.outgoing import Worker
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import incoming
from keyhouse.storage.work import Work

_BOUND_AT_ONCE = 5_000
"""Values named in one statement; SQLite binds at most 32,766."""


class SqlInbox:
    """Keeps events in the table `incoming`."""

    def __init__(self, work: Work, seal: Seal) -> None:
        self._work = work
        self._seal = seal

    def receive(self, worker: Worker, events: Sequence[NewIncoming], now: datetime) -> Sequence[EventId]:
        """Keep the events that were never received; return those of all of them that are still to be handled."""
        self._alone(worker)
        insert = self._work.insert(incoming).on_conflict_do_nothing(index_elements=[*_OF_ONE])
        self._work.change_quietly(insert, [self._values(worker, new, now) for new in events])
        ids = list(dict.fromkeys(new.event_id for new in events))
        undone: set[str] = set()
        for some in _portions(ids):
            query = select(incoming.c.event_id).where(*_undone(worker), incoming.c.quarantined_at.is_(None))
            undone.update(row.event_id for row in self._work.all(query.where(incoming.c.event_id.in_(some))))
        return [event_id for event_id in ids if event_id in undone]

    def left_over(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """What an earlier process received and did not finish, oldest first, one more try counted on each."""
        self._alone(worker)
        new = (*_undone(worker), incoming.c.unread_since.is_(None), incoming.c.quarantined_at.is_(None))
        found = self._found(*new, incoming.c.place > after, limit=limit)
        places = incoming.c.place.in_([one.place for one in found])
        self._work.change_quietly(update(incoming).where(places).values(tries=incoming.c.tries + 1))
        return [replace(one, tries=one.tries + 1) for one in found]

    def take(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Make the event done, and say whether that was still to do; True too for one that was never received."""
        self._alone(worker)
        if self._work.change_quietly(_finish(worker, now).where(incoming.c.event_id == event_id)) == 1:
            return True
        # Only its id is kept: whoever receives it later finds it done.
        done = self._work.insert(incoming).values(
            worker=worker.value, event_id=event_id, room_id="", seal_key_id="", tries=0, received_at=now, done_at=now
        )
        return self._work.change_quietly(done.on_conflict_do_nothing(index_elements=[*_OF_ONE])) == 1

    def handled(self, worker: Worker, event_ids: Iterable[EventId], now: datetime) -> None:
        """Make events done about which there was nothing to decide."""
        self._alone(worker)
        for some in _portions(list(event_ids)):
            self._work.change_quietly(_finish(worker, now).where(incoming.c.event_id.in_(some)))

    def unread(self, worker: Worker, event_id: EventId, room_key: str, reason: str, now: datetime) -> None:
        """Keep that an event cannot be read yet; the first time counts."""
        first = (*_undone(worker), incoming.c.event_id == event_id, incoming.c.unread_since.is_(None))
        values = {"unread_since": now, "room_key_hash": self._seal.fingerprint(room_key), "reason": reason}
        self._work.change_quietly(update(incoming).where(*first).values(values))

    def readable_by(self, worker: Worker, room_keys: Iterable[str], limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events whose room key is one of these, oldest first."""
        found: list[Incoming] = []
        for some in _portions(list(room_keys)):
            by_key = incoming.c.room_key_hash.in_([self._seal.fingerprint(room_key) for room_key in some])
            # Asked for apart: beside the order by place, SQLite would go through everything that is not done.
            waiting = incoming.c.place.in_(select(incoming.c.place).where(incoming.c.worker == worker.value, by_key))
            found += self._found(waiting, incoming.c.quarantined_at.is_(None), incoming.c.place > after, limit=limit)
        return sorted(found, key=lambda one: one.place)[:limit]

    def still_unread(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events, also those with an alarm, oldest first."""
        return self._found(*_unread(worker), incoming.c.place > after, limit=limit)

    def unread_one(self, worker: Worker, event_id: EventId) -> Incoming | None:
        """Return this event if it is kept and cannot be read yet."""
        return next(iter(self._found(*_unread(worker), incoming.c.event_id == event_id, limit=1)), None)

    def unread_since(self, worker: Worker, before: datetime, limit: int) -> Sequence[Incoming]:
        """Events that have been unread from before this moment on and about which no alarm was raised yet."""
        silent = (incoming.c.alarmed_at.is_(None), incoming.c.unread_since < before)
        return self._found(*_unread(worker), *silent, limit=limit, first=incoming.c.unread_since)

    def alarmed(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Keep that an alarm was raised about an unread event; False when that was so before, or it has been read."""
        silent = (incoming.c.event_id == event_id, incoming.c.alarmed_at.is_(None))
        return self._work.change_quietly(update(incoming).where(*_unread(worker), *silent).values(alarmed_at=now)) == 1

    def quarantine(self, worker: Worker, event_id: EventId, fault: str, now: datetime) -> None:
        """Set an event aside that cannot be handled; its content stays, sealed."""
        flowing = (*_undone(worker), incoming.c.event_id == event_id, incoming.c.quarantined_at.is_(None))
        self._work.change_quietly(update(incoming).where(*flowing).values(quarantined_at=now, fault=fault))

    def set_aside(self, worker: Worker, event_ids: Sequence[EventId]) -> frozenset[EventId]:
        """Return those of these events that were set aside."""
        aside = select(incoming.c.event_id).where(*_undone(worker), incoming.c.quarantined_at.is_not(None))
        found = (self._work.all(aside.where(incoming.c.event_id.in_(some))) for some in _portions(event_ids))
        return frozenset(EventId(row.event_id) for rows in found for row in rows)

    def unread_rooms(self, worker: Worker, now: datetime, within: timedelta) -> Mapping[RoomId, int]:
        """How many events of the last while are unread, by room."""
        lately = (*_unread(worker), incoming.c.unread_since > now - within)
        query = select(incoming.c.room_id, func.count().label("events")).where(*lately).group_by(incoming.c.room_id)
        return {RoomId(row.room_id): row.events for row in self._work.all(query)}

    def standing(self, worker: Worker) -> Mapping[str, int]:
        """How many events are new, unread and quarantined, under these names."""
        unread = (incoming.c.unread_since.is_not(None), "unread")
        state = case((incoming.c.quarantined_at.is_not(None), "quarantined"), unread, else_="new").label("state")
        query = select(state, func.count().label("events")).where(*_undone(worker)).group_by(state)
        return {"new": 0, "unread": 0, "quarantined": 0} | {row.state: row.events for row in self._work.all(query)}

    def newest_at(self, worker: Worker) -> datetime | None:
        """When the newest event was received; None when there is none."""
        query = select(incoming.c.received_at).where(incoming.c.worker == worker.value)
        moment: datetime | None = self._work.scalar(query.order_by(incoming.c.received_at.desc()).limit(1))
        return moment

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many that were done before this moment, and unread ones received before it.

        The newest stays, whatever it is: by it a new device knows how far to look back.
        """
        self._alone(worker)
        newest = self.newest_at(worker)
        if newest is None:
            return 0
        ended = select(incoming.c.place).where(incoming.c.worker == worker.value, incoming.c.received_at < newest)
        done = ended.where(incoming.c.done_at < before).order_by(incoming.c.done_at).limit(limit)
        unread = ended.where(*_unread(worker), incoming.c.received_at < before).order_by(incoming.c.place).limit(limit)
        places = [row.place for query in (done, unread) for row in self._work.all(query)][:limit]
        for some in _portions(places):
            self._work.change_quietly(delete(incoming).where(incoming.c.place.in_(some)))
        return len(places)

    def _alone(self, worker: Worker) -> None:
        # Two devices of one account receive and finish the same rows, each in its own order, which could be a deadlock.
        self._work.one_at_a_time(zlib.crc32(f"inbox of {worker.value}".encode()))

    def _found(
        self, *where: ColumnElement[bool], limit: int, first: ColumnElement[Any] = incoming.c.place
    ) -> list[Incoming]:
        rows = self._work.all(select(incoming).where(*where).order_by(first, incoming.c.place).limit(limit))
        return [self._opened(row) for row in rows]

    def _values(self, worker: Worker, new: NewIncoming, now: datetime) -> dict[str, Any]:
        words = json.dumps(dict(new.raw), separators=(",", ":")).encode("ascii")
        return {
            "worker": worker.value,
            "event_id": new.event_id,
            "room_id": new.room_id,
            "seal_key_id": self._seal.key_id,
            "sealed": self._seal.close(words, incoming.name, bound_to(worker.value, new.event_id)),
            "received_at": now,
            "tries": 0,
        }

    def _opened(self, row: Row[Any]) -> Incoming:
        of_row = bound_to(row.worker, row.event_id)
        return Incoming(
            place=row.place,
            room_id=RoomId(row.room_id),
            event_id=EventId(row.event_id),
            raw=json.loads(self._seal.open(row.sealed, incoming.name, of_row, row.seal_key_id)),
            received_at=row.received_at,
            tries=row.tries,
            unread_since=row.unread_since,
        )


_OF_ONE = (incoming.c.worker, incoming.c.event_id)


def bound_to(worker: str, event_id: str) -> str:
    """Return the name of an event's row in its seal."""
    return f"{worker} {event_id}"


def _undone(worker: Worker) -> tuple[ColumnElement[bool], ...]:
    return incoming.c.worker == worker.value, incoming.c.done_at.is_(None)


def _unread(worker: Worker) -> tuple[ColumnElement[bool], ...]:
    return (*_undone(worker), incoming.c.quarantined_at.is_(None), incoming.c.unread_since.is_not(None))


def _finish(worker: Worker, now: datetime) -> Update:
    return update(incoming).where(*_undone(worker)).values(done_at=now, sealed=null(), room_key_hash=null())


def _portions(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _BOUND_AT_ONCE):
        yield values[start : start + _BOUND_AT_ONCE]
