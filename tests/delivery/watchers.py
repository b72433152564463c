"""A demonstration house with two watchers: who of them holds the lease, and ways to end either."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import create_engine, select

from bots.runtime.fault_points import VARIABLE
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings, load_house, save_house
from keyhouse.storage.tables import lease
from provisioning.preflight import SERVER_NAME, SHIPPED_CONFIG
from provisioning.programs import SECOND_WATCHER
from tests.support.house import RunningHouse

NAMES = (Worker.RISK_MONITOR.value, SECOND_WATCHER)
WITHIN_S = 60.0


@asynccontextmanager
async def house_with_two_watchers(directory: Path, database: str) -> AsyncIterator[RunningHouse]:
    """Raise a demonstration house on this database whose house.yaml asks for two watchers."""
    data = directory / "data"
    data.mkdir(mode=0o700, parents=True)
    url = "http://127.0.0.1:1"
    settings = HouseSettings(
        server_name=SERVER_NAME,
        homeserver=url,
        front_door=url,
        database=database.format(data=data),
        config=SHIPPED_CONFIG,
        demo=True,
        watchers=2,
    )
    save_house(data, settings)
    async with RunningHouse(directory) as house:
        yield house


def pids(house: RunningHouse, names: tuple[str, ...] = NAMES) -> dict[str, int]:
    """Those of these processes that run now, by name."""
    state = json.loads((house.directory / "data" / "run" / "supervisor.json").read_text())
    return {each["name"]: each["pid"] for each in state["processes"] if each["name"] in names and each["pid"]}


async def both_run(house: RunningHouse) -> dict[str, int]:
    """Wait until both watchers run and give signs of life."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            rows = (await house.command("status"))["processes"]
            running = {each["name"]: each["pid"] for each in rows if each["state"] == "running"}
            if running.keys() >= set(NAMES):
                return {name: running[name] for name in NAMES}


async def holder(house: RunningHouse, other_than: str | None = None) -> str:
    """Wait until a watcher holds the lease, and give its name. other_than: wait until it is not this one."""
    devices = {_device_id(house, name): name for name in NAMES}
    async with asyncio.timeout(WITHIN_S):
        while True:
            held_by = await asyncio.to_thread(_lease, house)
            name = devices.get(held_by.partition(":")[0])
            if name is not None and name != other_than:
                return name
            await asyncio.sleep(0.05)


def kill(pid: int) -> None:
    """End a process without a word; one that has just ended by itself is ended too."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def without_supervisor(house: RunningHouse) -> AsyncIterator[None]:
    """Let `up` stand still and end both watchers, so that the test alone says which of them runs.

    The caretaker stands still too: its test messages would reach a fault point first.
    """
    still = [int(house.ready["pid"]), *pids(house, (Worker.CARETAKER.value,)).values()]
    watchers = pids(house)
    for pid in still:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in watchers.values():
            kill(pid)
        yield
    finally:
        for pid in reversed(still):
            os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def watcher(house: RunningHouse, name: str, fault_point: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run one watcher; with a fault point, it dies there."""
    data = house.directory / "data"
    with (house.directory / f"{name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bots.risk_monitor", "--data", str(data), "--as", name),
            env={**os.environ, VARIABLE: fault_point},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        kill(process.pid)
        await process.wait()


def _device_id(house: RunningHouse, name: str) -> str:
    credentials = house.directory / "data" / "bots" / name / "credentials.json"
    return str(json.loads(credentials.read_text())["device_id"])


def _lease(house: RunningHouse) -> str:
    engine = create_engine(load_house(house.directory / "data").database)
    with engine.connect() as connection:
        row = connection.execute(select(lease.c.holder).where(lease.c.worker == Worker.RISK_MONITOR.value)).first()
    engine.dispose()
    return str(row.holder) if row else ""
