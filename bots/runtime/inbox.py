"""The way of an event into the database and from there to the bot."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.errors import MatrixFault
from bots.runtime.fault_points import reached
from bots.runtime.handling import Handling, room_key
from bots.runtime.lanes import Lanes
from bots.runtime.ledger import Ledger
from bots.runtime.olm import HouseOlm
from bots.runtime.patience import until_kept
from bots.runtime.reading import Reader
from bots.runtime.suspects import SUSPECT_AFTER, Suspects
from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import GIVE_UP_AFTER, Incoming, NewIncoming
from keyhouse.core.ports import Transaction
from keyhouse.storage.errors import StoreAway

log = structlog.get_logger()

DevicesChanged = Callable[[Sequence[str]], Awaitable[None]]
PageAfter = Callable[[Transaction, int], Sequence[Incoming]]
AT_ONCE = 200
KNOWN_WITHIN = timedelta(seconds=2)
"""How long a message may wait to be told whether its sender's device is signed; nothing is decided by it."""


class Inbox:
    """Keeps what came in, and hands it over in order. What is kept twice is handed over once."""

    def __init__(
        self,
        ledger: Ledger,
        olm: HouseOlm,
        reader: Reader,
        devices: PeoplesDevices,
        handling: Handling,
        lanes: Lanes,
        suspects: Suspects,
        devices_changed: DevicesChanged | None,
        counts: Counter[str],
    ) -> None:
        self._ledger, self._olm, self._reader, self._devices = ledger, olm, reader, devices
        self._handling, self._lanes, self._suspects = handling, lanes, suspects
        self._devices_changed, self._counts = devices_changed, counts

    async def keep(self, room_events: Iterable[tuple[str, Any]]) -> list[NewIncoming]:
        """Keep those of these raw events, with their rooms, that are for the bot, in one transaction.

        Gives back what is still to be handled. While the database is away, nothing is given back and the stream waits.
        """
        new = [
            NewIncoming(RoomId(room_id), EventId(event["event_id"]), event)
            for room_id, event in room_events
            if self._reader.is_for_bot(event)
        ]
        if not new:
            return []
        reached("before_inbox_write")
        worker, now = self._ledger.worker, self._ledger.clock()
        undone = set(
            await until_kept(lambda: self._ledger.write(lambda tx: tx.inbox.receive(worker, new, now)), self._counts)
        )
        reached("after_inbox_write")
        return [event for event in new if event.event_id in undone]

    async def hand_over(self, events: Sequence[NewIncoming]) -> None:
        """Let these events go to the bot; waits while too many are on their way."""
        # The same event comes twice when an answer had to be asked for again.
        fresh = [
            event
            for event in events
            if not self._lanes.has(event.event_id) and not self._handling.has_handled(event.event_id)
        ]
        await self._know_senders(fresh)
        for event in fresh:
            await self._lanes.put(event)

    async def hand_over_left(self) -> None:
        """Let everything go to the bot that an earlier process kept and did not finish, and what can be read now."""
        await self._page_through(self._left_over, self._hand_over_again)
        await self._page_through(self._still_unread, self._hand_over_readable)

    async def drain_room_keys(self) -> None:
        """Let the events go to the bot that could not be read until the newest room keys came."""
        arrivals = self._olm.arrivals
        taken, arrivals.new_room_keys = arrivals.new_room_keys, []
        for each in dict.fromkeys(taken):
            await self._page_through(self._of_room_key(room_key(*each)), self._hand_over_readable)
        arrivals.tried(taken)

    async def set_gap_aside(self, room_id: str) -> None:
        """Say that events of this room were never seen: silence must not look like safety."""
        self._counts["gaps_cut"] += 1
        await until_kept(lambda: self._ledger.write(lambda tx: self._put_set_aside(tx, RoomId(room_id))), self._counts)

    async def tell_devices_changed(self, user_ids: Sequence[str]) -> None:
        """Tell the bot whose devices changed."""
        if user_ids and self._devices_changed is not None:
            await until_kept(lambda: self._told_devices_changed(user_ids), self._counts)

    async def _told_devices_changed(self, user_ids: Sequence[str]) -> None:
        assert self._devices_changed is not None
        try:
            await self._devices_changed(user_ids)
        except StoreAway:
            raise
        except Exception as fault:
            self._counts["could_not_handle"] += 1
            log.error("changed_devices_not_handled", fault=type(fault).__name__)

    async def _page_through(
        self,
        page_after: PageAfter,
        go_on: Callable[[Sequence[Incoming]], Awaitable[None]],
    ) -> None:
        place = 0
        while True:
            page = await until_kept(partial(self._page, page_after, place), self._counts)
            if not page:
                return
            await go_on(page)
            place = page[-1].place

    async def _page(self, page_after: PageAfter, place: int) -> Sequence[Incoming]:
        return await self._ledger.write(lambda tx: page_after(tx, place))

    async def _hand_over_again(self, rows: Sequence[Incoming]) -> None:
        for row in rows:
            if row.tries >= SUSPECT_AFTER:
                await self._handle_alone(_arrived(row))
        await self.hand_over([_arrived(row) for row in rows if row.tries < SUSPECT_AFTER])

    async def _handle_alone(self, event: NewIncoming) -> None:
        strikes = self._suspects.strikes(event.event_id)
        with self._suspects.alone(event.event_id):
            if strikes < GIVE_UP_AFTER:
                await self._handling.handle(event)
            else:
                # When telling the bot about it kills the process too, it is set aside without.
                await self._handling.give_up(event, tell=strikes < 2 * GIVE_UP_AFTER)

    async def _hand_over_readable(self, rows: Sequence[Incoming]) -> None:
        readable = [event for event in map(_arrived, rows) if self._handling.is_readable(event)]
        await self._know_senders(readable)
        for event in readable:
            # Also one that is on its way: it may have been found unreadable a moment ago.
            await self._lanes.put(event)

    def _of_room_key(self, key: str) -> PageAfter:
        return lambda tx, after: tx.inbox.readable_by(self._ledger.worker, [key], AT_ONCE, after)

    async def _know_senders(self, events: Sequence[NewIncoming]) -> None:
        await self.know_devices({str(one.raw["sender"]) for one in events if one.raw.get("type") == "m.room.encrypted"})

    async def know_devices(self, user_ids: Iterable[str]) -> None:
        """Ask for the devices of these people, together; a message counts as much when they cannot be had."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN.total_seconds()):
                await self._devices.know(user_ids)
        except (MatrixFault, TimeoutError) as fault:
            log.warning("devices_not_known", fault=type(fault).__name__)

    def _left_over(self, tx: Transaction, after: int) -> Sequence[Incoming]:
        return tx.inbox.left_over(self._ledger.worker, AT_ONCE, after)

    def _still_unread(self, tx: Transaction, after: int) -> Sequence[Incoming]:
        return tx.inbox.still_unread(self._ledger.worker, AT_ONCE, after)

    def _put_set_aside(self, tx: Transaction, room_id: RoomId) -> None:
        number = tx.rooms.number_of(room_id)
        subject = self._ledger.worker.value if number is None else f"room {number}"
        tx.alarms.put(Alarm(AlarmKind.EVENTS_SET_ASIDE, subject, self._ledger.clock()))


def _arrived(row: Incoming) -> NewIncoming:
    return NewIncoming(row.room_id, row.event_id, row.raw)
