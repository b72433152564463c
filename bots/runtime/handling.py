"""Hand one received event to the bot, so that no single one can stop or hide the rest."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from bots.runtime.finished import Finished
from bots.runtime.ledger import Ledger
from bots.runtime.patience import until_kept
from bots.runtime.reading import Reader, unreadable_by_anybody
from bots.runtime.received import Handler, Malformed, Received, Undecryptable
from bots.runtime.store_faults import is_store_fault
from keyhouse.core.incoming import NewIncoming
from keyhouse.storage.errors import StoreAway

log = structlog.get_logger()

HANDLED_WITHIN = timedelta(seconds=60)


class Handling:
    """The boundary at which a single event is read, handed over, and set aside when it cannot be handled."""

    def __init__(
        self,
        ledger: Ledger,
        reader: Reader,
        handler: Handler,
        finished: Finished,
        counts: Counter[str],
    ) -> None:
        self._ledger, self._reader, self._handler = ledger, reader, handler
        self._finished, self._counts = finished, counts

    async def handle(self, event: NewIncoming) -> None:
        """Handle one event; while the database is away it is tried again, and never counts as handled."""
        await until_kept(lambda: self._attempt(event), self._counts)

    async def give_up(self, event: NewIncoming, *, tell: bool) -> None:
        """Set aside an event that the process dies of. tell: let the bot raise its alarm."""
        # Not read: reading may be what the process dies of.
        received = unreadable_by_anybody(event.room_id, event.raw)
        await until_kept(lambda: self._set_aside(event, received, "ProcessDied", tell=tell), self._counts)

    def has_handled(self, event_id: str) -> bool:
        """Whether this event was handled a moment ago, which the database does not know yet."""
        return self._finished.has(event_id)

    def is_readable(self, event: NewIncoming) -> bool:
        """Whether the room key of an event that could not be read is here now."""
        return not isinstance(self._read(event), Undecryptable)

    async def alarm(self, event: NewIncoming) -> None:
        """Let the bot raise the alarm about an event that stayed unread."""
        received = self._read(event)
        if isinstance(received, Undecryptable):
            await self._handler.stayed_unread(received)
            self._counts["stayed_unread"] += 1

    async def _attempt(self, event: NewIncoming) -> None:
        received = self._read(event)
        if isinstance(received, Undecryptable):
            received = await self._kept_unread(event, received)
        self._count(received)
        try:
            async with asyncio.timeout(HANDLED_WITHIN.total_seconds()):
                await self._handler.received(received)
        except StoreAway:
            raise
        except Exception as fault:
            log.error("event_not_handled", kind=type(received).__name__, fault=type(fault).__name__)
            await self._set_aside(event, received, type(fault).__name__, tell=True)
        else:
            if not isinstance(received, Undecryptable):
                self._finished.add(event.event_id)

    def _read(self, event: NewIncoming) -> Received:
        return read_whatever_came(self._reader, event.room_id, event.raw)

    async def _kept_unread(self, event: NewIncoming, unread: Undecryptable) -> Received:
        """Keep that the event cannot be read; give it read if its key came meanwhile."""
        key, now = room_key(event.room_id, unread.session_id), self._ledger.clock()
        await self._ledger.write(
            lambda tx: tx.inbox.unread(self._ledger.worker, event.event_id, key, unread.reason, now)
        )
        # A key that came before that line has found no row to make readable.
        return self._read(event)

    async def _set_aside(self, event: NewIncoming, received: Received, fault: str, *, tell: bool) -> None:
        """Let the bot raise an alarm, then keep the event out of the way; told twice after a crash in between."""
        if tell:
            await self._handler.could_not_handle(received)
        worker, now = self._ledger.worker, self._ledger.clock()
        await self._ledger.write(lambda tx: tx.inbox.quarantine(worker, event.event_id, fault, now))
        self._counts["could_not_handle"] += 1

    def _count(self, received: Received) -> None:
        self._counts["events"] += 1
        self._counts["undecryptable"] += isinstance(received, Undecryptable)
        self._counts["malformed"] += isinstance(received, Malformed)


def read_whatever_came(reader: Reader, room_id: str, event: Mapping[str, Any]) -> Received:
    """Read one raw event that is for the bot; one that the reading fails on is Malformed."""
    try:
        return reader.read(room_id, event)
    except Exception as fault:
        if is_store_fault(fault):
            raise
        log.warning("event_not_readable", fault=type(fault).__name__)
        return unreadable_by_anybody(room_id, event)


def room_key(room_id: str, session_id: str | None) -> str:
    """Name a room key as the inbox knows it."""
    return f"{room_id}|{session_id or ''}"
