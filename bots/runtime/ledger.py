"""The house's database as a bot uses it: one transaction at a time, in a thread, and a sign when something was kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from bots.runtime.clock import Clock, utc_now
from bots.runtime.fault_points import reached
from keyhouse.core.ids import EventId
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Store, Transaction
from keyhouse.storage.errors import StoreConflict

T = TypeVar("T")

_TRIES = 4


class Ledger:
    """Reads and writes for one bot. worker: as whom it receives and decides."""

    def __init__(self, store: Store, worker: Worker, clock: Clock = utc_now) -> None:
        self._store = store
        self.worker = worker
        self.clock = clock
        # One thread: a bot's own transactions never wait for each other's locks.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self.written = asyncio.Event()

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Do this work in one writing transaction and return what it returned."""
        answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._writing, work)
        self.written.set()
        return answer

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Do this work in one reading transaction and return what it returned."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._reading, work)

    async def decide(self, event_id: str, work: Callable[[Transaction], T]) -> T | None:
        """Decide about a received event in one writing transaction that makes it done; None if it was done before.

        Whatever follows from an event is decided here: of two processes, or of one before and one after a crash,
        exactly one gets to do the work.
        """
        reached("before_decision")
        decided = await self._once(lambda tx: tx.inbox.take(self.worker, EventId(event_id), self.clock()), work)
        reached("after_decision")
        return decided

    async def alarm(self, event_id: str, work: Callable[[Transaction], T]) -> T | None:
        """Raise the alarm about an event that stayed unread; None if that was done before, or it has been read."""
        return await self._once(lambda tx: tx.inbox.alarmed(self.worker, EventId(event_id), self.clock()), work)

    async def insist(self, work: Callable[[Transaction], T]) -> T:
        """Do work that another process may be doing too: what it has just kept is seen at the next try."""
        tries_left = _TRIES
        while True:
            try:
                return await self.write(work)
            except StoreConflict:
                tries_left -= 1
                if not tries_left:
                    raise

    def close(self) -> None:
        """Let the running transaction end, and take no more."""
        self._thread.shutdown(wait=True)

    async def _once(self, is_first: Callable[[Transaction], bool], work: Callable[[Transaction], T]) -> T | None:
        return await self.insist(lambda tx: work(tx) if is_first(tx) else None)

    def _writing(self, work: Callable[[Transaction], T]) -> T:
        with self._store.writing() as tx:
            return work(tx)

    def _reading(self, work: Callable[[Transaction], T]) -> T:
        with self._store.reading() as tx:
            return work(tx)
