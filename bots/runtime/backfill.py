"""Fetch what a sync left out between its last token and the part of the timeline that it shows."""

from collections.abc import Mapping
from typing import Any

from bots.runtime.errors import MatrixRefused
from bots.runtime.homeserver import Homeserver, path

EVENTS_PER_PAGE = 250
PAGES_PER_GAP = 200


async def fetch_gap(homeserver: Homeserver, room_id: str, since: str, before: str) -> tuple[list[Any], bool]:
    """The events of a room after one sync token and before another, oldest first, and whether they are all.

    A room that the bot may no longer read has no gap. More than PAGES_PER_GAP pages are not fetched.
    """
    newest_first: list[Any] = []
    at: str | None = before
    for _ in range(PAGES_PER_GAP):
        try:
            page = await homeserver.get(path("rooms", room_id, "messages"), _page(since, at))
        except MatrixRefused as refusal:
            if refusal.status in (403, 404):
                return newest_first[::-1], True
            raise
        newest_first += page.get("chunk", [])
        at = page.get("end")
        if not at or not page.get("chunk"):
            return newest_first[::-1], True
    return newest_first[::-1], False


def gaps(answer: Mapping[str, Any]) -> dict[str, str]:
    """The rooms of a sync whose timeline does not reach back to the last token, and where it begins."""
    found = {}
    for section in ("join", "leave"):
        for room_id, room in answer.get("rooms", {}).get(section, {}).items():
            timeline = room.get("timeline", {})
            if timeline.get("limited") and isinstance(timeline.get("prev_batch"), str):
                found[room_id] = timeline["prev_batch"]
    return found


def _page(since: str, at: str | None) -> dict[str, str]:
    return {"dir": "b", "from": at or "", "to": since, "limit": str(EVENTS_PER_PAGE)}
