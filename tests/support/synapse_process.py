"""One process of Synapse: started, awaited until it answers, stopped or killed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import aiohttp

STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 20.0


class SynapseStartError(AssertionError):
    """Synapse ended or did not answer in time; the message ends with its log."""


class SynapseProcess:
    """A process that listens on a port of loopback.

    log_file: what it logs.  console_file: what it prints, which is little unless it cannot start.
    """

    def __init__(self, command: Sequence[str], port: int, log_file: Path, console_file: Path) -> None:
        self._command, self._port = command, port
        self._logs = (console_file, log_file)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process that runs."""
        assert self._process is not None, "this Synapse is not running"
        return self._process.pid

    async def start(self) -> None:
        """Start it and wait until it answers; also again, after stop() or kill()."""
        console_file = self._logs[0]
        with console_file.open("wb") as console:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=console_file.parent,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        try:
            async with asyncio.timeout(STARTS_WITHIN_S):
                await self._healthy(self._process)
        except TimeoutError:
            await self.stop()
            raise SynapseStartError(f"no answer within {STARTS_WITHIN_S:.0f} s\n{self.log_tail()}") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process and wait until it is gone; nothing happens if it is gone already."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOPS_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self) -> None:
        """End the process as a power cut would, and wait until it is gone."""
        assert self._process is not None, "this Synapse is not running"
        self._process.kill()
        await self._process.wait()
        await self.stop()

    def log_tail(self, lines: int = 25) -> str:
        """The end of what it printed and logged."""
        texts = [file.read_text(errors="replace") for file in self._logs if file.exists()]
        return "\n".join("\n".join(text.splitlines()[-lines:]) for text in texts)

    async def _healthy(self, process: asyncio.subprocess.Process) -> None:
        ended = asyncio.create_task(process.wait())
        try:
            async with aiohttp.ClientSession() as http:
                while not await self._answers(http):
                    # Nobody listens yet: ask again soon, at once if the process has ended.
                    await asyncio.wait({ended}, timeout=0.05)
                    if ended.done():
                        raise SynapseStartError(f"ended with status {ended.result()}\n{self.log_tail()}")
        finally:
            ended.cancel()

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"http://127.0.0.1:{self._port}/health") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False
