"""DIR/secrets is held by every command for as long as it runs, so that no key changes under it."""

import fcntl
import os
from pathlib import Path

from provisioning.answers import Failure
from provisioning.processes import wait_until

OTHERS_END_WITHIN_S = 5.0


class KeysInUse:
    """Held together with other commands, or alone. The system gives it back for whoever dies."""

    def __init__(self, folder: Path) -> None:
        """Hold the folder; one that is not there yet is held by nobody. Raises Failure while its keys are changed."""
        self._handle: int | None = None
        try:
            self._handle = os.open(folder, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return
        if not self._taken(fcntl.LOCK_SH):
            self.close()
            raise Failure("the keys of this house are being changed; wait until `keyhouse keys rotate` has ended")

    def alone(self) -> None:
        """Wait until no other command holds the folder, and let none begin; raises Failure when one goes on."""
        if not wait_until(lambda: self._taken(fcntl.LOCK_EX), OTHERS_END_WITHIN_S):
            raise Failure("another command is at work in this house; wait until it has ended, then try again")

    def close(self) -> None:
        """Let the folder go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _taken(self, how: int) -> bool:
        if self._handle is None:
            return True
        try:
            fcntl.flock(self._handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
