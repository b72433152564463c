"""The watcher's own process, and what it costs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

LOOKS_EVERY_S, QUIET_CPU_S, QUIET_LOOKS = 3.0, 0.12, 3
QUIET_WITHIN_S = 300.0


class WatcherProcess:
    """`python -m bots.risk_monitor`, as `keyhouse up` starts it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def cpu_s(self) -> float:
        """The processor time that it has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def pss_mib(self) -> float:
        """Its share of memory, shared pages divided among those who share them."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024

    async def until_quiet(self) -> None:
        """Wait until it has looked at everything that a start brings, of which who is in each room takes longest."""
        quiet, before = 0, self.cpu_s
        async with asyncio.timeout(QUIET_WITHIN_S):
            while quiet < QUIET_LOOKS:
                await asyncio.sleep(LOOKS_EVERY_S)
                used, before = self.cpu_s - before, self.cpu_s
                quiet = quiet + 1 if used <= QUIET_CPU_S else 0

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()


@asynccontextmanager
async def running_watcher(data: Path) -> AsyncIterator[WatcherProcess]:
    """Run the watcher of the house in this directory until the end of the block."""
    with (data / "watcher.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bots.risk_monitor", "--data", str(data)), stdout=log, stderr=log
        )
    watcher = WatcherProcess(process)
    try:
        yield watcher
    finally:
        await watcher.kill()
