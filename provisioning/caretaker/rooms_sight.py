"""Which watched rooms the watcher is not in: asked of the homeserver in one question for all rooms."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

import structlog

from bots.runtime.clock import Clock
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import MembershipState
from provisioning.answers import Failure, House
from provisioning.held_accounts import signed_in

LOOKS_AT_ROOMS_EVERY = timedelta(seconds=30)
_ANSWERS_WITHIN_S = 20.0

log = structlog.get_logger()


class RoomsSight:
    """Keeps since when each watched room has been without the watcher.

    without: the oldest first; None while nobody has looked.  failures: how often the homeserver did not say.
    """

    def __init__(self, house: House, clock: Clock, every: timedelta = LOOKS_AT_ROOMS_EVERY) -> None:
        self._house, self._clock, self._every_s = house, clock, every.total_seconds()
        self._watcher = UserId(house.settings.user_id(ServiceAccount.WATCHER))
        self.without: dict[RoomId, datetime] | None = None
        self.failures = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._look()
            await asyncio.sleep(self._every_s)

    async def _look(self) -> None:
        watched = await asyncio.to_thread(self._watched)
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                entered = await self._entered()
        except (Failure, TimeoutError) as fault:
            self.failures += 1
            log.warning("rooms_not_proved", fault=type(fault).__name__)
            # What the concierge last saw is older, and better than nothing.
            entered = await asyncio.to_thread(self._observed)
        self.without = kept_since(self.without or {}, watched - entered, self._clock())

    def _watched(self) -> frozenset[RoomId]:
        with self._house.store.reading() as tx:
            return frozenset(scope.room_id for scope in tx.rooms.all() if scope.rules.watched)

    async def _entered(self) -> frozenset[RoomId]:
        file = self._house.directory.account(ServiceAccount.CARETAKER)
        async with signed_in(self._house.settings.homeserver, file) as homeserver:
            at = f"/_synapse/admin/v1/users/{quote(self._watcher, safe='')}/joined_rooms"
            return frozenset(map(RoomId, (await homeserver.request("GET", at))["joined_rooms"]))

    def _observed(self) -> frozenset[RoomId]:
        with self._house.store.reading() as tx:
            places = tx.memberships.of(self._watcher)
        return frozenset(place.room_id for place in places if place.state is MembershipState.JOINED)


def kept_since(before: Mapping[RoomId, datetime], wrong_now: Iterable[RoomId], now: datetime) -> dict[RoomId, datetime]:
    """Return since when each room has been wrong, the oldest first; whoever is well again is forgotten."""
    since = {room: before.get(room, now) for room in wrong_now}
    return dict(sorted(since.items(), key=lambda each: (each[1], each[0])))
