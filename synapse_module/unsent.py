"""Whoever's message did not go out is told at the desk; the answer to the client never waits for that."""

import logging
from datetime import UTC, datetime
from functools import partial

from synapse.module_api import ModuleApi

from keyhouse.core.ids import UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.speaking import tell_unsent
from keyhouse.storage.errors import StoreAway
from synapse_module.store_threads import StoreThreads
from synapse_module.to_tell import Told, ToTell

logger = logging.getLogger(__name__)

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 5.0


class Unsent:
    """Writes to the outbox who is to be told and why. While the store is away it keeps them in memory, and no longer.

    When too many wait the oldest is dropped: that client was answered by the refusal itself.
    """

    def __init__(self, api: ModuleApi, store: StoreThreads) -> None:
        self._api = api
        self._store = store
        self._to_tell = ToTell()
        self._is_writing = False

    def tell(self, person: UserId, reason: Reason) -> None:
        """Have somebody told."""
        dropped = self._to_tell.dropped
        if not self._to_tell.add(person, reason, datetime.now(UTC)):
            return
        if self._to_tell.dropped > dropped:
            logger.warning("not told at the desk that a message did not go out, so far: %d", self._to_tell.dropped)
        self._api.run_as_background_process("keyhouse_unsent", self._write)

    async def _write(self) -> None:
        if self._is_writing:
            return
        self._is_writing = True
        try:
            await self._until_written()
        finally:
            self._is_writing = False

    async def _until_written(self) -> None:
        wait_s = _FIRST_WAIT_S
        while some := self._to_tell.oldest():
            try:
                await self._store.write(partial(_tell_all, tuple(some.values())))
            except StoreAway:
                await self._api.sleep(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            else:
                self._to_tell.done(some)
                wait_s = _FIRST_WAIT_S


def _tell_all(told: tuple[Told, ...], tx: Transaction) -> None:
    for person, reason, now in told:
        tell_unsent(tx, person, reason, now)
