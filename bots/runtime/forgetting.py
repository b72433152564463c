"""What was received, and what was decided, and done long ago is deleted, a little at a time: nobody waits for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from bots.runtime.ledger import Ledger
from keyhouse.core.ports import Transaction
from keyhouse.storage.errors import StoreAway

KEPT_FOR = timedelta(days=30)
"""Far longer than a homeserver repeats itself: an event that comes again within it is not decided about again."""

AT_ONCE = 200
LOOKS_EVERY = timedelta(minutes=10)
_BETWEEN = timedelta(milliseconds=200)


class Forgetting:
    """Deletes from the inbox and the outbox of one worker."""

    def __init__(self, ledger: Ledger, counts: Counter[str]) -> None:
        self._ledger, self._counts = ledger, counts

    async def run(self) -> None:
        """Delete what is old enough every ten minutes, until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY.total_seconds())
            try:
                await self.once()
            except StoreAway:
                self._counts["store_away"] += 1

    async def once(self) -> None:
        """Delete everything that is old enough now."""
        worker, before = self._ledger.worker, self._ledger.clock() - KEPT_FOR
        await forget_all(self._ledger, lambda tx: tx.inbox.forget(worker, before, AT_ONCE))
        await forget_all(self._ledger, lambda tx: tx.outbox.forget(worker, before, AT_ONCE))


async def forget_all(ledger: Ledger, some: Callable[[Transaction], int]) -> None:
    """Delete until nothing is left to delete. some: deletes up to AT_ONCE, and says how many."""
    deleted = AT_ONCE
    while deleted == AT_ONCE:
        deleted = await ledger.write(some)
        # Others write too.
        await asyncio.sleep(_BETWEEN.total_seconds())
