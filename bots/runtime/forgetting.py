"""What was received and done long ago is deleted, a little at a time, so that nobody waits for the database."""

import asyncio
from collections import Counter
from datetime import timedelta

from bots.runtime.ledger import Ledger
from keyhouse.storage.errors import StoreAway

KEPT_FOR = timedelta(days=30)
"""Far longer than a homeserver repeats itself: an event that comes again within it is not decided about again."""

AT_ONCE = 200
LOOKS_EVERY = timedelta(minutes=10)
_BETWEEN = timedelta(milliseconds=200)


class Forgetting:
    """Deletes from the inbox."""

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
        before = self._ledger.clock() - KEPT_FOR
        deleted = AT_ONCE
        while deleted == AT_ONCE:
            deleted = await self._ledger.write(lambda tx: tx.inbox.forget(self._ledger.worker, before, AT_ONCE))
            # Others write too.
            await asyncio.sleep(_BETWEEN.total_seconds())
