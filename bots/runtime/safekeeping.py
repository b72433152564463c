"""Beside the stream: tells the house's database how far the store has got, and copies the room keys."""

import asyncio
from datetime import datetime, timedelta

import structlog

from bots.runtime.clock import Clock
from bots.runtime.generations import Generations
from bots.runtime.happens import happens
from bots.runtime.olm import HouseOlm
from bots.runtime.patience import until_kept
from bots.runtime.room_key_export import WRITTEN_EVERY, RoomKeyExport
from keyhouse.storage.errors import StoreFault

log = structlog.get_logger()

TOLD_EVERY = timedelta(seconds=1)


class Safekeeping:
    """What is kept of a device's store outside of it. Nothing is written while nothing changed."""

    def __init__(
        self, olm: HouseOlm, generations: Generations | None, export: RoomKeyExport | None, clock: Clock
    ) -> None:
        self._olm, self._generations, self._export, self._clock = olm, generations, export, clock
        self._told: int | None = None
        self._copied = 0 if export is not None and export.exists() else -1
        self._copied_at: datetime | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        store = self._olm.store
        while True:
            store.changed.clear()
            await until_kept(self._tell, self._olm.arrivals.counts)
            due_in = self._copy_due_in()
            if due_in == timedelta(0):
                await self._copy()
                due_in = None
            await asyncio.sleep(TOLD_EVERY.total_seconds())
            await happens(store.changed, due_in)

    async def finish(self) -> None:
        """Tell and copy once more, because the bot stops."""
        self._olm.save_seen()
        try:
            await self._tell()
        except StoreFault as fault:
            log.warning("generation_not_told", fault=type(fault).__name__)
        if self._copy_due_in() is not None:
            await self._copy()

    async def _tell(self) -> None:
        generation = self._olm.store.generation
        if self._generations is not None and generation != self._told:
            await self._generations.reached(self._olm.device_id, generation)
            self._told = generation

    def _copy_due_in(self) -> timedelta | None:
        """How long until the room keys are copied; None while the copy is as good as the store."""
        if self._export is None or self._copied == self._olm.kept.changes:
            return None
        if self._copied_at is None:
            return timedelta(0)
        return max(timedelta(0), self._copied_at + WRITTEN_EVERY - self._clock())

    async def _copy(self) -> None:
        assert self._export is not None
        changes = self._olm.kept.changes
        self._copied_at = self._clock()
        try:
            await self._export.write(self._olm)
            self._copied = changes
        except OSError as fault:
            log.error("room_keys_not_copied", fault=type(fault).__name__)
