"""The house's database as a bot uses it: one transaction at a time, in a thread, and a sign when something was kept."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from keyhouse.core.ports import Store, Transaction

T = TypeVar("T")


class Ledger:
    """Reads and writes for one bot."""

    def __init__(self, store: Store) -> None:
        self._store = store
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

    def close(self) -> None:
        """Let the running transaction end, and take no more."""
        self._thread.shutdown(wait=True)

    def _writing(self, work: Callable[[Transaction], T]) -> T:
        with self._store.writing() as tx:
            return work(tx)

    def _reading(self, work: Callable[[Transaction], T]) -> T:
        with self._store.reading() as tx:
            return work(tx)
