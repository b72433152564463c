"""Secret links to people's own calendars."""

from datetime import datetime

from sqlalchemy import select, update

from keyhouse.core.ids import UserId
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import calendar_feed
from keyhouse.storage.work import Work


class SqlCalendarFeeds:
    """Keeps in the table `calendar_feed` whose calendar a secret leads to; of the secret only its keyed hash."""

    def __init__(self, work: Work, seal: Seal) -> None:
        self._work, self._seal = work, seal

    def put(self, person: UserId, secret: str, now: datetime) -> None:
        """Keep that this secret leads to the person's calendar; an earlier one leads nowhere from now on."""
        values = {"secret_hash": self._hash(secret), "created_at": now, "revoked_at": None}
        insert = self._work.insert(calendar_feed).values(person=person, **values)
        self._work.change(insert.on_conflict_do_update(index_elements=[calendar_feed.c.person], set_=values))

    def holder_of(self, secret: str) -> UserId | None:
        """Find whose calendar this secret leads to; None: nobody's, or it was revoked."""
        good = (calendar_feed.c.secret_hash == self._hash(secret), calendar_feed.c.revoked_at.is_(None))
        row = self._work.one(select(calendar_feed.c.person).where(*good))
        return UserId(row.person) if row else None

    def revoke(self, person: UserId, now: datetime) -> bool:
        """Let the person's secret lead nowhere; False when there was none."""
        good = (calendar_feed.c.person == person, calendar_feed.c.revoked_at.is_(None))
        return self._work.change(update(calendar_feed).where(*good).values(revoked_at=now)) > 0

    def _hash(self, secret: str) -> str:
        # Of its own kind: what is found again for another reason must never be taken for a link.
        return self._seal.fingerprint(f"calendar {secret}")
