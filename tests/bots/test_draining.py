"""Many decisions at a homeserver that asks for time: each leaves once, in its room's order."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.runtime.clock import utc_now
from bots.runtime.outbox import Outbox
from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind, Worker
from tests.bots.conftest import People
from tests.bots.living import LivingBot
from tests.support.client import Client
from tests.support.fresh import fresh_name
from tests.support.synapse import Account, RunningSynapse

ROWS, ROOMS = 200, 4
WATCHER = Worker.RISK_MONITOR


class Draining:
    """An outbox that sends a body into a room. sent: how often, by body."""

    def __init__(self, bot: LivingBot) -> None:
        self._sending = bot.client.sending
        self.stopped = threading.Event()
        self.changed = asyncio.Event()
        self.sent: dict[str, int] = defaultdict(int)
        self.outbox = Outbox(
            bot.ledger, WATCHER, bot.client.device_id, self._sending.attempts, self.do, utc_now, self.stopped.wait
        )

    async def do(self, row: Outgoing) -> None:
        """Send one."""
        try:
            body = str(row.content["body"])
            await self._sending.send_message(
                str(row.content["room_id"]), {"msgtype": "m.text", "body": body}, row.txn_id
            )
            self.sent[body] += 1
        finally:
            self.changed.set()

    async def until_sent(self, at_least: int) -> None:
        """Wait until so many were sent."""
        async with asyncio.timeout(120):
            while len(self.sent) < at_least:
                await self.changed.wait()
                self.changed.clear()

    async def until_postponed(self) -> None:
        """Wait until the homeserver has asked for time."""
        async with asyncio.timeout(60):
            while not self.outbox.counters["outgoing_postponed"]:
                await self.changed.wait()
                self.changed.clear()


@asynccontextmanager
async def draining(bot: LivingBot) -> AsyncIterator[Draining]:
    """Send what is decided for this bot."""
    drain = Draining(bot)
    running = asyncio.create_task(drain.outbox.run())
    yield drain
    drain.stopped.set()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled(), running.exception()


async def bodies(client: Client, room: str) -> list[str]:
    """What was said in a room, oldest first."""
    page = await client.request("GET", f"/_matrix/client/v3/rooms/{room}/messages?dir=f&limit=500")
    return [each["content"]["body"] for each in page["chunk"] if each["type"] == "m.room.message"]


async def test_two_hundred_decisions_at_a_homeserver_that_asks_for_time_leave_once_in_the_order_of_each_room(
    bot: LivingBot, person: People, synapse: RunningSynapse, admin: Account
) -> None:
    alice = await person()
    rooms = [await bot.join(alice, encrypted=False) for _ in range(ROOMS)]
    limit = f"/_synapse/admin/v1/users/{bot.user_id}/override_ratelimit"
    await synapse.ask("POST", limit, admin.access_token, {"messages_per_second": 1, "burst_count": 2})
    decided: dict[str, list[str]] = defaultdict(list)
    new = []
    for number in range(ROWS):
        room = rooms[number % ROOMS]
        decided[room].append(str(number))
        content = {"room_id": room, "body": str(number)}
        new.append(NewOutgoing(OutgoingKind.ANSWER, WATCHER, fresh_name("row"), content, utc_now()))
    await bot.ledger.write(lambda tx: tx.outbox.add_all(new, utc_now()))

    async with draining(bot) as drain:
        await drain.until_postponed()
        await synapse.ask("POST", limit, admin.access_token, {"messages_per_second": 0, "burst_count": 0})
        await drain.until_sent(ROWS)

    assert set(drain.sent.values()) == {1}
    assert await bot.ledger.read(lambda tx: tx.outbox.next_due_at(WATCHER)) is None
    assert {room: await bodies(alice, room) for room in rooms} == decided
