"""Gets the room keys that this device lacks: asks for them, and judges what others pass on. Beside the stream."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from bots.runtime.clock import Clock, utc_now
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.errors import MatrixFault, SessionEnded
from bots.runtime.happens import happens
from bots.runtime.homeserver import Homeserver
from bots.runtime.key_requests import KeyRequests
from bots.runtime.olm import HouseOlm
from bots.runtime.room_keys import RoomKeys
from bots.runtime.shared_history import SharedHistory

log = structlog.get_logger()

LOOKS_EVERY = timedelta(minutes=5)
PAUSE_AFTER_FAULT = timedelta(seconds=2)


class RoomKeySupply:
    """What a bot does about room keys that did not come by themselves."""

    def __init__(
        self,
        homeserver: Homeserver,
        olm: HouseOlm,
        devices: PeoplesDevices,
        room_keys: RoomKeys,
        clock: Clock = utc_now,
    ) -> None:
        self._olm, self._room_keys = olm, room_keys
        self._requests = KeyRequests(homeserver, olm, devices, room_keys, clock)
        self._history = SharedHistory(homeserver, olm, devices)

    async def run(self, hand_over: Callable[[], Awaitable[None]]) -> None:
        """Go on until cancelled; ends with SessionEnded. hand_over: lets the events be read whose keys are new."""
        while True:
            try:
                more = await self.once()
                await hand_over()
                await happens(self._olm.arrivals.stirred, timedelta(0) if more else LOOKS_EVERY)
            except SessionEnded:
                raise
            except MatrixFault as fault:
                self._olm.arrivals.counts["interruptions"] += 1
                log.warning("room_keys_not_supplied", fault=type(fault).__name__)
                await asyncio.sleep(PAUSE_AFTER_FAULT.total_seconds())

    async def once(self) -> bool:
        """Judge what waits, answer, ask and take back; say whether there is more to ask for."""
        self._olm.arrivals.stirred.clear()
        await self._requests.accept()
        await self._history.accept()
        await self._requests.answer()
        await self._requests.cancel()
        more = await self._requests.ask()
        if self._olm.arrivals.broken_sessions:
            await self._room_keys.mend()
        return more
