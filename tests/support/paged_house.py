"""Houses whose pages arrive in a test: their pager.yaml, and a caretaker alone without the rest of a house."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from keyhouse.core.alarms import Alarm
from keyhouse.core.ports import Heartbeat
from keyhouse.settings.house import HouseSettings, save_house
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.directory import HouseDirectory
from provisioning.preflight import SERVER_NAME, SHIPPED_CONFIG

SOON: dict[str, str | int] = {
    "homeserver_after": "5s",
    "store_after": "2s",
    "stopped_after": "6s",
    "lags_after": "10m",
    "probe_after": "2h",
    "room_after": "6s",
    "outbox_after": "10m",
    "well_after": "2s",
}
"""Times at which a test need not wait, and a loaded machine's late signs of life are no alarm yet."""

BEATING = ("risk_monitor", "room_gatekeeper", "booking", "front_door")
_BEATS_EVERY_S = 0.5
_ENDS_WITHIN_S = 20.0


def config_with_pager(directory: Path, pager: dict[str, Any], secrets: dict[str, str]) -> Path:
    """Copy the shipped configuration below a directory, with this pager.yaml; returns the copy.

    secrets: what stands in the files that it names, by their full path.
    """
    config = directory / "config"
    shutil.copytree(SHIPPED_CONFIG, config)
    for file, secret in secrets.items():
        Path(file).write_text(secret)
    (config / "pager.yaml").write_text(yaml.safe_dump(pager))
    return config


def settings_of(data: Path, config: Path, homeserver: str, *, demo: bool = False) -> HouseSettings:
    """What stands in the house.yaml of a house in this directory."""
    return HouseSettings(
        server_name=SERVER_NAME,
        homeserver=homeserver,
        front_door="http://127.0.0.1:1",
        database=f"sqlite:///{data / 'keyhouse.db'}",
        config=config,
        demo=demo,
    )


def written_down(data: Path, config: Path) -> None:
    """Write the house.yaml of a demonstration that has not been up yet; its addresses are those of the first `up`."""
    data.mkdir(mode=0o700)
    save_house(data, settings_of(data, config, "http://127.0.0.1:1", demo=True))


class CaretakerProcess:
    """A real caretaker's process on a house; log: where what it says is kept."""

    def __init__(self, house: House, log: Path) -> None:
        self.house = house
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.end(signal.SIGTERM)

    async def start(self, **environment: str) -> None:
        """Start the process. environment: variables beside those of the test."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "provisioning.caretaker", "--data", str(self.house.directory.root),
                stdout=log, stderr=log, env=os.environ | environment,
            )  # fmt: skip

    async def end(self, number: signal.Signals) -> int:
        """End the process and return its status."""
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait until the process has ended, and return its status."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), _ENDS_WITHIN_S)

    def said(self) -> str:
        """What the process logged."""
        return self._log.read_text()


class LoneCaretaker(CaretakerProcess):
    """A caretaker on a house without bots; the test gives the signs of life that bots would give."""

    def __init__(self, directory: Path, pager: dict[str, Any], secrets: dict[str, str], homeserver: str) -> None:
        config = config_with_pager(directory, pager, secrets)
        data = HouseDirectory(directory / "data")
        super().__init__(make_house(data, settings_of(data.root, config, homeserver)), directory / "caretaker.log")

    def standing(self) -> list[Alarm]:
        """The alarms that stand."""
        with self.house.store.reading() as tx:
            return list(tx.alarms.open())

    def latest(self) -> list[Alarm]:
        """The latest alarms, newest first."""
        with self.house.store.reading() as tx:
            return list(tx.alarms.latest(10))

    @asynccontextmanager
    async def beating(self, names: Iterable[str] = BEATING) -> AsyncIterator[None]:
        """Give the signs of life of these programs, as they do, until the end of the block."""
        task = asyncio.create_task(self._beat(tuple(names)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _beat(self, names: tuple[str, ...]) -> None:
        while True:
            await asyncio.to_thread(self._beat_once, names)
            await asyncio.sleep(_BEATS_EVERY_S)

    def _beat_once(self, names: tuple[str, ...]) -> None:
        now = datetime.now(UTC)
        with self.house.store.writing() as tx:
            for name in names:
                tx.heartbeats.beat(Heartbeat(name, os.getpid(), now, now, now, {}))
