"""Secret links to people's own calendars, in memory."""

from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.storage.memory.shelves import Shelves, only_once


class MemoryCalendarFeeds:
    """Whose calendar a secret leads to."""

    def __init__(self, shelves: Shelves) -> None:
        self._secrets = shelves.calendar_secrets

    def put(self, person: UserId, secret: str, now: datetime) -> None:
        """Keep that this secret leads to the person's calendar; an earlier one leads nowhere from now on."""
        only_once(self.holder_of(secret) not in (None, person))
        self._secrets[person] = secret

    def holder_of(self, secret: str) -> UserId | None:
        """Find whose calendar this secret leads to; None: nobody's, or it was revoked."""
        return next((person for person, its in self._secrets.items() if its == secret), None)

    def revoke(self, person: UserId, now: datetime) -> bool:
        """Let the person's secret lead nowhere; False when there was none."""
        return self._secrets.pop(person, None) is not None
