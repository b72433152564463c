"""Who may write where, held in memory by every process of Synapse and kept fresh behind the messages' backs."""

import logging
from typing import cast

from synapse.logging.context import PreserveLoggingContext
from synapse.module_api import ModuleApi, make_deferred_yieldable
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.rooms import RoomKind
from keyhouse.core.speaking import PolicyChange, Speaker
from keyhouse.storage.errors import StoreFault
from synapse_module.store_threads import StoreThreads

logger = logging.getLogger(__name__)

RENEW_EVERY_MS = 1000
LONGEST_WAIT_S = 2.0
ROWS_AT_ONCE = 1000


class PolicySnapshot:
    """The people and rooms of the house as they were a moment ago. Only Synapse's main loop touches it.

    At most two seconds old while the store answers in time; the last one stays in force while it does not.
    """

    def __init__(self, api: ModuleApi, store: StoreThreads) -> None:
        self._api = api
        self._store = store
        self._version = 0
        self._speakers: dict[UserId, Speaker] = {}
        self._rooms: dict[RoomId, RoomKind] = {}
        # There are few sorts of speakers and many people: each sort is kept once.
        self._sorts: dict[Speaker, Speaker] = {}
        self._waiting: list[Deferred[bool]] = []
        self._is_renewing = False
        self._is_away = False

    def start(self) -> None:
        """Load it as soon as Synapse runs, and ask every second for what is new."""
        self._api.delayed_background_call(0, self._renew, desc="keyhouse_policy")
        self._api.looping_background_call(
            self._renew, RENEW_EVERY_MS, desc="keyhouse_policy", run_on_all_instances=True
        )

    def speaker(self, user_id: UserId) -> Speaker | None:
        """Return what is asked of an account; None: it is not known here."""
        return self._speakers.get(user_id)

    def kind(self, room_id: RoomId) -> RoomKind | None:
        """Return what a room is for; None: it is not known here."""
        return self._rooms.get(room_id)

    async def renewed(self) -> bool:
        """Wait until everything is here that was kept before now; False when the store did not answer in time.

        All who wait at once are served by one reading of the store, so their number costs nothing.
        """
        waiting: Deferred[bool] = Deferred()
        self._waiting.append(waiting)
        waiting.addTimeout(LONGEST_WAIT_S, cast(IReactorTime, reactor), lambda *_: False)
        self._api.run_as_background_process("keyhouse_policy", self._renew)
        return await make_deferred_yieldable(waiting)

    async def _renew(self) -> None:
        # Whoever comes while the store is being read may have come after the reading began: the next one is theirs.
        if self._is_renewing:
            return
        self._is_renewing = True
        try:
            await self._serve()
            while self._waiting:
                await self._serve()
        finally:
            self._is_renewing = False

    async def _serve(self) -> None:
        served, self._waiting = self._waiting, []
        is_fresh = False
        try:
            is_fresh = await self._catch_up()
        finally:
            with PreserveLoggingContext():
                for waiting in served:
                    waiting.callback(is_fresh)

    async def _catch_up(self) -> bool:
        try:
            newest = await self._store.read(lambda tx: tx.policy.newest())
            while self._version < newest:
                self._take(await self._store.read(lambda tx: tx.policy.changed_since(self._version, ROWS_AT_ONCE)))
        except StoreFault as fault:
            self._tell_once(type(fault).__name__)
            return False
        self._is_away = False
        return True

    def _take(self, change: PolicyChange) -> None:
        self._speakers |= {user: self._sorts.setdefault(sort, sort) for user, sort in change.speakers.items()}
        self._rooms |= change.rooms
        self._version = change.version

    def _tell_once(self, fault: str) -> None:
        if not self._is_away:
            logger.warning("who may write where is not kept fresh: %s", fault)
        self._is_away = True
