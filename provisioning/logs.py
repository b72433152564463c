"""DIR/logs: one file per process, turned when it has grown too large."""

import os
from pathlib import Path
from typing import BinaryIO

TURN_AT_BYTES = 10_000_000
KEPT = 3
_TAIL_BYTES = 8192


def log_file(logs: Path, name: str) -> Path:
    """Return where a process of this name writes."""
    return logs / f"{name}.log"


def open_log(logs: Path, name: str) -> BinaryIO:
    """Open a process's log to go on writing in it; a large one is put aside first, and the oldest forgotten."""
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = log_file(logs, name)
    if file.exists() and file.stat().st_size >= TURN_AT_BYTES:
        _put_aside(file)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def last_line(logs: Path, name: str) -> str:
    """Return the last line of a process's log that says something; empty when there is none."""
    try:
        with log_file(logs, name).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return said.removeprefix("error: ")


def _put_aside(file: Path) -> None:
    for number in range(KEPT, 0, -1):
        older = file.with_name(f"{file.name}.{number - 1}") if number > 1 else file
        if older.exists():
            older.replace(file.with_name(f"{file.name}.{number}"))
