"""Say every two seconds that the front door is there, and whether it reaches the homeserver."""

import asyncio
import logging
import os
from collections import Counter
from datetime import UTC, datetime, timedelta

import aiohttp

from keyhouse.core.ports import Heartbeat, Store
from keyhouse.storage.errors import StoreFault

logger = logging.getLogger(__name__)

_EVERY_S = 2
_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=1.5)
_LATELY = timedelta(seconds=10)


class Pulse:
    """The signs of life of this process. counts: what it did so far, by name."""

    def __init__(self, store: Store, http: aiohttp.ClientSession, homeserver: str, counts: Counter[str]) -> None:
        self._store = store
        self._http = http
        self._health = homeserver.rstrip("/") + "/health"
        self._counts = counts
        self._started_at = datetime.now(UTC)
        self._answered_at: datetime | None = None

    async def run(self) -> None:
        """Beat until cancelled; a store that is away is told once a beat and tried again."""
        while True:
            if await self._homeserver_answers():
                self._answered_at = datetime.now(UTC)
            try:
                await asyncio.to_thread(self._beat, datetime.now(UTC))
            except StoreFault as fault:
                logger.warning("no heartbeat: %s", type(fault).__name__)
            await asyncio.sleep(_EVERY_S)

    async def _homeserver_answers(self) -> bool:
        try:
            async with self._http.get(self._health, timeout=_ANSWERS_WITHIN) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _beat(self, now: datetime) -> None:
        seen = self._answered_at
        lately = seen if seen is not None and now - seen < _LATELY else None
        beat = Heartbeat("front_door", os.getpid(), self._started_at, now, lately, dict(self._counts))
        with self._store.writing() as tx:
            tx.heartbeats.beat(beat)
