"""`python -m provisioning.caretaker --data DIR`: looks after the house itself, and tells somebody when it is unwell.

The one process that holds the server administrator's token while the house runs. It listens on no port.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

import structlog

from bots.runtime.clock import utc_now
from bots.runtime.health import Pulse
from bots.runtime.ledger import Ledger
from bots.runtime.once import Attempts
from bots.runtime.outbox import Outbox
from bots.runtime.run import NEEDS_A_HUMAN
from keyhouse.core.notices import NoticeLimits
from keyhouse.core.outgoing import Outgoing, Worker
from keyhouse.core.workflows.watching import set_aside_counters
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import HouseSettings, load_house
from keyhouse.settings.pager import PagerSettings, load_pager
from keyhouse.storage.changes import ChangeSignal
from keyhouse.storage.errors import StoreFault
from provisioning.answers import House, opened
from provisioning.caretaker.accounts import KINDS, Accounts
from provisioning.caretaker.dead_man import keep_saying_well
from provisioning.caretaker.enduring import endure
from provisioning.caretaker.lookout import LOOKS_EVERY_S, Lookout, has_looked
from provisioning.caretaker.paging import Paging
from provisioning.caretaker.probe import keep_probing
from provisioning.caretaker.purging import keep_forgetting_alarms
from provisioning.caretaker.room_notices import keep_telling_rooms
from provisioning.caretaker.rooms_sight import LOOKS_AT_ROOMS_EVERY, RoomsSight
from provisioning.caretaker.store_sight import StoreSight
from provisioning.directory import HouseDirectory
from provisioning.paging.channels import make_pager
from provisioning.programs import watcher_names


def main() -> None:
    """Look after the house until SIGTERM; exit with one plain line when the settings cannot be used."""
    parser = argparse.ArgumentParser(prog="provisioning.caretaker")
    parser.add_argument("--data", type=Path, required=True, help="the house's data directory")
    directory = HouseDirectory(parser.parse_args().data.absolute())
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        asyncio.run(_run(directory))
    except SettingsFault as fault:
        print(f"error: {' '.join(fault.faults)}", file=sys.stderr)  # noqa: T201
        sys.exit(NEEDS_A_HUMAN)


async def _run(directory: HouseDirectory) -> None:
    settings = load_house(directory.root)
    pager = load_pager(settings.config, directory.root)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.create_task(_look_after(directory, settings, pager))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if work.done():
        work.result()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def _look_after(directory: HouseDirectory, settings: HouseSettings, pager: PagerSettings) -> None:
    limits = pager.when.limits()
    store_sight = StoreSight(make_pager(settings, pager, directory), limits)
    house = await _opened(directory, store_sight)
    ledger, looks = (Ledger(house.store, Worker.CARETAKER) for _ in range(2))
    rooms = RoomsSight(house, utc_now, min(LOOKS_AT_ROOMS_EVERY, limits.room_after / 2))
    lookout = Lookout(directory, settings, looks, limits, store_sight, lambda: rooms.without, utc_now)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(endure("rooms", rooms.run))
            group.create_task(endure("lookout", lookout.run))
            group.create_task(keep_probing(house, pager.probe_every))
            group.create_task(endure("notices", lambda: _tell_rooms(ledger, settings, pager)))
            group.create_task(endure("forgetting", lambda: keep_forgetting_alarms(ledger, utc_now)))
            _start_telling(group, house, ledger, pager, rooms, lookout)
    finally:
        ledger.close()
        looks.close()


def _tell_rooms(ledger: Ledger, settings: HouseSettings, pager: PagerSettings) -> Awaitable[None]:
    limits = NoticeLimits(pager.rooms_told_after)
    return keep_telling_rooms(ledger, watcher_names(settings), limits, utc_now)


def _start_telling(
    group: asyncio.TaskGroup,
    house: House,
    ledger: Ledger,
    settings: PagerSettings,
    rooms: RoomsSight,
    lookout: Lookout,
) -> None:
    """Start what tells: the pages, the outside service, and this process's own sign of life."""
    paging = Paging(make_pager(house.settings, settings, house.directory), ledger, utc_now)
    counters = {"well_said": 0, "well_not_heard": 0}

    def counted() -> dict[str, int]:
        return {
            **paging.counters,
            **counters,
            **set_aside_counters(lookout.memory),
            "rooms_without_watcher": len(rooms.without or ()),
            "rooms_not_proved": rooms.failures,
        }

    pulse = Pulse(Worker.CARETAKER.value, ledger, utc_now, lambda: lookout.answered_at, counted)

    async def beat() -> None:
        # The first look reads what the caretaker before this one said last.
        await lookout.looked.wait()
        await pulse.run()

    group.create_task(endure("outbox", lambda: _drain(house, ledger, paging)))
    group.create_task(endure("heartbeat", beat))
    if (dead_man := settings.dead_man) is not None:
        group.create_task(endure("dead man", lambda: keep_saying_well(dead_man, lookout.is_well, counters)))


async def _drain(house: House, ledger: Ledger, paging: Paging) -> None:
    accounts = Accounts(house, ledger, utc_now)

    async def do(row: Outgoing) -> None:
        await (accounts.do(row) if row.kind in KINDS else paging.do(row))

    other_writes = await asyncio.to_thread(ChangeSignal, house.settings.database)
    try:
        # No device: nothing of the caretaker's is sent by Matrix.
        holder = f"{Worker.CARETAKER.value}:{os.getpid()}"
        await Outbox(ledger, Worker.CARETAKER, holder, Attempts(), do, utc_now, other_writes.wait).run()
    finally:
        other_writes.close()


async def _opened(directory: HouseDirectory, store_sight: StoreSight) -> House:
    """Open the house, again and again while its database is away: who tells of that must not end because of it."""
    while True:
        try:
            house = await asyncio.to_thread(opened, directory)
        except StoreFault as fault:
            await store_sight.failed(fault, utc_now())
        else:
            return house
        has_looked(directory)
        await asyncio.sleep(LOOKS_EVERY_S)


if __name__ == "__main__":
    main()
