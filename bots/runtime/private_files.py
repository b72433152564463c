"""Files that only the bot may read, written so that a power cut leaves the old or the new one."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def write_private(file: Path, content: Mapping[str, str]) -> None:
    """Write a JSON file with mode 0600; it is on the disk when this returns."""
    write_private_bytes(file, json.dumps(content).encode())


def write_private_bytes(file: Path, content: bytes) -> None:
    """Write any file with mode 0600; it is on the disk when this returns."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(file.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    beside.rename(file)
    _sync_directory(file.parent)


def read_private(file: Path) -> dict[str, str] | None:
    """Read what write_private wrote; None if the file is not there.

    Raises ValueError if it holds anything but an object of texts.
    """
    try:
        content = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise ValueError(f"{file} is not an object of texts")
    return content


def _sync_directory(directory: Path) -> None:
    # The rename itself is lost in a power cut unless its directory is synced too.
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
