"""Signs of life: what a process says of itself every two seconds."""

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from keyhouse.core.ports import Heartbeat, Transaction
from keyhouse.storage.errors import StoreAway

BEATS_EVERY = timedelta(seconds=2)


class Pulse:
    """Writes the heartbeat of one process. last_sync and counters are asked at every beat.

    How many events are new, unread and quarantined is told with the counters, under these names.
    """

    def __init__(
        self,
        process: str,
        ledger: Ledger,
        clock: Clock,
        last_sync: Callable[[], datetime | None],
        counters: Callable[[], Mapping[str, int]],
    ) -> None:
        self._process, self._ledger, self._clock = process, ledger, clock
        self._last_sync, self._counters = last_sync, counters
        self._started_at = clock()

    async def run(self) -> None:
        """Beat until cancelled; what the database does not take is missed, as it should be."""
        while True:
            with suppress(StoreAway):
                await self._beat()
            await asyncio.sleep(BEATS_EVERY.total_seconds())

    async def _beat(self) -> None:
        beat = Heartbeat(
            self._process, os.getpid(), self._started_at, self._clock(), self._last_sync(), dict(self._counters())
        )
        await self._ledger.write(lambda tx: self._keep(tx, beat))

    def _keep(self, tx: Transaction, beat: Heartbeat) -> None:
        standing = tx.inbox.standing(self._ledger.worker)
        tx.heartbeats.beat(replace(beat, counters={**beat.counters, **standing}))
