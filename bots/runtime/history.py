"""What was said in a room just before an event, asked of the homeserver by a bot that has just begun."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from bots.runtime.errors import MatrixAway
from bots.runtime.handling import read_whatever_came
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.ledger import Ledger
from bots.runtime.reading import Reader
from bots.runtime.received import Received
from keyhouse.core.ids import EventId

EVENTS_AT_MOST = 20
ANSWERS_WITHIN = timedelta(seconds=2)
"""How long a message may wait to be judged in the light of what was said before it."""

_ROOMS_AT_ONCE = 8
_FILTER = json.dumps({"lazy_load_members": True, "not_types": ["m.room.member", "m.room.redaction"]})


class Past(Protocol):
    """What was said before an event."""

    async def before(self, room_id: str, event_id: str, since: datetime) -> list[Received]:
        """Return the events of this room from this moment until just before this event, oldest first.

        The last EVENTS_AT_MOST at most, without the bot's own, and without those that were set aside: reading one
        may be what a process dies of. since: by the homeserver's clock. Raises MatrixFault within ANSWERS_WITHIN.
        """


class History:
    """Reads a room's past with the keys at hand, and keeps nothing of it."""

    def __init__(self, homeserver: Homeserver, reader: Reader, ledger: Ledger) -> None:
        self._homeserver, self._reader, self._ledger = homeserver, reader, ledger
        self._places = asyncio.Semaphore(_ROOMS_AT_ONCE)

    async def before(self, room_id: str, event_id: str, since: datetime) -> list[Received]:
        """Return the events of this room from this moment until just before this event, oldest first; see Past."""
        newest_first = await self._newest_first(room_id, event_id)
        # Read from the oldest on: of two events with the same ciphertext the first one counts, the other is a replay.
        raw = [
            each
            for each in reversed(newest_first)
            if self._reader.is_for_bot(each) and not _was_sent_before(each, since)
        ]
        ids = [EventId(each["event_id"]) for each in raw]
        aside = await self._ledger.read(lambda tx: tx.inbox.set_aside(self._ledger.worker, ids))
        return [read_whatever_came(self._reader, room_id, each) for each in raw if each["event_id"] not in aside]

    async def _newest_first(self, room_id: str, event_id: str) -> list[Any]:
        # Not from the room's end: after a longer absence the event stands far from it. Half of the limit is for what
        # came after the event.
        asked = {"limit": str(2 * EVENTS_AT_MOST), "filter": _FILTER}
        try:
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()), self._places:
                answer = await self._homeserver.get(path("rooms", room_id, "context", event_id), asked)
        except TimeoutError as fault:
            raise MatrixAway(f"The homeserver at {self._homeserver.url} does not answer in time.") from fault
        before: list[Any] = answer.get("events_before", [])
        return before


def _was_sent_before(event: Mapping[str, Any], moment: datetime) -> bool:
    sent = event.get("origin_server_ts")
    return not isinstance(sent, int) or sent < moment.timestamp() * 1000
