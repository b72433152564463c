"""Look back in a room for something that this account has sent already, perhaps from another device."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bots.runtime.homeserver import Homeserver, path
from bots.runtime.once import MARK

EVENTS_PER_PAGE, PAGES = 100, 20
CLOCKS_MAY_DIFFER = timedelta(minutes=5)


class Timeline:
    """The rooms of one account, newest first."""

    def __init__(self, homeserver: Homeserver, user_id: str) -> None:
        self._homeserver = homeserver
        self._user_id = user_id

    async def find_own(self, room_id: str, once: str, since: datetime) -> str | None:
        """The id of this account's event that carries this mark; None if there is none since that moment.

        At most EVENTS_PER_PAGE * PAGES of the account's own events are looked at. Beyond that the answer is None:
        something said twice is better than an alert that nobody gets.
        """
        oldest_ms = (since - CLOCKS_MAY_DIFFER).timestamp() * 1000
        asked = {"dir": "b", "limit": str(EVENTS_PER_PAGE), "filter": json.dumps({"senders": [self._user_id]})}
        for _ in range(PAGES):
            page = await self._homeserver.get(path("rooms", room_id, "messages"), asked)
            events = [event for event in page.get("chunk", []) if isinstance(event, dict)]
            found = next((str(event["event_id"]) for event in events if self._is_ours(event, once)), None)
            if found or not page.get("end") or any(_sent_at_ms(event) < oldest_ms for event in events):
                return found
            asked["from"] = page["end"]
        return None

    def _is_ours(self, event: Mapping[str, Any], once: str) -> bool:
        # The sender is looked at here too: anybody can write the mark of somebody else's event into their own.
        content = event.get("content")
        return event.get("sender") == self._user_id and isinstance(content, dict) and content.get(MARK) == once


def _sent_at_ms(event: Mapping[str, Any]) -> float:
    at = event.get("origin_server_ts")
    return at if isinstance(at, int) else float("inf")
