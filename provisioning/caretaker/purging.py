"""Keep the probe's rooms small: nothing in them is worth a day."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

import structlog

from bots.runtime.clock import utc_now
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId
from provisioning.answers import House
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver, HomeserverFault, HomeserverRefused

EVERY = timedelta(days=1)
KEPT_FOR = timedelta(hours=1)
"""Longer than any bot is away that will still read what it missed."""

log = structlog.get_logger()


async def keep_purging(house: House, rooms: Sequence[RoomId]) -> None:
    """Purge these rooms now and every day, until cancelled; what fails waits for the next day."""
    while True:
        try:
            async with signed_in(house.settings.homeserver, house.directory.account(ServiceAccount.CARETAKER)) as asked:
                for room_id in rooms:
                    await purge(asked, room_id, utc_now() - KEPT_FOR)
        except HomeserverFault as fault:
            log.warning("rooms_not_purged", fault=type(fault).__name__)
        await asyncio.sleep(EVERY.total_seconds())


async def purge(caretaker: Homeserver, room_id: RoomId, before: datetime) -> bool:
    """Delete a room's messages of before this moment, for ever; False when there are none.

    A redaction would add one event for each that it empties. The room's state and its last message always stay.
    """
    body = {"delete_local_events": True, "purge_up_to_ts": int(before.timestamp() * 1000)}
    try:
        await caretaker.request("POST", f"/_synapse/admin/v1/purge_history/{quote(room_id, safe='')}", body)
    except HomeserverRefused as refused:
        if refused.status != 404:
            raise
        return False
    return True
