"""A whole demonstration house for tests: started by the command that people use, driven by its command line."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.ports import free_port

KEYHOUSE = Path(sys.executable).parent / "keyhouse"
STARTS_WITHIN_S = 180.0
ANSWERS_WITHIN_S = 60.0


class CommandFailed(AssertionError):
    """A command of the house ended badly; the message is what it said."""

    def __init__(self, status: int, said: str) -> None:
        self.status = status
        super().__init__(f"exit {status}: {said.strip()}")


class RunningHouse:
    """`keyhouse up --demo` in a directory of its own; `async with RunningHouse(directory) as house`.

    ports: of the homeserver and the front door, for a house that comes in the place of another.
    """

    def __init__(self, directory: Path, ports: tuple[int, int] | None = None) -> None:
        self.directory = directory
        self.ready: dict[str, Any] = {}
        # The demonstration's clinician has one identity, which every later device needs the key of.
        self.clinicians_recovery_key: str | None = None
        self._port, self._front_port = ports or (free_port(), free_port())
        self._up: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def ports(self) -> tuple[int, int]:
        """Where its homeserver and its front door listen."""
        return self._port, self._front_port

    async def start(self) -> None:
        """Start the house and wait until it says that it is ready."""
        log = (self.directory / "up.log").open("ab")
        with log:
            self._up = await asyncio.create_subprocess_exec(
                KEYHOUSE,
                *("--data", str(self.directory / "data"), "up", "--demo"),
                *("--port", str(self._port), "--front-port", str(self._front_port)),
                stdout=log,
                stderr=log,
            )
        await asyncio.wait_for(self._until_ready(self._up), STARTS_WITHIN_S)
        self.ready = json.loads((self.directory / "data" / "ready.json").read_text())

    async def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._up is not None and self._up.returncode is None:
            self._up.send_signal(signal.SIGINT)
            await asyncio.wait_for(self._up.wait(), 60)

    async def kill(self) -> None:
        """End the supervisor without a word, as a power cut does."""
        if self._up is not None:
            self._up.send_signal(signal.SIGKILL)
            await self._up.wait()

    async def command(self, *words: str, within_s: float = ANSWERS_WITHIN_S) -> dict[str, Any]:
        """Give a command with --json; its document, or CommandFailed."""
        asked = await asyncio.create_subprocess_exec(
            KEYHOUSE,
            *("--data", str(self.directory / "data"), *words, "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await asyncio.wait_for(asked.communicate(), within_s)
        if asked.returncode:
            raise CommandFailed(asked.returncode, complained.decode())
        document: dict[str, Any] = json.loads(said)
        return document

    async def code(self, *conditions: str, role: str = "patient") -> str:
        """Issue one referral and give its code."""
        options = [word for condition in conditions for word in ("--condition", condition)]
        return str((await self.command("referral", "issue", "--role", role, *options))["code"])

    def files(self) -> list[tuple[Path, bytes]]:
        """Every file of the house, so that a canary can be looked for."""
        return every_byte_below(self.directory)

    @property
    def homeserver(self) -> str:
        """Where clients reach it."""
        return str(self.ready["homeserver"])

    async def _until_ready(self, up: asyncio.subprocess.Process) -> None:
        ready = self.directory / "data" / "ready.json"
        while not _is_of(ready, up.pid):
            if up.returncode is not None:
                raise CommandFailed(up.returncode, (self.directory / "up.log").read_text()[-3000:])
            await asyncio.sleep(0.1)


def _is_of(ready: Path, pid: int) -> bool:
    try:
        return bool(json.loads(ready.read_text())["pid"] == pid)
    except (FileNotFoundError, ValueError):
        return False


def every_byte_below(directory: Path) -> list[tuple[Path, bytes]]:
    """Read every ordinary file below a directory; one that vanishes meanwhile (a journal) is passed over."""
    found = []
    for root, _, names in os.walk(directory):
        for path in (Path(root) / name for name in names):
            with contextlib.suppress(FileNotFoundError):
                found += [(path, path.read_bytes())] if path.is_file() else []
    return found
