"""Keeps that somebody ticked the box: behind the page, again and again while the house's database is away."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from keyhouse.core.ids import UserId
from keyhouse.core.ports import Store
from keyhouse.core.workflows.agreeing import agree
from keyhouse.storage.errors import StoreFault

logger = logging.getLogger(__name__)

MOST_WAITING = 1000
_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 20.0
_KEPT_WITHIN_S = 15 * 60


class Agreements(Protocol):
    """Takes note that the owner of a new account agreed to a version of the rules."""

    def keep(self, user_id: UserId, version: int) -> None:
        """Keep it soon. No page waits for it: whoever's agreement is lost is asked again at the desk."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    version: int
    given_up_at: float


class KeptAgreements:
    """Writes them into the house's database, all that wait at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[UserId, _Waiting] = {}
        self._news = asyncio.Event()

    def keep(self, user_id: UserId, version: int) -> None:
        """Keep it soon; beyond the thousandth that waits nothing more is taken on."""
        if len(self._waiting) >= MOST_WAITING:
            logger.error("an agreement is not kept: too many wait; it is asked for again at the desk")
            return
        self._waiting[user_id] = _Waiting(version, asyncio.get_running_loop().time() + _KEPT_WITHIN_S)
        self._news.set()

    async def run(self) -> None:
        """Keep what comes, until cancelled."""
        pause_s = _PAUSE_S
        while True:
            pause_s = _PAUSE_S if self._news.is_set() else min(pause_s * 2, _LONGEST_PAUSE_S)
            self._news.clear()
            await self.try_now()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s if self._waiting else None):
                    await self._news.wait()

    async def try_now(self) -> None:
        """Try once to keep everything that waits; what was tried for too long is given up."""
        waiting = {user_id: each.version for user_id, each in self._waiting.items()}
        kept = await asyncio.to_thread(self._write, waiting) if waiting else set()
        now = asyncio.get_running_loop().time()
        late = {user_id for user_id in waiting.keys() - kept if self._waiting[user_id].given_up_at < now}
        if late:
            logger.error("agreements not kept: %d; they are asked for again at the desk", len(late))
        for user_id in kept | late:
            del self._waiting[user_id]

    def _write(self, waiting: Mapping[UserId, int]) -> set[UserId]:
        """Return whose is kept; somebody whom the house does not know yet, though the homeserver does, still waits."""
        try:
            with self._store.writing() as tx:
                known = {user_id for user_id in waiting if tx.people.get(user_id) is not None}
                for user_id in sorted(known):
                    agree(tx, user_id, waiting[user_id], datetime.now(UTC))
                return known
        except StoreFault as fault:
            logger.warning("agreements wait: %s", type(fault).__name__)
            return set()
