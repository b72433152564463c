"""Who is still to be told at the desk that a message did not go out: in memory, and bounded."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from keyhouse.core.ids import UserId
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.speaking import unsent_once

MOST_WAITING = 1000
MOST_REMEMBERED = 10_000
_AT_ONCE = 50

Told = tuple[UserId, Reason, datetime]
"""Who, why, and when the message was refused."""


class ToTell:
    """Who is still to be told, oldest first: each once a minute for each reason, and never more than fit."""

    def __init__(self, most_waiting: int = MOST_WAITING, most_remembered: int = MOST_REMEMBERED) -> None:
        self._waiting: dict[str, Told] = {}
        # The store would drop what it has been told already; this spares it the asking.
        self._remembered: dict[str, None] = {}
        self._most_waiting = most_waiting
        self._most_remembered = most_remembered
        self.dropped = 0

    def add(self, person: UserId, reason: Reason, now: datetime) -> bool:
        """Keep that somebody is to be told; False when that was so already. The oldest makes room and is counted."""
        once = unsent_once(person, reason, now)
        if once in self._remembered:
            return False
        self._remembered[once] = None
        if len(self._remembered) > self._most_remembered:
            del self._remembered[next(iter(self._remembered))]
        self._waiting[once] = (person, reason, now)
        if len(self._waiting) > self._most_waiting:
            del self._waiting[next(iter(self._waiting))]
            self.dropped += 1
        return True

    def oldest(self) -> dict[str, Told]:
        """Return a few of those who have waited longest, by what names them; empty when nobody waits."""
        return dict(islice(self._waiting.items(), _AT_ONCE))

    def done(self, names: Iterable[str]) -> None:
        """Forget those who were told."""
        for name in names:
            self._waiting.pop(name, None)
