"""A homeserver, a house's database, and people who write: what delivery is measured on."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, select

from benchmarks.delivery_watcher import WatcherProcess, running_watcher
from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.crypto_store import StoreLock, open_machine
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.tables import incoming
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.directory import HouseDirectory
from provisioning.preflight import SHIPPED_CONFIG
from tests.support.client import Client, Clients
from tests.support.client_process import ClientProcess
from tests.support.ports import free_port
from tests.support.synapse import Account, RunningSynapse, plan_for_tests

CLIENT = "/_matrix/client/v3"
PASSWORD = "a long password"
SERVICE = "eating_disorders"
DECIDED_WITHIN_S = 120.0
ROOMS_AT_ONCE, ASKED_AT_ONCE = 4, 500

URGENT_EVERY = 40
_URGENT = "I am going to kill myself tonight"
_ORDINARY = (
    "did anybody else sleep badly",
    "good morning all, the kettle is on",
    "I managed breakfast today and it was fine",
    "my sister is coming on saturday and I don't know what to cook for her",
    "does the group on thursday still meet at six?",
    "thank you, that helped more than you think",
    "the bus was so late that I missed half of it again",
    "I am fed up with all of this but the dog needs a walk, so out we go",
    "has anybody read the second chapter yet",
    "it rained all day. I watched three films and knitted half a sleeve",
    "sending you a hug",
    "I could kill for a cup of tea :)",
)


def words(number: int) -> str:
    """What somebody writes: ordinary things, and one message in URGENT_EVERY about which a human must hear."""
    if number % URGENT_EVERY == URGENT_EVERY - 1:
        return f"{_URGENT}, number {number}"
    return f"{_ORDINARY[number % len(_ORDINARY)]} ({number})"


@dataclass(frozen=True)
class Writer:
    """Somebody at a client that is not ours, in an encrypted room with the watcher."""

    client: Client
    room: str

    async def say(self, number: int) -> tuple[str, float, float]:
        """Write a message; give its id, when it was begun (seconds since 1970), and how long the sending took."""
        began = time.time()
        event_id = await self.client.send(self.room, words(number))
        return event_id, began, time.time() - began


@dataclass
class DeliveryHouse:
    """The house. room_ids: every room that the watcher is in."""

    synapse: RunningSynapse
    house: House
    watcher: Account
    admin: Account
    node: ClientProcess
    room_ids: list[str] = field(default_factory=list)
    writers: list[Writer] = field(default_factory=list)

    @property
    def bot(self) -> Path:
        """The watcher's own directory."""
        return self.house.directory.root / "bots" / Worker.RISK_MONITOR.value

    async def room(self, kind: RoomKind, *invited: Client) -> str:
        """Make an encrypted room with the watcher and these people."""
        encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
        body = {
            "preset": "private_chat",
            "initial_state": [encryption],
            "invite": [each.user_id for each in invited],
        }
        made = await self.synapse.ask("POST", f"{CLIENT}/createRoom", self.watcher.access_token, body)
        room_id, slug = RoomId(made["room_id"]), f"{kind.value}-{len(self.room_ids)}"
        self.room_ids.append(room_id)
        members = frozenset(UserId(each.user_id) for each in invited) if kind is RoomKind.DESK else frozenset()
        with self.house.store.writing() as tx:
            tx.rooms.put(RoomScope(room_id, slug, kind, slug, members=members, service=SERVICE))
        for each in invited:
            await each.join(room_id)
        return room_id

    async def grow_to(self, rooms: int) -> None:
        """Make rooms, in which nobody but the watcher is, until there are so many."""
        left = iter(range(rooms - len(self.room_ids)))

        async def make() -> None:
            for _ in left:
                await self.room(RoomKind.LIVING_ROOM)

        await asyncio.gather(*(make() for _ in range(ROOMS_AT_ONCE)))

    async def add_writers(self, count: int) -> None:
        """Let people come in, each with a room and a desk."""
        clients = Clients(self.node, "delivery")
        for number in range(count):
            client = await clients.register(self.synapse.url, self.synapse.shared_secret)
            await self.lift_limits(client.user_id)
            person = Person(UserId(client.user_id), Role.PATIENT, PersonState.ACTIVE, f"fern-{number}", _now())
            with self.house.store.writing() as tx:
                tx.people.add(person)
            await self.room(RoomKind.DESK, client)
            self.writers.append(Writer(client, await self.room(RoomKind.LIVING_ROOM, client)))

    async def lift_limits(self, user_id: str) -> None:
        """Let an account send as fast as it can."""
        at = f"/_synapse/admin/v1/users/{user_id}/override_ratelimit"
        body = {"messages_per_second": 0, "burst_count": 0}
        await self.synapse.ask("POST", at, self.admin.access_token, body)

    def add_room_keys(self, count: int) -> None:
        """Put room keys into the watcher's store, while its process does not run."""
        credentials, files = BotCredentials.load(self.bot), BotFiles(self.bot)
        lock = StoreLock(files.store(credentials.device_id))
        olm = open_machine(credentials, files)
        with olm.one_transaction():
            for number in range(count):
                olm.create_outbound_group_session(self.room_ids[number % len(self.room_ids)])
        olm.store.database.close()
        lock.release()

    def watching(self) -> AbstractAsyncContextManager[WatcherProcess]:
        """Run the watcher's process until the end of the block."""
        return running_watcher(self.house.directory.root)

    async def decided(self, event_ids: Collection[str]) -> dict[str, float]:
        """Wait until every one of these is decided about; give when (seconds since 1970)."""
        async with asyncio.timeout(DECIDED_WITHIN_S):
            while True:
                at = await asyncio.to_thread(self._decided, list(event_ids))
                if len(at) == len(event_ids):
                    return at
                await asyncio.sleep(0.1)

    def _decided(self, event_ids: list[str]) -> dict[str, float]:
        engine = create_engine(self.house.settings.database)
        found: dict[str, float] = {}
        with engine.connect() as connection:
            for some in _portions(event_ids):
                is_done = incoming.c.event_id.in_(some) & incoming.c.done_at.is_not(None)
                rows = connection.execute(select(incoming.c.event_id, incoming.c.done_at).where(is_done))
                found |= {row.event_id: row.done_at.timestamp() for row in rows}
        engine.dispose()
        return found


@asynccontextmanager
async def delivery_house(directory: Path, writers: int) -> AsyncIterator[DeliveryHouse]:
    """Start a house in which the watcher has run once and so many people can write."""
    plan = plan_for_tests(directory / "synapse", free_port())
    data = HouseDirectory(directory / "data")
    settings = HouseSettings(
        server_name=plan.server_name,
        homeserver=plan.url,
        front_door="http://127.0.0.1:1",
        database=f"sqlite:///{data.database}",
        config=SHIPPED_CONFIG,
    )
    house = make_house(data, settings)
    async with RunningSynapse(plan) as synapse, ClientProcess() as node:
        watcher, admin = (
            await synapse.register("watcher", PASSWORD),
            await synapse.register("boss", PASSWORD, admin=True),
        )
        made = DeliveryHouse(synapse, house, watcher, admin, node)
        BotCredentials(plan.url, watcher.user_id, PASSWORD, new_device_id("watcher")).save(made.bot)
        await made.lift_limits(watcher.user_id)
        await made.room(RoomKind.CARE)
        async with made.watching():
            # Once its device is signed, whoever writes gives it the keys.
            await made.add_writers(writers)
            told = [await writer.say(0) for writer in made.writers]
            await made.decided([event_id for event_id, _, _ in told])
        yield made


def _portions(event_ids: list[str]) -> Iterable[list[str]]:
    return (event_ids[first : first + ASKED_AT_ONCE] for first in range(0, len(event_ids), ASKED_AT_ONCE))


def _now() -> datetime:
    return datetime.now(UTC)
