"""The real concierge beside a house with the door: started, killed at a chosen place, started again."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from bots.runtime.credentials import BotCredentials, new_device_id
from bots.runtime.fault_points import VARIABLE
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.settings.house import HouseSettings, save_house
from provisioning.directory import HouseDirectory
from provisioning.preflight import SHIPPED_CONFIG
from tests.support.door import database_url, running_house
from tests.support.eventually import eventually
from tests.support.house_with_door import PASSWORD, House

PROGRAM = Worker.ROOM_GATEKEEPER.value
A_DAY = timedelta(days=1)
STARTS_WITHIN_S, ENDS_WITHIN_S, DRAINS_WITHIN_S = 60.0, 30.0, 120.0


class RunningConcierge:
    """The concierge's process, in a data directory of its own, around the database of a house with the door."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self._data = HouseDirectory(folder / "data")
        self._process: asyncio.subprocess.Process | None = None
        self._furnish(folder)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.end(signal.SIGTERM)

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self, dies_at: str = "") -> None:
        """Start it and wait until it has swept once; dies_at: a fault point at which it will die."""
        environment = {**os.environ, VARIABLE: dies_at}
        with (self._data.root / "concierge.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"bots.{PROGRAM}", "--data", str(self._data.root)),
                stdout=log,
                stderr=log,
                env=environment,
            )
        await eventually(self._has_swept, STARTS_WITHIN_S)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, and wait until it is gone; nothing happens if it is gone already."""
        if self.runs:
            self.send(number)
        await self.died()

    async def died(self) -> None:
        """Wait until it is gone."""
        assert self._process is not None
        await asyncio.wait_for(self._process.wait(), ENDS_WITHIN_S)

    async def at_rest(self) -> None:
        """Wait until everything that was decided is done, but for greetings, which wait for a person's device."""

        async def nothing_to_do() -> bool:
            return not [row for row in self._undone() if row.kind is not OutgoingKind.GREETING]

        await eventually(nothing_to_do, DRAINS_WITHIN_S)

    def greet_nobody(self) -> None:
        """Make the greetings done that wait for a device: here nobody has one."""
        now = datetime.now(UTC)
        with self.house.store.writing() as tx:
            for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, now + A_DAY, 10_000):
                if row.kind is OutgoingKind.GREETING:
                    tx.outbox.done(row.id, now)

    def _undone(self) -> Sequence[Outgoing]:
        until = datetime.now(UTC) + A_DAY
        return self.house.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, until, 10_000))

    def counters(self) -> Mapping[str, int]:
        """What it last said that it did since its start."""
        assert self._process is not None
        beats = self.house.read(lambda tx: tx.heartbeats.all())
        mine = [beat.counters for beat in beats if beat.process == PROGRAM and beat.pid == self._process.pid]
        return mine[0] if mine else {}

    def log(self) -> str:
        """What it logged since the first start."""
        return (self._data.root / "concierge.log").read_text()

    async def _has_swept(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, self.log()
        return self.counters().get("sweeps", 0) > 0

    def _furnish(self, folder: Path) -> None:
        synapse, account = self.house.synapse, self.house.concierge
        self._data.house_keys.parent.mkdir(parents=True)
        shutil.copy(folder / "house_keys.json", self._data.house_keys)
        settings = HouseSettings(
            server_name=synapse.server_name,
            homeserver=synapse.url,
            front_door="http://127.0.0.1:1",
            database=database_url(folder),
            config=SHIPPED_CONFIG,
        )
        save_house(self._data.root, settings)
        device_id = new_device_id(ServiceAccount.CONCIERGE)
        BotCredentials(synapse.url, account.user_id, PASSWORD, device_id).save(self._data.bot(PROGRAM))


@asynccontextmanager
async def house_with_concierge(folder: Path) -> AsyncIterator[RunningConcierge]:
    """Run a house with the door, and the real concierge in it."""
    async with running_house(folder) as house:
        # They have a place at every desk; here nobody is signed in as them.
        for name in (ServiceAccount.OWNER, ServiceAccount.WATCHER, ServiceAccount.BOOKING):
            house.reserve(name, Role.SERVICE)
            await house.synapse.register(name, PASSWORD)
        async with RunningConcierge(house, folder) as concierge:
            yield concierge
