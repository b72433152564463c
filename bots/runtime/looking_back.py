"""Where a new device begins, and what was written between the last message of an earlier one and that moment."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from bots.runtime.backfill import PAGES_PER_GAP, page_of
from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.inbox import Inbox
from bots.runtime.ledger import Ledger
from bots.runtime.olm import HouseOlm
from bots.runtime.patience import until_kept
from bots.runtime.private_files import read_private, write_private
from bots.runtime.rooms import Rooms
from bots.runtime.sync import SyncPulse

FURTHER_BACK = timedelta(minutes=10)
"""The house's clock and the homeserver's differ, and a message is kept a moment after it was written."""

AGAIN_AFTER = timedelta(seconds=5)

_NOTHING: dict[str, Any] = {"limit": 0, "types": []}
_NO_ROOMS: dict[str, Any] = {"presence": _NOTHING, "account_data": _NOTHING, "room": {"rooms": []}}

log = structlog.get_logger()


async def set_starting_point(homeserver: Homeserver, olm: HouseOlm, marker: Path) -> None:
    """Before a new device publishes its keys: begin here. Nothing older could be read by it anyway.

    marker: a file that says, until it was done, that the bot has to look back from here.
    """
    if olm.store.load_sync_token() is None:
        answer = await homeserver.get(path("sync"), {"timeout": "0", "filter": json.dumps(_NO_ROOMS)})
        write_private(marker, {"from": answer["next_batch"], "back_to": ""})
        olm.store.save_sync_token(answer["next_batch"])


class LookingBack:
    """Goes through the rooms back to the last message that the house knows; what is known is not kept twice."""

    def __init__(
        self, homeserver: Homeserver, ledger: Ledger, rooms: Rooms, inbox: Inbox, marker: Path, pulse: SyncPulse
    ) -> None:
        self._homeserver, self._ledger, self._rooms = homeserver, ledger, rooms
        self._inbox, self._marker, self._pulse = inbox, marker, pulse

    async def prepare(self) -> None:
        """Note how far back to look, before anything new is received."""
        mark = read_private(self._marker)
        if mark is None or mark["back_to"]:
            return
        worker = self._ledger.worker
        newest = await until_kept(lambda: self._ledger.read(lambda tx: tx.inbox.newest_at(worker)), self._pulse.counts)
        if newest is None:
            self._marker.unlink()
        else:
            write_private(self._marker, {**mark, "back_to": (newest - FURTHER_BACK).isoformat()})

    async def run(self) -> None:
        """Look back in every room, once; nothing happens on a device that has done so."""
        mark = read_private(self._marker)
        if mark is None:
            return
        back_to = datetime.fromisoformat(mark["back_to"])
        for room_id in self._rooms.ids():
            await self._until_done(room_id, mark["from"], back_to)
        self._marker.unlink()

    async def _until_done(self, room_id: str, at: str, back_to: datetime) -> None:
        while True:
            try:
                return await self._room(room_id, at, back_to)
            except (MatrixAway, MatrixRefused) as fault:
                self._pulse.counts["interruptions"] += 1
                log.warning("looking_back_interrupted", fault=type(fault).__name__)
                wait = fault.retry_after if isinstance(fault, MatrixRefused) else None
                await asyncio.sleep((wait or AGAIN_AFTER).total_seconds())

    async def _room(self, room_id: str, at: str, back_to: datetime) -> None:
        """Go back page by page, remembering only where each begins, then keep them from the oldest on."""
        pages: list[str] = []
        for _ in range(PAGES_PER_GAP):
            page = await page_of(self._homeserver, room_id, {"dir": "b", "from": at})
            pages.append(at)
            if not page.get("end") or any(_is_before(event, back_to) for event in page.get("chunk", [])):
                break
            at = page["end"]
        else:
            await self._inbox.set_gap_aside(room_id)
        for place, begin in enumerate(reversed(pages)):
            # Of a quiet room one page says all, and it is at hand.
            if place:
                page = await page_of(self._homeserver, room_id, {"dir": "b", "from": begin})
            newer = [event for event in page.get("chunk", [])[::-1] if not _is_before(event, back_to)]
            await self._inbox.hand_over(await self._inbox.keep((room_id, event) for event in newer))


def _is_before(event: Any, moment: datetime) -> bool:
    sent = event.get("origin_server_ts") if isinstance(event, Mapping) else None
    return isinstance(sent, int) and sent < moment.timestamp() * 1000
