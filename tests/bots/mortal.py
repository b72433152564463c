"""A bot that a test starts and kills again and again, and what it has decided by then."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from keyhouse.core.outgoing import Worker
from tests.bots.deciding import ALARMS
from tests.support.ledgers import open_ledger

STARTS_WITHIN_S, DIES_WITHIN_S = 60.0, 60.0
DECIDES_WITHIN_S = 90.0
STAYS_ALIVE_FOR_S = 1.0


class MortalBot:
    """One bot's directory, and a process that starts it."""

    def __init__(self, nurse: asyncio.subprocess.Process, directory: Path) -> None:
        self._nurse, self._directory = nurse, directory
        self._ledger = open_ledger(directory)
        self._pid, self._lives = 0, False

    async def start(self, fault_point: str = "") -> None:
        """Start the bot, to die at this place if one is named; give when it begins to run."""
        await self.born(fault_point)
        async with asyncio.timeout(STARTS_WITHIN_S):
            assert await self._line() == "ready"

    async def born(self, fault_point: str = "") -> None:
        """Start the bot, and do not wait until it runs."""
        assert self._nurse.stdin is not None
        self._nurse.stdin.write(f"{self._directory} {fault_point}\n".encode())
        word, pid = (await self._line()).split()
        assert word == "born"
        self._pid, self._lives = int(pid), True

    async def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self._pid, signal.SIGKILL)
        await self.death()

    async def death(self) -> None:
        """Wait until it was killed; it may not end in another way."""
        assert await self.end() == -signal.SIGKILL

    async def end(self) -> int:
        """Wait until it ended; give its exit status."""
        async with asyncio.timeout(DIES_WITHIN_S):
            while (line := await self._line()) == "ready":
                pass
        word, status = line.split()
        assert word == "dead"
        self._lives = False
        return int(status)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._pid, number)

    async def decisions(self) -> Counter[str]:
        """How often each event was decided about."""
        rows = await self._ledger.read(lambda tx: tx.outbox.due(Worker.RISK_MONITOR, datetime.now(UTC), 100_000))
        return Counter(str(row.content["event_id"]) for row in rows)

    async def decided_words(self) -> list[str]:
        """What was written in the messages that were decided about."""
        rows = await self._ledger.read(lambda tx: tx.outbox.due(Worker.RISK_MONITOR, datetime.now(UTC), 100_000))
        return [str(row.content["words"]) for row in rows]

    async def dies_unless(self, holds: Callable[[], object]) -> bool:
        """Wait until it was killed, or until this holds and it lives; say whether it died."""
        death = asyncio.create_task(self.death())
        while not death.done() and not holds():
            await asyncio.wait({death}, timeout=0.1)
        # An alarm and the death that follows it may be told at once.
        await asyncio.wait({death}, timeout=STAYS_ALIVE_FOR_S)
        if not death.done():
            death.cancel()
            return False
        await death
        return True

    async def until_decided(self, event_ids: set[str]) -> None:
        """Wait until each of these was decided about."""
        deadline = asyncio.get_running_loop().time() + DECIDES_WITHIN_S
        while missing := event_ids - (await self.decisions()).keys():
            assert asyncio.get_running_loop().time() < deadline, f"never decided: {len(missing)} {missing}"
            await asyncio.sleep(0.1)

    def alarms(self) -> list[str]:
        """What it raised alarms about."""
        file = self._directory / ALARMS
        return file.read_text().splitlines() if file.exists() else []

    def close(self) -> None:
        """Let go of the database, and of a bot that a failed test left alive."""
        self._ledger.close()
        if self._lives:
            os.kill(self._pid, signal.SIGKILL)

    async def _line(self) -> str:
        assert self._nurse.stdout is not None
        return (await self._nurse.stdout.readline()).decode().strip()


@asynccontextmanager
async def mortal(directory: Path) -> AsyncIterator[MortalBot]:
    """A bot that does not run yet."""
    pipe = asyncio.subprocess.PIPE
    with (directory / "log").open("wb") as log:
        nurse = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bots.deciding", stdin=pipe, stdout=pipe, stderr=log
        )
    bot = MortalBot(nurse, directory)
    try:
        yield bot
    finally:
        bot.close()
        assert nurse.stdin is not None
        nurse.stdin.close()
        await nurse.wait()
