"""Runs one bot: account, database, stream, outbox, timers and heartbeat in one process, until told to stop."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import structlog

from bots.runtime.client import HouseClient
from bots.runtime.clock import utc_now
from bots.runtime.errors import (
    CredentialsMissing,
    IdentityLost,
    LoginRefused,
    MatrixAway,
    MatrixFault,
    SessionEnded,
    StoreInUse,
    StoreLost,
)
from bots.runtime.generations import LedgerGenerations
from bots.runtime.health import Pulse
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import Outbox
from bots.runtime.received import Handler
from bots.runtime.store_faults import told_plainly
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Outgoing, Worker
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import HouseSettings, load_house
from keyhouse.storage.changes import ChangeSignal
from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.sealing import Seal
from keyhouse.storage.store import open_store

log = structlog.get_logger()

NEEDS_A_HUMAN = 3
"""Exit status: starting again would not help."""

_HUMAN_NEEDED = (CredentialsMissing, IdentityLost, LoginRefused, SessionEnded, StoreInUse, StoreLost, SettingsFault)

HOMESERVER_WITHIN_S = 120.0
"""How long a bot that starts waits for its homeserver, which mostly starts beside it."""

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 4.0


class Bot(Handler, Protocol):
    """One of the house's programs."""

    @property
    def counters(self) -> Mapping[str, int]:
        """What the bot did since the start, by name."""

    async def do(self, row: Outgoing) -> None:
        """Do one decision; returning means that it is done."""

    async def devices_changed(self, people: Sequence[str]) -> None:
        """Hear that devices of these people appeared, changed or vanished."""

    async def caught_up(self, members: Mapping[str, frozenset[str]]) -> None:
        """Hear, once, who is joined in the rooms that the bot is in; some while after the start.

        What the stream has told meanwhile is in it.
        """

    async def watch_the_clock(self) -> None:
        """Do what time brings, until cancelled."""


MakeBot = Callable[[Surroundings], Bot]
Prepare = Callable[[HouseSettings, Path], MakeBot]
"""Reads what the bot needs of the house's files: the settings, and the data directory that they were read from.

In a thread, because a lexicon takes long, and before any event.
"""


def main(worker: Worker, prepare: Prepare) -> None:
    """Run the bot of this process until SIGTERM; exit with one plain line when it cannot."""
    parser = argparse.ArgumentParser(prog=f"bots.{worker.value}")
    parser.add_argument("--data", type=Path, required=True, help="the house's data directory")
    parser.add_argument("--as", dest="name", default=worker.value, help="another device of the bot, by its directory")
    given = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        with told_plainly():
            asyncio.run(_run(worker, prepare, given.data, given.name))
    except _HUMAN_NEEDED as fault:
        print(f"error: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(NEEDS_A_HUMAN)
    except (MatrixFault, StoreFault) as fault:
        print(f"error: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


async def _run(worker: Worker, prepare: Prepare, data: Path, name: str) -> None:
    settings = load_house(data)
    preparing = asyncio.create_task(asyncio.to_thread(prepare, settings, data))
    async with AsyncExitStack() as stack:
        keys = HouseKeys.load(data / "secrets" / "house.keys")
        ledger = Ledger(open_store(settings.database, keys), worker)
        stack.callback(ledger.close)
        other_writes = ChangeSignal(settings.database)
        stack.callback(other_writes.close)
        client = await _entered(data / "bots" / name, ledger, Seal.of(keys), stack)
        history = client.history(ledger)
        around = Surroundings(settings, ledger, client.sending, UserId(client.user_id), utc_now, history)
        make = await preparing
        await _until_told(_parts(name, make(around), client, around, other_writes))


async def _entered(directory: Path, ledger: Ledger, seal: Seal, stack: AsyncExitStack) -> HouseClient:
    """Log in, again and again while the homeserver is away."""
    loop, pause_s = asyncio.get_running_loop(), _FIRST_PAUSE_S
    deadline = loop.time() + HOMESERVER_WITHIN_S
    while True:
        try:
            return await stack.enter_async_context(HouseClient(directory, LedgerGenerations(ledger), seal))
        except MatrixAway:
            if loop.time() >= deadline:
                raise
            log.info("waiting_for_homeserver", again_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _parts(
    name: str, bot: Bot, client: HouseClient, around: Surroundings, other_writes: ChangeSignal
) -> list[asyncio.Task[None]]:
    outbox = Outbox(
        around.ledger,
        around.ledger.worker,
        client.device_id,
        client.sending.attempts,
        bot.do,
        around.clock,
        other_writes.wait,
    )
    pulse = Pulse(
        name,
        around.ledger,
        around.clock,
        lambda: client.last_sync_at,
        lambda: {**client.counts, **outbox.counters, **bot.counters},
    )
    return [
        asyncio.create_task(client.run(bot, around.ledger, bot.devices_changed), name="stream"),
        asyncio.create_task(_once_in_touch(client, outbox.run), name="outbox"),
        asyncio.create_task(_once_in_touch(client, pulse.run), name="heartbeat"),
        asyncio.create_task(_watch_rooms(bot, client), name="clock"),
    ]


async def _once_in_touch(client: HouseClient, run: Callable[[], Awaitable[None]]) -> None:
    """Send nothing, and say nothing of oneself, before the homeserver has answered."""
    await client.in_touch.wait()
    await run()


async def _watch_rooms(bot: Bot, client: HouseClient) -> None:
    """Tell the bot who is where as soon as it is known; what time brings does not wait for it."""
    clock = asyncio.create_task(bot.watch_the_clock(), name="watching the clock")
    try:
        await client.in_touch.wait()
        await bot.caught_up(await client.census())
        await clock
    finally:
        clock.cancel()


async def _until_told(parts: list[asyncio.Task[None]]) -> None:
    """Run until SIGTERM or SIGINT, or until one part ends, whose fault is then raised."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    stop = asyncio.create_task(told.wait(), name="stop")
    done, _ = await asyncio.wait([*parts, stop], return_when=asyncio.FIRST_COMPLETED)
    for part in (*parts, stop):
        part.cancel()
    await asyncio.gather(*parts, stop, return_exceptions=True)
    for part in done - {stop}:
        part.result()
