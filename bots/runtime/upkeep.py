"""Keep this device within reach, beside the stream: a homeserver slow to take keys must not hold messages up."""

import asyncio
from collections import Counter
from datetime import timedelta

import structlog

from bots.runtime.errors import MatrixFault, SessionEnded
from bots.runtime.one_time_keys import OneTimeKeys

AGAIN_AFTER = timedelta(seconds=2)

log = structlog.get_logger()


class Upkeep:
    """Supplies the homeserver with one-time keys. wanted: set when the stream has told that some are used."""

    def __init__(self, one_time_keys: OneTimeKeys, counts: Counter[str]) -> None:
        self._one_time_keys, self._counts = one_time_keys, counts
        self.wanted = asyncio.Event()

    async def run(self) -> None:
        """Upload what is needed whenever it is, until cancelled; ends with SessionEnded."""
        while True:
            await self.wanted.wait()
            self.wanted.clear()
            try:
                if self._one_time_keys.are_needed():
                    await self._one_time_keys.upload()
            except SessionEnded:
                raise
            except MatrixFault as fault:
                self._counts["interruptions"] += 1
                log.warning("keys_not_renewed", fault=type(fault).__name__)
                self.wanted.set()
                await asyncio.sleep(AGAIN_AFTER.total_seconds())
