"""Events received and not yet dealt with, in memory."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import Incoming, NewIncoming
from keyhouse.core.outgoing import Worker
from keyhouse.storage.memory.shelves import Received, Shelves

_NEVER_RECEIVED = RoomId("")


class MemoryInbox:
    """One entry for each worker and event."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def receive(self, worker: Worker, events: Sequence[NewIncoming], now: datetime) -> Sequence[EventId]:
        """Keep the events that were never received; return those of all of them that are still to be handled."""
        for new in events:
            if self._get(worker, new.event_id) is None:
                self._keep(worker, Incoming(self._next_place(), new.room_id, new.event_id, new.raw, now, 0, None))
        flowing = {one.event.event_id for one in self._of(worker) if one.flows}
        return [event_id for event_id in dict.fromkeys(new.event_id for new in events) if event_id in flowing]

    def left_over(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """What an earlier process received and did not finish, oldest first, one more try counted on each."""
        found = self._found(worker, lambda one: one.is_new and one.event.place > after)[:limit]
        for one in found:
            self._change(one, event=replace(one.event, tries=one.event.tries + 1))
        return [replace(one.event, tries=one.event.tries + 1) for one in found]

    def take(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Make the event done, and say whether that was still to do; True too for one that was never received."""
        one = self._get(worker, event_id)
        if one is None:
            self._keep(worker, Incoming(self._next_place(), _NEVER_RECEIVED, event_id, {}, now, 0, None), done_at=now)
            return True
        if one.done_at is not None:
            return False
        self._change(one, done_at=now, room_key=None, event=replace(one.event, raw={}))
        return True

    def handled(self, worker: Worker, event_ids: Iterable[EventId], now: datetime) -> None:
        """Make events done about which there was nothing to decide."""
        for event_id in event_ids:
            if self._get(worker, event_id) is not None:
                self.take(worker, event_id, now)

    def unread(self, worker: Worker, event_id: EventId, room_key: str, reason: str, now: datetime) -> None:
        """Keep that an event cannot be read yet; the first time counts."""
        one = self._get(worker, event_id)
        if one is not None and one.done_at is None and one.event.unread_since is None:
            self._change(one, room_key=room_key, event=replace(one.event, unread_since=now))

    def readable_by(self, worker: Worker, room_keys: Iterable[str], limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events whose room key is one of these, oldest first."""
        keys = frozenset(room_keys)
        waiting = self._found(worker, lambda one: one.is_unread and one.room_key in keys and one.event.place > after)
        return [one.event for one in waiting][:limit]

    def still_unread(self, worker: Worker, limit: int, after: int = 0) -> Sequence[Incoming]:
        """Unread events, also those with an alarm, oldest first."""
        unread = self._found(worker, lambda one: one.is_unread and one.event.place > after)
        return [one.event for one in unread][:limit]

    def unread_one(self, worker: Worker, event_id: EventId) -> Incoming | None:
        """Return this event if it is kept and cannot be read yet."""
        one = self._get(worker, event_id)
        return one.event if one is not None and one.is_unread else None

    def unread_since(self, worker: Worker, before: datetime, limit: int) -> Sequence[Incoming]:
        """Events that have been unread from before this moment on and about which no alarm was raised yet."""
        silent = self._found(worker, lambda one: one.is_unread and one.alarmed_at is None)
        since = [(one.event.unread_since or before, one.event) for one in silent]
        return [event for moment, event in sorted(since, key=lambda pair: pair[0]) if moment < before][:limit]

    def alarmed(self, worker: Worker, event_id: EventId, now: datetime) -> bool:
        """Keep that an alarm was raised about an unread event; False when that was so before, or it has been read."""
        one = self._get(worker, event_id)
        if one is None or not one.is_unread or one.alarmed_at is not None:
            return False
        self._change(one, alarmed_at=now)
        return True

    def quarantine(self, worker: Worker, event_id: EventId, fault: str, now: datetime) -> None:
        """Set an event aside that cannot be handled; its content stays."""
        one = self._get(worker, event_id)
        if one is not None and one.flows:
            self._change(one, quarantined_at=now)

    def set_aside(self, worker: Worker, event_ids: Sequence[EventId]) -> frozenset[EventId]:
        """Return those of these events that were set aside."""
        known = ((event_id, self._get(worker, event_id)) for event_id in event_ids)
        return frozenset(
            event_id for event_id, one in known if one and one.done_at is None and one.quarantined_at is not None
        )

    def unread_rooms(self, worker: Worker, now: datetime, within: timedelta) -> Mapping[RoomId, int]:
        """How many events of the last while are unread, by room."""
        unread = (one.event for one in self._of(worker) if one.is_unread)
        return Counter(event.room_id for event in unread if (event.unread_since or now) > now - within)

    def standing(self, worker: Worker) -> Mapping[str, int]:
        """How many events are new, unread and quarantined, under these names."""
        undone = [one for one in self._of(worker) if one.done_at is None]
        return {
            "new": sum(one.is_new for one in undone),
            "unread": sum(one.is_unread for one in undone),
            "quarantined": sum(one.quarantined_at is not None for one in undone),
        }

    def newest_at(self, worker: Worker) -> datetime | None:
        """When the newest event was received; None when there is none."""
        return max((one.event.received_at for one in self._of(worker)), default=None)

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many that were done before this moment, and unread ones received before it."""
        newest = self.newest_at(worker)
        ended = self._found(worker, lambda one: one.ended_before(before) and one.event.received_at != newest)[:limit]
        for one in ended:
            del self._shelves.incoming[worker, one.event.event_id]
        return len(ended)

    def _get(self, worker: Worker, event_id: EventId) -> Received | None:
        return self._shelves.incoming.get((worker, event_id))

    def _of(self, worker: Worker) -> list[Received]:
        return [one for one in self._shelves.incoming.values() if one.worker is worker]

    def _found(self, worker: Worker, wanted: Callable[[Received], bool]) -> list[Received]:
        return sorted((one for one in self._of(worker) if wanted(one)), key=lambda one: one.event.place)

    def _next_place(self) -> int:
        return max((one.event.place for one in self._shelves.incoming.values()), default=0) + 1

    def _keep(self, worker: Worker, event: Incoming, done_at: datetime | None = None) -> None:
        self._shelves.incoming[worker, event.event_id] = Received(worker, event, done_at=done_at)

    def _change(self, one: Received, **changes: object) -> None:
        self._shelves.incoming[one.worker, one.event.event_id] = replace(one, **changes)  # type: ignore[arg-type]
