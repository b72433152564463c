"""One bot at the homeserver: logged in, signed, reachable, and alone on its store."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import ensure_signed, is_signed
from bots.runtime.crypto_store import StoreLock, open_machine, published_device
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.homeserver import Homeserver
from bots.runtime.inbox import DevicesChanged, Inbox
from bots.runtime.olm import HouseOlm
from bots.runtime.one_time_keys import OneTimeKeys
from bots.runtime.reading import Reader
from bots.runtime.received import Handler
from bots.runtime.room_keys import RoomKeys
from bots.runtime.rooms import Rooms
from bots.runtime.sending import Sending
from bots.runtime.session import open_session, stored_session
from bots.runtime.sync import Sync, SyncPulse, set_starting_point
from bots.runtime.versions import check_versions


class HouseClient:
    """A bot's account in use, from `async with HouseClient(DIR/bots/NAME) as client` on.

    Entering raises one of the MatrixFaults, each with a plain sentence; it never changes an identity that exists.
    Sending works at once; events come while run() goes on.
    """

    def __init__(self, directory: Path) -> None:
        self._files = BotFiles(directory)
        self._open = AsyncExitStack()
        self._pulse = SyncPulse()
        self.caught_up = asyncio.Event()

    async def __aenter__(self) -> Self:
        check_versions()
        try:
            await self._start()
        except BaseException:
            await self._open.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def run(self, handler: Handler, devices_changed: DevicesChanged | None = None) -> None:
        """Hand everything that happens to the handler, until cancelled.

        devices_changed: awaited with the ids of people whose devices appeared, changed or vanished.
        Raises SessionEnded when the bot's device was logged out, and whatever means that its store cannot be written.
        """
        inbox = Inbox(self._olm, Reader(self._olm, self._devices), handler, devices_changed, self._pulse.counts)
        await Sync(
            self._homeserver,
            self._olm,
            self._devices,
            self._room_keys,
            self._one_time_keys,
            self._rooms,
            inbox,
            self._pulse,
            self.caught_up,
        ).run()

    @property
    def user_id(self) -> str:
        """The bot's own user id."""
        return self._credentials.user_id

    @property
    def room_ids(self) -> list[str]:
        """The rooms that the bot is in, as far as the stream has told; whole once caught_up is set."""
        return self._rooms.ids()

    def members(self) -> dict[str, frozenset[str]]:
        """Who is joined, by room, for the rooms that the bot is in; whole once caught_up is set."""
        return {room_id: frozenset(self._rooms[room_id].joined) for room_id in self._rooms.ids()}

    @property
    def last_sync_at(self) -> datetime | None:
        """When the stream last answered (UTC); None before the first time."""
        return self._pulse.last_sync_at

    @property
    def counts(self) -> Mapping[str, int]:
        """What happened since the start, by name: see SyncPulse."""
        return self._pulse.counts

    async def device_is_signed(self) -> bool:
        """Whether others see this device as signed by the bot's own identity."""
        return await is_signed(self._homeserver, self._credentials, self._files)

    async def _start(self) -> None:
        self._credentials = BotCredentials.load(self._files.directory)
        lock = StoreLock(self._files.store(self._credentials.device_id))
        self._open.callback(lock.release)
        self._homeserver = Homeserver(self._credentials.homeserver, bot=self._files.directory.name)
        self._open.push_async_callback(self._homeserver.close)
        await open_session(self._homeserver, self._credentials, self._files)
        self._olm: HouseOlm = open_machine(self._credentials, self._files)
        self._open.callback(self._olm.store.database.close)
        await self._enrol()
        self._devices = PeoplesDevices(self._homeserver)
        self._rooms = Rooms()
        self._room_keys = RoomKeys(self._homeserver, self._olm, self._devices)
        self.sending = Sending(self._homeserver, self._olm, self._rooms, self._devices, self._room_keys)

    async def _enrol(self) -> None:
        """Publish the device's keys and sign them; a device that is known is only compared."""
        self._one_time_keys = OneTimeKeys(self._homeserver, self._olm)
        published = await published_device(self._homeserver, self._olm.own, self._files)
        self._olm.account.shared = published
        await set_starting_point(self._homeserver, self._olm)
        if self._one_time_keys.are_needed():
            await self._one_time_keys.upload()
        self.identity: Literal["signed", "already"] = await ensure_signed(
            self._homeserver, self._olm, self._credentials, self._files
        )


async def device_is_signed(directory: Path) -> bool:
    """Whether others see the bot's device as signed by the bot's own identity; also while the bot runs. For doctor."""
    files = BotFiles(directory)
    credentials, session = BotCredentials.load(directory), stored_session(files)
    if session is None or session.device_id != credentials.device_id:
        return False
    homeserver = Homeserver(credentials.homeserver, session.access_token)
    try:
        return await is_signed(homeserver, credentials, files)
    finally:
        await homeserver.close()
