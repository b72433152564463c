"""One room of many people on two homeservers that differ in our module alone."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.door_timed import FILE
from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import open_store
from tests.support.door import database_url, door_module
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, PASSWORD
from tests.support.ports import free_port
from tests.support.synapse import Account, RunningSynapse, plan_for_tests

AT_ONCE = 4
OPEN = {
    "preset": "public_chat",
    "initial_state": [{"type": "m.room.history_visibility", "content": {"history_visibility": "joined"}}],
}
NO_LIMITS = {name: {"per_second": 1000, "burst_count": 1000} for name in ("rc_message", "rc_joins_per_room")}
PARENT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Room:
    """The room, and the one of its people who will write."""

    room_id: RoomId
    sender: Account


@dataclass(frozen=True)
class Sender:
    """Somebody who writes in the room, on one of the homeservers."""

    synapse: RunningSynapse
    room: Room

    async def send(self) -> None:
        """Send one message, and wait until the homeserver has taken it."""
        path = f"{CLIENT}/rooms/{self.room.room_id}/send/m.room.message/{fresh_name('txn')}"
        body = {"msgtype": "m.text", "body": "I slept a little better this week. How are you all?"}
        await self.synapse.ask("PUT", path, self.room.sender.access_token, body)


async def plain_house(folder: Path, members: int) -> Room:
    """Fill a room on a homeserver without our module, where everybody may come in, and stop it."""
    async with RunningSynapse(_plan(folder)) as synapse:
        sender = await synapse.register(fresh_name("sender"), PASSWORD)
        made = await synapse.ask("POST", f"{CLIENT}/createRoom", sender.access_token, OPEN)
        room, turn = Room(RoomId(made["room_id"]), sender), asyncio.Semaphore(AT_ONCE)

        async def come_in() -> None:
            async with turn:
                person = await synapse.register(fresh_name("person"), PASSWORD)
                await synapse.ask("POST", f"{CLIENT}/join/{room.room_id}", person.access_token, {})

        await asyncio.gather(*(come_in() for _ in range(members - 1)))
        return room


@asynccontextmanager
async def equal_houses(folder: Path, room: Room) -> AsyncIterator[tuple[Sender, Sender]]:
    """Run the homeserver of plain_house and a copy of it that has the door."""
    shutil.copytree(folder / "without", folder / "with")
    plan = _plan(folder / "with", modules=[_door(folder, room)])
    async with RunningSynapse(_plan(folder / "without")) as without, RunningSynapse(plan) as with_door:
        yield Sender(with_door, room), Sender(without, room)


@asynccontextmanager
async def timed_house(folder: Path, room: Room) -> AsyncIterator[tuple[Sender, Path]]:
    """Run the homeserver with the door again, with a watch held beside it; the file is what the watch says."""
    os.environ["PYTHONPATH"] = str(PARENT)
    module = {**door_module(folder), "module": "benchmarks.door_timed.TimedDoor"}
    async with RunningSynapse(_plan(folder / "with", modules=[module])) as synapse:
        yield Sender(synapse, room), folder / "with" / FILE


def _plan(folder: Path, **more: Any) -> Any:
    return plan_for_tests(folder, free_port(), extra=dict(NO_LIMITS), **more)


def _door(folder: Path, room: Room) -> dict[str, Any]:
    """Write down in our own database what the door has to know of the room and of who writes."""
    keys, url, now = HouseKeys.load_or_create(folder / "house_keys.json"), database_url(folder), datetime.now(UTC)
    migrate(url)
    store, condition, user_id = open_store(url, keys), Condition("willow"), UserId(room.sender.user_id)
    roles, conditions = frozenset({Role.PATIENT}), frozenset({condition})
    with store.writing() as tx:
        tx.people.add(Person(user_id, Role.PATIENT, PersonState.ACTIVE, "sender", now, rules_agreed=1))
        tx.people.grant(Key(user_id, condition, "benchmark", now))
        tx.rooms.put(RoomScope(room.room_id, "room", RoomKind.LIVING_ROOM, "The Willow room", roles, conditions))
    store.close()
    return door_module(folder)
