"""Events that were handled and led to nothing: made done many at a time, because most messages are harmless."""

import asyncio
from collections import Counter
from datetime import timedelta

from bots.runtime.fault_points import reached
from bots.runtime.ledger import Ledger
from bots.runtime.patience import until_kept
from keyhouse.core.ids import EventId

WRITTEN_EVERY = timedelta(milliseconds=100)


class Finished:
    """Collects event ids. Whatever was collected and not written when the process dies is handled again."""

    def __init__(self, ledger: Ledger, counts: Counter[str]) -> None:
        self._ledger, self._counts = ledger, counts
        self._ids: dict[EventId, None] = {}
        self._some = asyncio.Event()

    def add(self, event_id: str) -> None:
        """Let this event be done soon."""
        self._ids[EventId(event_id)] = None
        self._some.set()

    def has(self, event_id: str) -> bool:
        """Whether this event was handled and is not written down yet."""
        return event_id in self._ids

    async def run(self) -> None:
        """Write them down again and again, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(WRITTEN_EVERY.total_seconds())
            await self.write()

    async def write(self) -> None:
        """Write down what was collected."""
        self._some.clear()
        if self._ids:
            await until_kept(self.write_once, self._counts)

    async def write_once(self) -> None:
        """Write down what was collected; raises StoreAway while the database is away."""
        ids, now = list(self._ids), self._ledger.clock()
        if not ids:
            return
        reached("before_done")
        await self._ledger.write(lambda tx: tx.inbox.handled(self._ledger.worker, ids, now))
        for event_id in ids:
            del self._ids[event_id]
