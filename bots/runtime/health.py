"""Signs of life: what a process says of itself every two seconds."""

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from keyhouse.core.ports import Heartbeat

BEATS_EVERY = timedelta(seconds=2)


class Pulse:
    """Writes the heartbeat of one process. last_sync and counters are asked at every beat."""

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
        """Beat until cancelled."""
        while True:
            await self._beat()
            await asyncio.sleep(BEATS_EVERY.total_seconds())

    async def _beat(self) -> None:
        beat = Heartbeat(
            self._process, os.getpid(), self._started_at, self._clock(), self._last_sync(), dict(self._counters())
        )
        await self._ledger.write(lambda tx: tx.heartbeats.beat(beat))
