"""Does what was decided: drains a bot's Outgoing rows while it holds the lease."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bots.runtime.clock import Clock
from bots.runtime.errors import MatrixRefused
from bots.runtime.ledger import Ledger
from keyhouse.core.outgoing import Outgoing, Worker, next_try
from keyhouse.core.ports import Transaction

LEASE_LASTS = timedelta(seconds=4)
AT_ONCE = 50
LONGEST_WAIT = 1.0
NOT_HELD = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


class NotYet(Exception):
    """What this waits for has not happened; look again after `again_in`, or when it is hastened."""

    def __init__(self, awaited: str, again_in: timedelta) -> None:
        super().__init__(awaited)
        self.awaited = awaited
        self.again_in = again_in


class Outbox:
    """Drains the rows of one worker. do: does one row; when it returns, the row is done."""

    def __init__(
        self,
        ledger: Ledger,
        worker: Worker,
        holder: str,
        do: Callable[[Outgoing], Awaitable[None]],
        clock: Clock,
        other_writes: Callable[[float], bool],
    ) -> None:
        self._ledger, self._worker, self._holder = ledger, worker, holder
        self._do, self._clock, self._other_writes = do, clock, other_writes
        self._held_until = NOT_HELD
        self.counters = {"outgoing_done": 0, "outgoing_postponed": 0}

    async def run(self) -> None:
        """Drain until cancelled, then give the lease back, so that another device need not wait for its end."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                self._ledger.written.clear()
                if not await self._drain():
                    await self._something_written()
        finally:
            listening.cancel()
            await self._ledger.write(lambda tx: tx.leases.release(self._worker, self._holder))

    async def _drain(self) -> bool:
        """Do what is due; return whether there may be more at once."""
        if not await self._hold_lease():
            return False
        rows = await self._ledger.read(self._due)
        for row in rows:
            await self._attempt(row)
            if not await self._hold_lease():
                return False
        return len(rows) == AT_ONCE

    def _due(self, tx: Transaction) -> Sequence[Outgoing]:
        return tx.outbox.due(self._worker, self._clock(), AT_ONCE)

    async def _hold_lease(self) -> bool:
        """Take the lease, or renew it in its second half; a write at every look would wake every other process."""
        now = self._clock()
        if self._held_until - now < LEASE_LASTS / 2:
            held = await self._ledger.write(lambda tx: tx.leases.take(self._worker, self._holder, now, LEASE_LASTS))
            self._held_until = now + LEASE_LASTS if held else NOT_HELD
        return self._held_until > now

    async def _attempt(self, row: Outgoing) -> None:
        try:
            await self._do(row)
        except NotYet as waiting:
            await self._postpone(row, waiting.awaited, waiting.again_in)
        except MatrixRefused as refused:
            await self._postpone(row, refused.errcode, refused.retry_after)
        except Exception as fault:  # one bad row must never hold up the others
            await self._postpone(row, type(fault).__name__, None)
        else:
            self.counters["outgoing_done"] += 1
            await self._ledger.write(lambda tx: tx.outbox.done(row.id, self._clock()))

    async def _postpone(self, row: Outgoing, fault: str, again_in: timedelta | None) -> None:
        self.counters["outgoing_postponed"] += 1
        log.info("outgoing postponed", id=row.id, kind=row.kind.value, tries=row.tries, fault=fault)
        until = next_try(row.tries, self._clock(), again_in)
        await self._ledger.write(lambda tx: tx.outbox.postpone(row.id, until, fault))

    async def _something_written(self) -> None:
        """Wait for a write of this process or another, at most until the lease wants renewing."""
        try:
            await asyncio.wait_for(self._ledger.written.wait(), LONGEST_WAIT)
        except TimeoutError:
            return

    async def _listen(self) -> None:
        while True:
            if await asyncio.to_thread(self._other_writes, LONGEST_WAIT):
                self._ledger.written.set()
