"""Delete what is worth nothing any more: the probe's messages after an hour, alarms that ended long ago."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import structlog

from bots.runtime.clock import Clock, utc_now
from bots.runtime.forgetting import AT_ONCE, forget_all
from bots.runtime.ledger import Ledger
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId
from keyhouse.core.ports import Transaction
from provisioning.answers import House
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver, HomeserverFault, HomeserverRefused

EVERY = timedelta(days=1)
KEPT_FOR = timedelta(hours=1)
"""Longer than any bot is away that will still read what it missed."""

ALARMS_KEPT_FOR = timedelta(days=90)
"""So that the report of a month finds its alarms, also when it is asked for late."""

log = structlog.get_logger()


async def keep_forgetting_alarms(ledger: Ledger, clock: Clock) -> None:
    """Delete alarms that ended long ago, now and every day, until cancelled."""
    while True:
        before = clock() - ALARMS_KEPT_FOR
        await forget_all(ledger, partial(_forget_alarms, before=before))
        await asyncio.sleep(EVERY.total_seconds())


def _forget_alarms(tx: Transaction, before: datetime) -> int:
    return tx.alarms.forget(before, AT_ONCE)


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
