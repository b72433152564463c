"""Fetch what a sync left out between its last token and the part of the timeline that it shows."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bots.runtime.errors import MatrixRefused
from bots.runtime.homeserver import Homeserver, path

EVENTS_PER_PAGE = 100
PAGES_PER_GAP = 2500


class GapCut(Exception):
    """The gap has more pages than are fetched."""


async def pages_of_gap(
    homeserver: Homeserver,
    room_id: str,
    since: str,
    before: str,
    *,
    events: int = EVENTS_PER_PAGE,
    pages: int = PAGES_PER_GAP,
) -> AsyncIterator[list[Any]]:
    """The events of a room after one sync token and before another, oldest first, a page at a time.

    Forwards, so that one page is held at a time however long the gap is, and each can be kept in the order in which
    its events were written. A room that the bot may no longer read has no gap. Raises GapCut after so many pages.
    """
    at = since
    for _ in range(pages):
        page = await page_of(homeserver, room_id, {"dir": "f", "from": at, "to": before}, events)
        if page.get("chunk"):
            yield page["chunk"]
        if not page.get("end") or page["end"] == at:
            return
        # A page may be empty and not the last: what may not be seen is left out of it.
        at = page["end"]
    raise GapCut


async def page_of(
    homeserver: Homeserver, room_id: str, asked: Mapping[str, str], events: int = EVENTS_PER_PAGE
) -> dict[str, Any]:
    """One page of a room's history; empty for a room that the bot may no longer read."""
    try:
        return await homeserver.get(path("rooms", room_id, "messages"), {**asked, "limit": str(events)})
    except MatrixRefused as refusal:
        if refusal.status in (403, 404):
            return {}
        raise


def gaps(rooms: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The rooms of a sync whose timeline does not reach back to the last token, and where it begins."""
    found = {}
    for room_id, room in rooms.items():
        timeline = room.get("timeline", {})
        if timeline.get("limited") and isinstance(timeline.get("prev_batch"), str):
            found[room_id] = timeline["prev_batch"]
    return found
