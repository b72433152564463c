"""The house checks itself: a made-up urgent message every minute, and how long its card takes to come back."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta

import structlog

from bots.runtime.client import HouseClient
from bots.runtime.clock import utc_now
from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Received, Undecryptable
from bots.runtime.words import spoken
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat, Transaction
from keyhouse.core.probing import ANSWER_ROOM, PROBE_ROOM, PROCESS, answers, probe_words
from provisioning.answers import House
from provisioning.caretaker.purging import keep_purging

_AGAIN_AFTER = timedelta(seconds=10)
_LOOKS_EVERY = timedelta(seconds=1)

log = structlog.get_logger()


async def keep_probing(house: House, every: timedelta) -> None:
    """Check the house at once, and then every so often, until cancelled; whatever fails, it begins again by itself.

    A check that is answered is a sign of life under the name "probe"; one that is not leaves the last one to grow old.
    """
    ledger = Ledger(house.store, Worker.CARETAKER)
    try:
        while True:
            try:
                await _probe(house, ledger, every)
            except Exception as fault:  # a timer's outer loop: it must never end the process that pages
                log.warning("probe_interrupted", fault=type(fault).__name__)
            await asyncio.sleep(_AGAIN_AFTER.total_seconds())
    finally:
        ledger.close()


async def _probe(house: House, ledger: Ledger, every: timedelta) -> None:
    rooms = await _rooms(ledger)
    async with HouseClient(house.directory.bot(PROCESS)) as client:
        probe = Probe(client, ledger, rooms, house.settings.user_id(ServiceAccount.WATCHER), every)
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(client.run(probe, ledger), name="stream")
                parts.create_task(probe.run(), name="checks")
                parts.create_task(keep_purging(house, tuple(rooms.values())), name="purging")
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None


async def _rooms(ledger: Ledger) -> Mapping[str, RoomId]:
    """Wait until the house has the probe's rooms, and return them by slug."""

    def made(tx: Transaction) -> dict[str, RoomId]:
        found = (tx.rooms.by_slug(slug) for slug in (PROBE_ROOM, ANSWER_ROOM))
        return {scope.slug: scope.room_id for scope in found if scope is not None}

    while True:
        rooms = await ledger.read(made)
        if len(rooms) == 2:
            return rooms
        await asyncio.sleep(_LOOKS_EVERY.total_seconds())


class Probe:
    """Writes one message at a time and waits for its card."""

    def __init__(
        self, client: HouseClient, ledger: Ledger, rooms: Mapping[str, RoomId], watcher: str, every: timedelta
    ) -> None:
        self._client, self._ledger, self._rooms, self._watcher = client, ledger, rooms, watcher
        self._every_s = every.total_seconds()
        self._nonce = ""
        self._answered = asyncio.Event()
        self._started_at = utc_now()
        self._counters = {"took_ms": 0, "answered": 0, "unanswered": 0}

    async def run(self) -> None:
        """Check at once, and then every so often, until cancelled."""
        await self._client.caught_up.wait()
        while True:
            next_at = asyncio.get_running_loop().time() + self._every_s
            await self._check(next_at)
            await asyncio.sleep(next_at - asyncio.get_running_loop().time())

    async def received(self, event: Received) -> None:
        """Take a card for an answer only if it came encrypted, from a device that the watcher has signed."""
        if not isinstance(event, Message) or event.room_id != self._rooms[ANSWER_ROOM]:
            return
        trusted = event.sender == self._watcher and event.encrypted and event.sender_device_signed
        if trusted and self._nonce and answers(event.content.get("body"), self._nonce):
            self._answered.set()

    async def could_not_handle(self, event: Received) -> None:
        """Nothing: an answer that is not seen is a check that was not answered."""

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Nothing but to keep that it was seen, for the same reason."""
        await self._ledger.alarm(event.event_id, lambda tx: None)

    async def _check(self, until: float) -> None:
        """Write one message and wait for its card, until a moment of the event loop's clock."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._nonce = f"{secrets.randbelow(10**12):012}"
        self._answered.clear()
        try:
            async with asyncio.timeout_at(until):
                message = spoken(probe_words(self._nonce))
                await self._client.sending.send_message(self._rooms[PROBE_ROOM], message, f"probe-{self._nonce}")
                await self._answered.wait()
        except (TimeoutError, MatrixAway, MatrixRefused):
            self._counters["unanswered"] += 1
            log.warning("probe_unanswered", since_start=self._counters["unanswered"])
            return
        await self._beat(took_ms=round((loop.time() - began) * 1000))

    async def _beat(self, took_ms: int) -> None:
        self._counters["took_ms"] = took_ms
        self._counters["answered"] += 1
        beat = Heartbeat(
            PROCESS, os.getpid(), self._started_at, utc_now(), self._client.last_sync_at, dict(self._counters)
        )
        await self._ledger.write(lambda tx: tx.heartbeats.beat(beat))
