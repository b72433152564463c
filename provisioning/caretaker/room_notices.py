"""Have rooms tell their own people when the house cannot see them."""

import asyncio
from collections.abc import Collection
from functools import partial

from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from keyhouse.core.notices import NoticeLimits
from keyhouse.core.workflows.notices import find_notices, tell_rooms

LOOKS_EVERY_S = 5.0


async def keep_telling_rooms(ledger: Ledger, watchers: Collection[str], limits: NoticeLimits, clock: Clock) -> None:
    """Decide notices as the alarms begin and end, until cancelled. watchers: names of the watchers' processes."""
    while True:
        now = clock()
        # Mostly there is nothing to tell, and a look that writes would hold up those who do write.
        if await ledger.read(partial(find_notices, watchers=watchers, limits=limits, now=now)):
            await ledger.write(partial(tell_rooms, watchers=watchers, limits=limits, now=now))
        await asyncio.sleep(LOOKS_EVERY_S)
