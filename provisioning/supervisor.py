"""Keep the processes of one house alive: start, restart with back-off, stop in reverse order."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bots.runtime.happens import happens
from provisioning.logs import last_line, open_log
from provisioning.processes import signal_group, started
from provisioning.state import SETTLED_AFTER, ChildState, ChildStatus, save_state

NEEDS_A_DECISION = 3
"""Exit status of a process that starting again would not help, such as a bot whose identity is lost."""

_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, slots=True)
class Child:
    """A process of the house. name: as `status` shows it, and the name of its log."""

    name: str
    command: tuple[str, ...]
    directory: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds before each next start, until a run counts as healthy, and until an end is forced."""

    steps_s: tuple[float, ...] = (1, 2, 4, 8, 16, 30)
    healthy_after_s: float = 60
    ends_within_s: float = 10

    def before_restart(self, deaths_in_a_row: int) -> float:
        """Return the seconds to wait after so many deaths in a row, from 1 on; the last step repeats."""
        return self.steps_s[min(deaths_in_a_row, len(self.steps_s)) - 1]


class Supervisor:
    """Keeps children alive. state_file: rewritten whole at every change.  told: hears of every change."""

    def __init__(
        self,
        state_file: Path,
        logs: Path,
        patience: Patience | None = None,
        told: Callable[[ChildStatus], None] | None = None,
    ) -> None:
        self._state_file = state_file
        self._logs = logs
        self._patience = patience or Patience()
        self._told = told
        self._statuses: dict[str, ChildStatus] = {}
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()

    def start(self, child: Child) -> None:
        """Start a child and keep it alive until `stop`."""
        self._statuses[child.name] = ChildStatus(child.name, ChildState.WAITING)
        self._keepers[child.name] = asyncio.create_task(self._keep(child), name=child.name)

    def statuses(self) -> list[ChildStatus]:
        """Return how each child is now, in the order of their start."""
        return list(self._statuses.values())

    def status(self, name: str) -> ChildStatus:
        """Return how one started child is now."""
        return self._statuses[name]

    async def stop(self) -> None:
        """End all children, the last started first, each gone before the next is told; none is started again."""
        self._stopping.set()
        for name, keeper in reversed(self._keepers.items()):
            self._signal(name, signal.SIGTERM)
            _, late = await asyncio.wait({keeper}, timeout=self._patience.ends_within_s)
            if late:
                self._signal(name, signal.SIGKILL)
            await keeper
            if self.status(name).state is not ChildState.FAILED:
                self._record(name, state=ChildState.STOPPED, sentence="")

    def _signal(self, name: str, number: signal.Signals) -> None:
        if process := self._running.get(name):
            signal_group(process.pid, number)

    async def _keep(self, child: Child) -> None:
        deaths_in_a_row = 0
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            try:
                ended_with = await self._run(child)
            except OSError as fault:
                ended_with = fault.errno or 1
            if self._stopping.is_set():
                return
            lived_s = loop.time() - began
            unwell_since = self._unwell_since(child.name, lived_s)
            if ended_with == NEEDS_A_DECISION:
                why = last_line(self._logs, child.name)
                self._record(child.name, state=ChildState.FAILED, sentence=why, unwell_since=unwell_since)
                return
            deaths_in_a_row = 1 if lived_s >= self._patience.healthy_after_s else deaths_in_a_row + 1
            said = _ended(ended_with)
            self._record(child.name, state=ChildState.WAITING, sentence=said, unwell_since=unwell_since)
            await happens(self._stopping, timedelta(seconds=self._patience.before_restart(deaths_in_a_row)))

    def _unwell_since(self, name: str, lived_s: float) -> datetime:
        before = self.status(name).unwell_since
        return before if before and lived_s < SETTLED_AFTER.total_seconds() else datetime.now(UTC)

    async def _run(self, child: Child) -> int:
        """Run a child once, until it ends by itself or is told to."""
        before = self.status(child.name)
        process = await self._spawn(child)
        self._running[child.name] = process
        seen = started(process.pid)
        self._record(
            child.name,
            state=ChildState.RUNNING,
            pid=process.pid,
            ticks=seen.ticks if seen else None,
            restarts=before.restarts + (before.started_at is not None),
            started_at=datetime.now(UTC),
            sentence="",
        )
        # A stop that came while the child was being made found nothing to signal.
        if self._stopping.is_set():
            self._signal(child.name, signal.SIGTERM)
        ended_with = await process.wait()
        del self._running[child.name]
        # What the child started itself must not stand in the way of its next start.
        signal_group(process.pid, signal.SIGKILL)
        return ended_with

    async def _spawn(self, child: Child) -> asyncio.subprocess.Process:
        tethered = (sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *child.command)
        with open_log(self._logs, child.name) as log:
            return await asyncio.create_subprocess_exec(
                *tethered,
                cwd=child.directory,
                env={**os.environ, **child.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _record(self, name: str, **change: Any) -> None:
        if change["state"] is not ChildState.RUNNING:
            change |= {"pid": None, "ticks": None}
        self._statuses[name] = replace(self._statuses[name], **change)
        # On a full disk `status` tells old news; the children go on all the same.
        with contextlib.suppress(OSError):
            save_state(self._state_file, self.statuses())
        if self._told:
            self._told(self._statuses[name])


def _ended(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
