"""Hand over what came in, one thing at a time, so that no single thing can stop or hide the rest."""

import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from peewee import PeeweeException  # type: ignore[import-untyped]

from bots.runtime.olm import HouseOlm
from bots.runtime.reading import Reader
from bots.runtime.received import Handler, Malformed, Received, Undecryptable

log = structlog.get_logger()

DevicesChanged = Callable[[Sequence[str]], Awaitable[None]]

# A full disk is not a malformed event: the process must end before the token moves on.
STORE_FAULTS = (PeeweeException, sqlite3.Error, OSError)


class Inbox:
    """The boundary at which a single event is set aside, counted, and made known."""

    def __init__(
        self,
        olm: HouseOlm,
        reader: Reader,
        handler: Handler,
        devices_changed: DevicesChanged | None,
        counts: Counter[str],
    ) -> None:
        self._olm = olm
        self._reader = reader
        self._handler = handler
        self._devices_changed = devices_changed
        self._counts = counts

    def take_room_keys(self, events: Iterable[Any]) -> list[tuple[str, str]]:
        """Take the room keys out of to-device events and save them together; (room id, session id) of each."""
        with self._olm.one_transaction():
            for event in events:
                self._take(event)
        taken, self._olm.new_room_keys = self._olm.new_room_keys, []
        return taken

    async def hand_over_late(self, room_keys: Iterable[tuple[str, str]]) -> None:
        """Hand over events that could not be read until these room keys came."""
        for room_id, event in self._reader.late(room_keys):
            await self.hand_over_raw(room_id, event)

    async def hand_over_raw(self, room_id: str, event: Mapping[str, Any]) -> None:
        """Read one raw event and hand it over, if it is for the bot."""
        try:
            received = self._reader.read(room_id, event)
        except STORE_FAULTS:
            raise
        except Exception as fault:
            log.warning("event_not_readable", fault=type(fault).__name__)
            received = Malformed(room_id, str(event.get("event_id")), str(event.get("sender")), str(event.get("type")))
        if received is not None:
            await self.hand_over(received)

    async def hand_over(self, received: Received) -> None:
        """Give one thing to the bot; if the bot fails on it, tell the bot that, and go on."""
        self._counts["events"] += 1
        self._counts["undecryptable"] += isinstance(received, Undecryptable)
        self._counts["malformed"] += isinstance(received, Malformed)
        try:
            await self._handler.received(received)
        except Exception as fault:
            self._counts["could_not_handle"] += 1
            log.error("event_not_handled", kind=type(received).__name__, fault=type(fault).__name__)
            await self._handler.could_not_handle(received)

    async def tell_devices_changed(self, user_ids: Sequence[str]) -> None:
        """Tell the bot whose devices changed."""
        if not user_ids or self._devices_changed is None:
            return
        try:
            await self._devices_changed(user_ids)
        except Exception as fault:
            self._counts["could_not_handle"] += 1
            log.error("changed_devices_not_handled", fault=type(fault).__name__)

    def _take(self, event: Any) -> None:
        try:
            if event["type"] == "m.room.encrypted":
                self._olm.read_to_device(event)
        except STORE_FAULTS:
            raise
        except Exception as fault:
            # Anybody with an account here may send anything: nobody else's room key may be lost over it.
            self._counts["to_device_malformed"] += 1
            log.warning("to_device_event_set_aside", fault=type(fault).__name__)
