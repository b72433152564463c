"""Open a bot's device: logged in, alone on its store, its keys published and signed. A lost store is a new device."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

import structlog

from bots.runtime.clock import Clock
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import ensure_signed
from bots.runtime.crypto_store import StoreLock, open_machine, published_device
from bots.runtime.errors import StoreInUse, StoreLost
from bots.runtime.generations import Generations
from bots.runtime.homeserver import Homeserver
from bots.runtime.looking_back import set_starting_point
from bots.runtime.new_device import give_new_device, sign_out_replaced
from bots.runtime.olm import HouseOlm
from bots.runtime.one_time_keys import OneTimeKeys
from bots.runtime.room_key_export import RoomKeyExport
from bots.runtime.session import open_session
from keyhouse.storage.sealing import Seal

log = structlog.get_logger()


@dataclass(frozen=True)
class OpenDevice:
    """A device in use. is_new: its keys were published at this start, so it has not heard what was said before."""

    credentials: BotCredentials
    homeserver: Homeserver
    olm: HouseOlm
    one_time_keys: OneTimeKeys
    export: RoomKeyExport | None
    identity: Literal["signed", "already"]
    is_new: bool


@dataclass(frozen=True)
class DeviceOpening:
    """What is needed to open a bot's device.

    generations: where the store's age is known; None in a bot without a house.  seal: of the copy of the room keys;
    None for no copy.
    """

    files: BotFiles
    generations: Generations | None
    seal: Seal | None
    clock: Clock

    async def open(self, stack: AsyncExitStack) -> OpenDevice:
        """Open the device; if its store is lost, give the bot a new device and open that one. stack: closes it."""
        async with AsyncExitStack() as attempt:
            try:
                device = await self._opened(attempt)
            except StoreLost as lost:
                log.error("store_lost_new_device", why=lost.why)
                give_new_device(self.files, self.clock())
            else:
                stack.push_async_callback(attempt.pop_all().aclose)
                return device
        return await self._opened(stack)

    async def _opened(self, stack: AsyncExitStack) -> OpenDevice:
        credentials = BotCredentials.load(self.files.directory)
        self._lock(credentials, stack)
        homeserver = Homeserver(credentials.homeserver, bot=self.files.directory.name)
        stack.push_async_callback(homeserver.close)
        await open_session(homeserver, credentials, self.files)
        olm = open_machine(credentials, self.files)
        stack.callback(olm.store.database.close)
        await self._refuse_old_copy(olm)
        export = RoomKeyExport(self.files.room_key_export, self.seal, credentials.user_id) if self.seal else None
        is_new = not await published_device(homeserver, olm.own)
        if is_new and export is not None:
            await export.read_into(olm)
        olm.account.shared = not is_new
        one_time_keys = OneTimeKeys(homeserver, olm)
        await set_starting_point(homeserver, olm, self.files.look_back_marker(credentials.device_id))
        if one_time_keys.are_needed():
            await one_time_keys.upload()
        identity = await ensure_signed(homeserver, olm, credentials, self.files)
        await sign_out_replaced(self.files, credentials.homeserver)
        return OpenDevice(credentials, homeserver, olm, one_time_keys, export, identity, is_new)

    def _lock(self, credentials: BotCredentials, stack: AsyncExitStack) -> None:
        lock = StoreLock(self.files.store(credentials.device_id))
        stack.callback(lock.release)
        # Somebody who held the lock a moment ago may have given the bot another device.
        if BotCredentials.load(self.files.directory) != credentials:
            raise StoreInUse("The bot was given another device at this moment. Start it again.")

    async def _refuse_old_copy(self, olm: HouseOlm) -> None:
        known = await self.generations.known(olm.device_id) if self.generations else None
        if known is not None and olm.store.generation < known:
            raise StoreLost(olm.user_id, olm.device_id, "older than known")
