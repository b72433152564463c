"""The house's store, asked in threads of its own: a slow disk never stops Synapse's main loop."""

from collections.abc import Callable
from typing import TypeVar

from synapse.module_api import ModuleApi
from twisted.python.threadpool import ThreadPool

from keyhouse.core.ports import Store, Transaction
from synapse_module.versions import at_shutdown

# Not more than the store's connections: a thread that waits for one would only hide that.
THREADS = 4

T = TypeVar("T")


class StoreThreads:
    """Runs rules and workflows inside a transaction. Keeps nothing between two questions."""

    def __init__(self, api: ModuleApi, store: Store) -> None:
        self._api = api
        self._store = store
        self._pool = ThreadPool(minthreads=1, maxthreads=THREADS, name="keyhouse")
        self._pool.start()
        at_shutdown(api, self._pool.stop)

    async def read(self, ask: Callable[[Transaction], T]) -> T:
        """Ask in a reading transaction, uncached. Raises StoreFault."""
        return await self._api.defer_to_threadpool(self._pool, self._reading, ask)

    async def write(self, act: Callable[[Transaction], T]) -> T:
        """Act in a writing transaction, kept as a whole or not at all. Raises StoreFault."""
        return await self._api.defer_to_threadpool(self._pool, self._writing, act)

    def _reading(self, ask: Callable[[Transaction], T]) -> T:
        with self._store.reading() as tx:
            return ask(tx)

    def _writing(self, act: Callable[[Transaction], T]) -> T:
        with self._store.writing() as tx:
            return act(tx)
