"""DIR/up.pid: locked by the one `up` that keeps this house, for as long as it lives."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from provisioning.answers import Failure
from provisioning.processes import wait_until

# `status` looks at the lock by holding it for a moment; that moment must not refuse an `up`.
_TRIES_FOR_S = 1.0


def holder(file: Path) -> int | None:
    """Return the pid of the `up` that keeps the house; None when nobody does."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(handle, 20) or b"0") or None
    finally:
        os.close(handle)
    return None


class HouseLock:
    """The right to keep this house, from `with` to its end; the system takes it back from whoever dies."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle = -1

    def __enter__(self) -> None:
        self._handle = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        if not wait_until(self._taken, _TRIES_FOR_S):
            os.close(self._handle)
            raise already_up(self._file)
        os.ftruncate(self._handle, 0)
        os.write(self._handle, str(os.getpid()).encode())

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        # The file stays: removing it would let a third `up` lock another file of the same name.
        os.close(self._handle)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def already_up(file: Path) -> Failure:
    """Say that somebody keeps this house."""
    return Failure(
        f"this house is already up (process {holder(file)}); stop it with `keyhouse --data {file.parent} down`"
    )
