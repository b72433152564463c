"""A folder that comes to be as a whole or not at all, and the files in it, private and on the disk."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from provisioning.answers import Failure

_PIECE = 1024 * 1024


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, mode 0700; it becomes `target` when the block ends well and is gone when it raises.

    What an earlier one left that was killed is cleared away. Raises Failure when another one is at work, and when
    something cannot be written. target: does not exist, or is an empty folder.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(part):
            _clear(part)
            try:
                yield part
                _to_disk(part)
                part.rename(target)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            _to_disk(target.parent)
    except OSError as error:
        where = error.filename or part
        raise Failure(f"{where} cannot be read or written ({error.strerror}); correct that, then try again") from error


def put(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file to a new one, with the folders that it needs; return its SHA-256 and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as of, _new(target) as to:
        while piece := of.read(_PIECE):
            digest.update(piece)
            size += to.write(piece)
    return digest.hexdigest(), size


def put_bytes(content: bytes, target: Path) -> None:
    """Write a new file, with the folders that it needs."""
    with _new(target) as to:
        to.write(content)


def sum_of(file: Path) -> tuple[str, int]:
    """Return the SHA-256 and the size in bytes of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), file.stat().st_size


@contextmanager
def _new(file: Path) -> Iterator[BinaryIO]:
    # Not by `parents`, which would make those between with the usual mode.
    for folder in reversed([above for above in file.parents if not above.exists()]):
        folder.mkdir(mode=0o700, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Failure(f"{folder} is being filled by another command; wait until that has ended") from None
    finally:
        os.close(handle)


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()


def _to_disk(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
