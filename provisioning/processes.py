"""Processes of this machine: is this still the one we started, and end it."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ENDS_WITHIN_S = 10.0
_START_TICKS = 19
_STATE = 0


@dataclass(frozen=True, slots=True)
class Started:
    """A process as it was when we started it. ticks: its start time, so that a reused pid is not taken for it."""

    pid: int
    ticks: int


def started(pid: int) -> Started | None:
    """Look at a living process; None when there is none, or when this system does not tell."""
    fields = _stat(pid)
    return Started(pid, int(fields[_START_TICKS])) if fields and fields[_STATE] != "Z" else None


def lives(process: Started) -> bool:
    """Say whether exactly this process still runs."""
    return started(process.pid) == process


def end_all(processes: Iterable[Started], within_s: float = ENDS_WITHIN_S) -> None:
    """End these processes with all that they started themselves, politely first; return when they are gone."""
    left = [process for process in processes if lives(process)]
    for process in left:
        signal_group(process.pid, signal.SIGTERM)
    if not wait_until(lambda: not any(map(lives, left)), within_s):
        for process in filter(lives, left):
            signal_group(process.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(lives, left)), within_s)


def signal_group(leader: int, number: signal.Signals) -> None:
    """Signal a process that leads a group, and the whole group; one that is gone is no fault."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def wait_until(holds: Callable[[], bool], within_s: float, every_s: float = 0.1) -> bool:
    """Wait until a condition holds; False when it did not within the time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True


def _stat(pid: int) -> list[str] | None:
    try:
        # The name in brackets may hold spaces and brackets; what follows the last one is plain.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
