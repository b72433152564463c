"""Find the one event that kills the process, among all that were unfinished when it died.

Events are handled beside each other, so a death makes every unfinished one suspect. After some deaths the suspects are
handled alone, one at a time, each under a mark in a file: who stands there when the process dies has a strike.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SUSPECT_AFTER = 2
"""So many starts that found an event unfinished make it suspect."""


class Suspects:
    """The mark. file: where it is kept; an event id and a count, nothing of what was written."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._event_id, self._strikes = _read(file)

    def strikes(self, event_id: str) -> int:
        """How often the process died while this event was handled alone."""
        return self._strikes if event_id == self._event_id else 0

    @contextmanager
    def alone(self, event_id: str) -> Iterator[None]:
        """Let nothing but this event be handled meanwhile; ending the bot on purpose is no strike."""
        # Not synced to the disk: it has to outlive a process, not a machine.
        self._file.write_text(json.dumps([event_id, self.strikes(event_id) + 1]))
        try:
            yield
        except asyncio.CancelledError:
            self._file.unlink()
            raise
        self._file.unlink()


def _read(file: Path) -> tuple[str, int]:
    with suppress(OSError, ValueError, TypeError):
        event_id, strikes = json.loads(file.read_text())
        return str(event_id), int(strikes)
    return "", 0
