"""A bot that runs in a test, and a handler that remembers what it was handed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bots.runtime.client import HouseClient
from bots.runtime.clock import Clock, utc_now
from bots.runtime.credentials import BotCredentials, new_device_id
from bots.runtime.generations import LedgerGenerations
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Received, Undecryptable
from keyhouse.storage.sealing import Seal
from tests.support.client import Client
from tests.support.fresh import fresh_name
from tests.support.ledgers import open_ledger
from tests.support.synapse import RunningSynapse

SEAL = Seal(bytes(32))
"""What stands for the house's key."""


class Remembering:
    """Keeps everything; fails on messages whose body it was told to fail on, and takes its time in one room."""

    def __init__(self) -> None:
        self.events: list[Received] = []
        self.failed: list[Received] = []
        self.alarmed: list[Undecryptable] = []
        self.devices_of: list[str] = []
        self.fails_on: list[str] = []
        self.holds_up: str | None = None
        self.goes_on = asyncio.Event()
        self.decides_in: Ledger | None = None
        self.decided: list[str] = []
        self._news = asyncio.Condition()

    async def received(self, event: Received) -> None:
        if isinstance(event, Message) and event.content.get("body") in self.fails_on:
            raise LookupError("told to fail")
        if isinstance(event, Message) and event.room_id == self.holds_up:
            await self.goes_on.wait()
        if self.decides_in and await self.decides_in.decide(event.event_id, lambda tx: True):
            self.decided.append(event.event_id)
        self.events.append(event)
        await self._tell()

    async def could_not_handle(self, event: Received) -> None:
        self.failed.append(event)
        await self._tell()

    async def stayed_unread(self, event: Undecryptable) -> None:
        self.alarmed.append(event)
        await self._tell()

    async def devices_changed(self, user_ids: Sequence[str]) -> None:
        self.devices_of += user_ids
        await self._tell()

    async def until(self, true: Callable[[], Any], timeout: float = 40) -> Any:
        """Wait until the condition gives something; give that."""
        async with asyncio.timeout(timeout), self._news:
            return await self._news.wait_for(true)

    async def event(self, event_id: str, kind: type[Received] = Message, timeout: float = 40) -> Any:
        """Wait for one event, as this kind of thing."""
        return await self.until(lambda: self.find(event_id, kind), timeout)

    def find(self, event_id: str, kind: type[Received] = Message) -> Received | None:
        """The event, if it came as this kind of thing."""
        return next((each for each in self.events if isinstance(each, kind) and each.event_id == event_id), None)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class LivingBot:
    """A running client and what it was handed."""

    def __init__(self, client: HouseClient, seen: Remembering, ledger: Ledger) -> None:
        self.client = client
        self.seen = seen
        self.ledger = ledger

    @property
    def user_id(self) -> str:
        return self.client.user_id

    async def join(self, person: Client, *others: Client, encrypted: bool = True, **more: Any) -> str:
        """A room made by a person, with the bot and the others in it."""
        invited = [self.user_id, *(each.user_id for each in others)]
        room = await person.create_room("room", invited, encrypted=encrypted, history_visibility="joined", **more)
        await self.client.sending.join(room)
        for each in others:
            await each.join(room)
        for user_id in invited:
            await person.wait_member(room, user_id)
        await self.seen.until(lambda: room in self.client.room_ids)
        return room


async def enrolled(synapse: RunningSynapse, directory: Path) -> BotCredentials:
    """A bot account with its credentials in a directory."""
    account = await synapse.register(fresh_name("bot"), "a long password")
    credentials = BotCredentials(synapse.url, account.user_id, account.password, new_device_id("watcher"))
    credentials.save(directory)
    return credentials


def give_new_device(directory: Path) -> None:
    """Let the bot of a directory start the next time on a device that never was."""
    replace(BotCredentials.load(directory), device_id=new_device_id("watcher")).save(directory)


@asynccontextmanager
async def living(directory: Path, clock: Clock = utc_now, house: Path | None = None) -> AsyncIterator[LivingBot]:
    """Run the bot of a directory, in step with the homeserver; its house's database lies beside it, or in `house`."""
    seen = Remembering()
    ledger = open_ledger(house or directory, clock=clock)
    try:
        async with HouseClient(directory, LedgerGenerations(ledger), SEAL) as client:
            running = asyncio.create_task(client.run(seen, ledger, seen.devices_changed))
            caught_up = asyncio.create_task(client.caught_up.wait())
            await asyncio.wait({running, caught_up}, timeout=40, return_when=asyncio.FIRST_COMPLETED)
            assert client.caught_up.is_set(), running
            try:
                yield LivingBot(client, seen, ledger)
            finally:
                running.cancel()
                await asyncio.wait({running})
            assert running.cancelled(), running.exception()
    finally:
        ledger.close()
