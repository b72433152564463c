"""Runs one bot: account, database, stream, outbox, timers and heartbeat in one process, until told to stop."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
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
from bots.runtime.health import Pulse
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import Outbox
from bots.runtime.received import Handler
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Outgoing, Worker
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import HouseSettings, load_house
from keyhouse.storage.changes import ChangeSignal
from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
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
        """Hear, once, that the stream has been read to its end. members: who is joined, by room."""

    async def watch_the_clock(self) -> None:
        """Do what time brings, until cancelled."""


MakeBot = Callable[[Surroundings], Bot]
Prepare = Callable[[HouseSettings], MakeBot]
"""Reads what the bot needs of the house's files; in a thread, because a lexicon takes long, and before any event."""


def main(worker: Worker, prepare: Prepare) -> None:
    """Run the bot of this process until SIGTERM; exit with one plain line when it cannot."""
    parser = argparse.ArgumentParser(prog=f"bots.{worker.value}")
    parser.add_argument("--data", type=Path, required=True, help="the house's data directory")
    data: Path = parser.parse_args().data
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        asyncio.run(_run(worker, prepare, data))
    except _HUMAN_NEEDED as fault:
        print(f"error: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(NEEDS_A_HUMAN)
    except (MatrixFault, StoreFault) as fault:
        print(f"error: {fault}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


async def _run(worker: Worker, prepare: Prepare, data: Path) -> None:
    settings = load_house(data)
    preparing = asyncio.create_task(asyncio.to_thread(prepare, settings))
    async with AsyncExitStack() as stack:
        ledger = _open_ledger(settings, data)
        stack.callback(ledger.close)
        other_writes = ChangeSignal(settings.database)
        stack.callback(other_writes.close)
        client = await _entered(data / "bots" / worker.value, stack)
        around = Surroundings(settings, ledger, client.sending, UserId(client.user_id), utc_now)
        make = await preparing
        await _until_told(_parts(worker, make(around), client, around, other_writes))


async def _entered(directory: Path, stack: AsyncExitStack) -> HouseClient:
    """Log in, again and again while the homeserver is away."""
    loop, pause_s = asyncio.get_running_loop(), _FIRST_PAUSE_S
    deadline = loop.time() + HOMESERVER_WITHIN_S
    while True:
        try:
            return await stack.enter_async_context(HouseClient(directory))
        except MatrixAway:
            if loop.time() >= deadline:
                raise
            log.info("waiting_for_homeserver", again_in_s=pause_s)
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _open_ledger(settings: HouseSettings, data: Path) -> Ledger:
    return Ledger(open_store(settings.database, HouseKeys.load(data / "secrets" / "house.keys")))


def _parts(
    worker: Worker, bot: Bot, client: HouseClient, around: Surroundings, other_writes: ChangeSignal
) -> list[asyncio.Task[None]]:
    holder = f"{worker.value}:{os.getpid()}"
    outbox = Outbox(around.ledger, worker, holder, bot.do, around.clock, other_writes.wait)
    pulse = Pulse(
        worker.value,
        around.ledger,
        around.clock,
        lambda: client.last_sync_at,
        lambda: {**client.counts, **outbox.counters, **bot.counters},
    )
    return [
        asyncio.create_task(client.run(bot, bot.devices_changed), name="stream"),
        asyncio.create_task(_when_caught_up(bot, client, outbox, pulse), name="outbox"),
        asyncio.create_task(bot.watch_the_clock(), name="clock"),
    ]


async def _when_caught_up(bot: Bot, client: HouseClient, outbox: Outbox, pulse: Pulse) -> None:
    """Send nothing, and say nothing of oneself, before everything that waited has been heard."""
    await client.caught_up.wait()
    await bot.caught_up(client.members())
    async with asyncio.TaskGroup() as parts:
        parts.create_task(outbox.run(), name="draining")
        parts.create_task(pulse.run(), name="heartbeat")


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
