"""One bot at the homeserver: logged in, signed, reachable, and alone on its store."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from bots.runtime.census import count, find_rooms
from bots.runtime.clock import utc_now
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import is_signed
from bots.runtime.device import DeviceOpening
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.finished import Finished
from bots.runtime.forgetting import Forgetting
from bots.runtime.generations import Generations
from bots.runtime.handling import Handling
from bots.runtime.history import History
from bots.runtime.homeserver import Homeserver
from bots.runtime.inbox import DevicesChanged, Inbox
from bots.runtime.lanes import Lanes
from bots.runtime.ledger import Ledger
from bots.runtime.looking_back import LookingBack
from bots.runtime.reading import Reader
from bots.runtime.received import Handler
from bots.runtime.room_key_supply import RoomKeySupply
from bots.runtime.room_keys import RoomKeys
from bots.runtime.rooms import Rooms
from bots.runtime.safekeeping import Safekeeping
from bots.runtime.sending import Sending
from bots.runtime.session import stored_session
from bots.runtime.suspects import Suspects
from bots.runtime.sync import Sync, SyncPulse
from bots.runtime.together import together
from bots.runtime.unread import Unread
from bots.runtime.upkeep import Upkeep
from bots.runtime.versions import check_versions
from keyhouse.storage.errors import StoreAway
from keyhouse.storage.sealing import Seal


class HouseClient:
    """A bot's account in use, from `async with HouseClient(DIR/bots/NAME) as client` on.

    Entering raises one of the MatrixFaults, each with a plain sentence; it never changes an identity that exists.
    Sending works at once; events come while run() goes on. A bot whose encryption store is lost has another device
    then (decision 0007).
    generations: where the age of the store is known, so that an old copy is noticed.  seal: of the copy of the room
    keys beside the store; None for no copy.
    """

    def __init__(self, directory: Path, generations: Generations | None = None, seal: Seal | None = None) -> None:
        self._files = BotFiles(directory)
        self._generations, self._seal = generations, seal
        self._open = AsyncExitStack()
        self._pulse = SyncPulse()
        self.in_touch = asyncio.Event()
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

    async def run(self, handler: Handler, ledger: Ledger, devices_changed: DevicesChanged | None = None) -> None:
        """Hand everything that happens to the handler, until cancelled; each thing is kept in the ledger before.

        devices_changed: awaited with the ids of people whose devices appeared, changed or vanished.
        Raises SessionEnded when the bot's device was logged out, and whatever means that its store cannot be written.
        """
        counts = self._pulse.counts
        finished = Finished(ledger, counts)
        reader = Reader(self._olm, self._devices)
        handling = Handling(ledger, reader, handler, finished, counts)
        lanes = Lanes(handling.handle)
        suspects = Suspects(self._files.store(self._credentials.device_id) / "suspect.json")
        inbox = Inbox(ledger, self._olm, reader, self._devices, handling, lanes, suspects, devices_changed, counts)
        marker = self._files.look_back_marker(self._credentials.device_id)
        looking_back = LookingBack(self._homeserver, ledger, self._rooms, inbox, marker, self._pulse)
        upkeep = Upkeep(self._one_time_keys, counts)
        await looking_back.prepare()
        try:
            await together(
                self._receive(inbox, upkeep),
                lanes.until_a_fault(),
                finished.run(),
                upkeep.run(),
                Unread(ledger, self._olm, inbox, handling, lanes, counts).run(),
                looking_back.run(),
                Forgetting(ledger, counts).run(),
                self._supply.run(inbox.drain_room_keys),
                self._safekeeping.run(),
            )
        finally:
            await lanes.stop()
            with suppress(StoreAway):
                await finished.write_once()

    async def census(self) -> dict[str, frozenset[str]]:
        """Ask who is in each room that the bot is in; beside the stream, and with many rooms it takes a while."""
        return await count(self._homeserver, self._rooms)

    def history(self, ledger: Ledger) -> History:
        """What was said in the bot's rooms before an event. ledger: knows what was set aside, which is not read."""
        return History(self._homeserver, Reader(self._olm, self._devices), ledger)

    @property
    def user_id(self) -> str:
        """The bot's own user id."""
        return self._credentials.user_id

    @property
    def device_id(self) -> str:
        """The device that this process is; another one after a lost store."""
        return self._credentials.device_id

    @property
    def room_ids(self) -> list[str]:
        """The rooms that the bot is in."""
        return self._rooms.ids()

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

    async def _receive(self, inbox: Inbox, upkeep: Upkeep) -> None:
        await inbox.hand_over_left()
        await Sync(
            self._homeserver,
            self._olm,
            self._devices,
            self._one_time_keys,
            upkeep,
            self._rooms,
            inbox,
            self._pulse,
            self.in_touch,
            self.caught_up,
        ).run()

    async def _start(self) -> None:
        opening = DeviceOpening(self._files, self._generations, self._seal, utc_now)
        device = await opening.open(self._open)
        self._credentials, self._homeserver, self._olm = device.credentials, device.homeserver, device.olm
        self._one_time_keys, self.identity = device.one_time_keys, device.identity
        self._olm.arrivals.counts = self._pulse.counts
        self._safekeeping = Safekeeping(self._olm, self._generations, device.export, utc_now)
        self._open.push_async_callback(self._safekeeping.finish)
        self._devices = PeoplesDevices(self._homeserver)
        self._rooms = Rooms()
        self._room_keys = RoomKeys(self._homeserver, self._olm, self._devices)
        self._supply = RoomKeySupply(self._homeserver, self._olm, self._devices, self._room_keys)
        self.sending = Sending(self._homeserver, self._olm, self._rooms, self._devices, self._room_keys)
        await find_rooms(self._homeserver, self._rooms)
        self._olm.arrivals.enter_rooms(self._rooms.ids())


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
