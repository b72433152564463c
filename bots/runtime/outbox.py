"""Does what was decided: a bot's Outgoing rows, lane beside lane, while it holds the lease."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bots.runtime.clock import Clock
from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.fault_points import reached
from bots.runtime.happens import happens
from bots.runtime.ledger import Ledger
from bots.runtime.once import Attempt, Attempts, NoLongerOurs
from keyhouse.core.outgoing import AWAY_STEPS, Outgoing, Rank, Worker, has_failed, holds_up, lane_of, next_try, rank_of
from keyhouse.core.ports import Transaction

LEASE_LASTS = timedelta(seconds=4)
AT_ONCE = 6
"""Lanes that run side by side; the last place is kept for what says that somebody may be in danger."""

LONGEST_WAIT_S, STANDS_BY_FOR_S = 1.0, 0.25
FINISHES_WITHIN_S = 2.0
KNOWN_AT_THE_SERVER_FOR = timedelta(hours=24)
"""How long Synapse remembers a device's transaction ids."""

NOT_HELD = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


class NotYet(Exception):
    """What this waits for has not happened; look again after `again_in`, or when it is hastened."""

    def __init__(self, awaited: str, again_in: timedelta) -> None:
        super().__init__(awaited)
        self.awaited = awaited
        self.again_in = again_in


class Outbox:
    """Drains the rows of one worker. do: does one row; when it returns, the row is done.

    device_id: of this process's login; another device has to look first whether an event was sent already.
    """

    def __init__(
        self,
        ledger: Ledger,
        worker: Worker,
        device_id: str,
        attempts: Attempts,
        do: Callable[[Outgoing], Awaitable[None]],
        clock: Clock,
        other_writes: Callable[[float], bool],
    ) -> None:
        self._ledger, self._worker, self._device_id, self._attempts = ledger, worker, device_id, attempts
        self._do, self._clock, self._other_writes = do, clock, other_writes
        # With a part that is drawn: two starts of one device are two holders, and the first may still be sending.
        self._holder = f"{device_id}:{secrets.token_hex(8)}"
        self._held_until = NOT_HELD
        self._busy: dict[str, asyncio.Task[None]] = {}
        self.counters = {"outgoing_done": 0, "outgoing_postponed": 0}

    async def run(self) -> None:
        """Drain until cancelled, then give the lease back, so that another device need not wait for its end."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                self._ledger.written.clear()
                held = await self._hold_lease()
                if held:
                    await self._begin_what_is_ready()
                await self._something_written(LONGEST_WAIT_S if held else STANDS_BY_FOR_S)
        finally:
            listening.cancel()
            if await self._ends_in_peace():
                await self._ledger.write(lambda tx: tx.leases.release(self._worker, self._holder))

    async def _hold_lease(self) -> bool:
        """Take the lease, or renew it in its second half; a write at every look would wake every other process."""
        now = self._clock()
        # More than a whole lease is left when the machine's clock was set back.
        if not LEASE_LASTS / 2 <= self._held_until - now <= LEASE_LASTS:
            held = await self._ledger.write(lambda tx: tx.leases.take(self._worker, self._holder, now, LEASE_LASTS))
            self._held_until = now + LEASE_LASTS if held else NOT_HELD
        return self._holds_lease()

    def _holds_lease(self) -> bool:
        return self._held_until > self._clock()

    async def _begin_what_is_ready(self) -> None:
        self._forget_what_ended()
        rows = self._that_fit(await self._ledger.read(self._ready)) if len(self._busy) < AT_ONCE else []
        if rows:
            tried_by = await self._ledger.write(lambda tx: [tx.outbox.trying(row.id, self._device_id) for row in rows])
            # The write may have waited longer than the lease lasts.
            for row, device_id in zip(rows, tried_by, strict=True) if self._holds_lease() else ():
                self._begin(row, device_id)

    def _ready(self, tx: Transaction) -> Sequence[Outgoing]:
        # Up to AT_ONCE of them are busy already.
        return tx.outbox.ready(self._worker, self._clock(), 2 * AT_ONCE)

    def _that_fit(self, ready: Sequence[Outgoing]) -> list[Outgoing]:
        """Choose, the most urgent first, as many as there are places."""
        chosen: dict[str, Outgoing] = {}
        for row in ready:
            lane, taken = lane_of(row), len(self._busy) + len(chosen)
            places = AT_ONCE if rank_of(row.kind) is Rank.DANGER else AT_ONCE - 1
            if taken < places and lane not in self._busy and lane not in chosen:
                chosen[lane] = row
        return list(chosen.values())

    def _begin(self, row: Outgoing, tried_by: str | None) -> None:
        doing = asyncio.create_task(self._attempt(row, tried_by), name=f"outgoing {row.id}")
        doing.add_done_callback(lambda _: self._ledger.written.set())
        self._busy[lane_of(row)] = doing

    def _forget_what_ended(self) -> None:
        """Free the places of rows that ended; a row whose end could not be written down ends the process."""
        for lane, doing in list(self._busy.items()):
            if doing.done():
                del self._busy[lane]
                doing.result()

    async def _attempt(self, row: Outgoing, tried_by: str | None) -> None:
        try:
            with self._attempts.begun(row.txn_id, Attempt(self._perhaps_sent_since(row, tried_by), self._holds_lease)):
                reached("before_doing")
                await self._do(row)
                reached("after_doing")
        except NoLongerOurs:
            return
        except NotYet as waiting:
            await self._postpone(row, waiting.awaited, waiting.again_in)
        except MatrixAway as away:
            soon = AWAY_STEPS[min(row.tries, len(AWAY_STEPS) - 1)]
            await self._postpone(row, type(away).__name__, soon, nobody_can=True)
        except MatrixRefused as refused:
            limited = refused.retry_after is not None
            await self._postpone(row, refused.errcode, refused.retry_after, nobody_can=limited)
        except Exception as fault:  # one bad row must never hold up the others
            await self._postpone(row, type(fault).__name__, None)
        else:
            self.counters["outgoing_done"] += 1
            await self._ledger.write(lambda tx: tx.outbox.done(row.id, self._clock()))

    def _perhaps_sent_since(self, row: Outgoing, tried_by: str | None) -> datetime | None:
        """Say from when on the event may be there although this device's transaction id would make a second one."""
        too_old = self._clock() - row.created_at >= KNOWN_AT_THE_SERVER_FOR
        may_be_there = tried_by is not None and (tried_by != self._device_id or too_old)
        return row.created_at if may_be_there else None

    async def _postpone(
        self, row: Outgoing, fault: str, again_in: timedelta | None, *, nobody_can: bool = False
    ) -> None:
        self.counters["outgoing_postponed"] += 1
        log.info("outgoing postponed", id=row.id, kind=row.kind.value, tries=row.tries, fault=fault)
        now = self._clock()
        until, failed_at = next_try(row.tries, now, again_in), now if has_failed(fault) else None
        holds = holds_up(row.kind, nobody_can=nobody_can)
        await self._ledger.write(
            lambda tx: tx.outbox.postpone(row.id, until, fault, holds_up=holds, failed_at=failed_at)
        )

    async def _ends_in_peace(self) -> bool:
        """Let what has begun end; what does not end soon is left to the lease, whose end another device waits for."""
        late: set[asyncio.Task[None]] = set()
        if self._busy:
            _, late = await asyncio.wait(self._busy.values(), timeout=FINISHES_WITHIN_S)
        for doing in late:
            doing.cancel()
        return not late

    async def _something_written(self, at_most_s: float) -> None:
        """Wait for a write of this process or another, at most until the lease wants looking after."""
        await happens(self._ledger.written, timedelta(seconds=at_most_s))

    async def _listen(self) -> None:
        while True:
            if await asyncio.to_thread(self._other_writes, LONGEST_WAIT_S):
                self._ledger.written.set()
