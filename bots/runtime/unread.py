"""Messages that nobody could read yet: looked after every second, because silence must never look like safety."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import structlog

from bots.runtime.handling import Handling
from bots.runtime.inbox import Inbox
from bots.runtime.lanes import Lanes
from bots.runtime.ledger import Ledger
from bots.runtime.olm import HouseOlm
from keyhouse.core.incoming import Incoming, NewIncoming
from keyhouse.storage.errors import StoreAway

UNREADABLE_AFTER = timedelta(seconds=60)
"""How long a room key may be late before a human hears of it."""

NEVER_COMING = frozenset({"m.unverified", "m.blacklisted", "m.unauthorised"})
"""The author's own device says with these codes that it will not give the key: nothing is waited for."""

LOOKS_EVERY = timedelta(seconds=1)
AT_ONCE = 200
_EVER = timedelta(days=36500)

log = structlog.get_logger()


class Unread:
    """Hands over what became readable after all, and has the alarm raised about what did not."""

    def __init__(
        self, ledger: Ledger, olm: HouseOlm, inbox: Inbox, handling: Handling, lanes: Lanes, counts: Counter[str]
    ) -> None:
        self._ledger, self._olm, self._inbox = ledger, olm, inbox
        self._handling, self._lanes, self._counts = handling, lanes, counts

    async def run(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOKS_EVERY.total_seconds())
            try:
                await self.look()
            except StoreAway:
                self._counts["store_away"] += 1

    async def look(self) -> None:
        """Look once at everything that is unread and that no alarm was raised about."""
        await self._inbox.drain_room_keys()
        now = self._ledger.clock()
        silent = await self._ledger.read(lambda tx: tx.inbox.unread_since(self._ledger.worker, now + _EVER, AT_ONCE))
        for row in silent:
            if _is_over(now, row.unread_since) or self._never_comes(row):
                await self._end_of_waiting(NewIncoming(row.room_id, row.event_id, row.raw))

    async def _end_of_waiting(self, event: NewIncoming) -> None:
        if self._handling.is_readable(event):
            if not self._lanes.has(event.event_id):
                await self._lanes.put(event)
            return
        try:
            await self._handling.alarm(event)
        except StoreAway:
            raise
        except Exception as fault:
            # One alarm that cannot be raised, by a building without a care room say, must not hold up the others.
            self._counts["could_not_handle"] += 1
            log.error("alarm_not_raised", fault=type(fault).__name__)

    def _never_comes(self, row: Incoming) -> bool:
        # Anybody may claim to withhold a key; only the author's own word ends the waiting.
        session_id, sender = row.raw.get("content", {}).get("session_id"), row.raw.get("sender")
        if not isinstance(session_id, str) or not isinstance(sender, str):
            return False
        return self._olm.arrivals.withheld.code(row.room_id, session_id, sender) in NEVER_COMING


def _is_over(now: datetime, unread_since: datetime | None) -> bool:
    """Say whether the waiting is over; also when the clock was set back meanwhile, so that nobody knows how long."""
    waited = now - (unread_since or now)
    return waited >= UNREADABLE_AFTER or waited <= -UNREADABLE_AFTER
