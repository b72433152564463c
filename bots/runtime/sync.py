"""The stream of everything that happens in the bot's rooms: kept before it is relied upon, never lost.

Room keys are saved first, then the events, then the token, after which the homeserver forgets what it has told. Only
then are events handed to the bot, which may take its time.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bots.runtime.backfill import GapCut, gaps, pages_of_gap
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.fault_points import reached
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.inbox import Inbox
from bots.runtime.olm import HouseOlm
from bots.runtime.one_time_keys import OneTimeKeys
from bots.runtime.rooms import Rooms
from bots.runtime.to_device import take_to_device
from bots.runtime.upkeep import Upkeep

log = structlog.get_logger()

NEWS_WITHIN = timedelta(seconds=30)
ANSWER_AFTER_NEWS_WITHIN = timedelta(seconds=30)
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=30)

_NOTHING: dict[str, Any] = {"limit": 0, "types": []}
_FILTER: dict[str, Any] = {
    "presence": _NOTHING,
    "account_data": _NOTHING,
    "room": {"timeline": {"limit": 100}, "ephemeral": _NOTHING, "account_data": _NOTHING},
}


@dataclass
class SyncPulse:
    """How the stream is, for the health page.

    counts, since the process began: events, undecryptable, malformed, to_device_malformed, gaps, gaps_cut,
    could_not_handle, stayed_unread, store_away, interruptions.
    """

    last_sync_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)


class Sync:
    """Asks for news and keeps it, in each room's order.

    in_touch: set when the first answer came.  caught_up: set when everything that waited in it has been kept and is
    on its way to the bot.
    """

    def __init__(
        self,
        homeserver: Homeserver,
        olm: HouseOlm,
        devices: PeoplesDevices,
        one_time_keys: OneTimeKeys,
        upkeep: Upkeep,
        rooms: Rooms,
        inbox: Inbox,
        pulse: SyncPulse,
        in_touch: asyncio.Event,
        caught_up: asyncio.Event,
    ) -> None:
        self._homeserver = homeserver
        self._olm = olm
        self._devices = devices
        self._one_time_keys = one_time_keys
        self._upkeep = upkeep
        self._rooms = rooms
        self._inbox = inbox
        self._pulse = pulse
        self._in_touch = in_touch
        self._caught_up = caught_up
        self._since: str = olm.store.load_sync_token()

    async def run(self) -> None:
        """Go on for ever; ends by cancelling, or with SessionEnded. A device's store that cannot be written ends it.

        While the house's database is away it waits, and the homeserver keeps everything.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                await self._once()
                pause = FIRST_PAUSE
            except (MatrixAway, MatrixRefused) as fault:
                self._pulse.counts["interruptions"] += 1
                log.warning("stream_interrupted", fault=type(fault).__name__)
                wait = fault.retry_after if isinstance(fault, MatrixRefused) and fault.retry_after else pause
                await asyncio.sleep(wait.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _once(self) -> None:
        """Keep one answer. What fails before the token is saved is asked for again, and known by then."""
        answer = await self._news()
        self._pulse.last_sync_at = datetime.now(UTC)
        self._in_touch.set()
        rooms = answer.get("rooms", {})
        changed = [str(each) for each in answer.get("device_lists", {}).get("changed", [])]
        self._devices.outdate([*changed, *answer.get("device_lists", {}).get("left", [])])
        if self._rooms.enter(rooms.get("join", {})):
            self._olm.arrivals.enter_rooms(self._rooms.ids())

        take_to_device(self._olm, answer.get("to_device", {}).get("events", []), self._pulse.counts)
        self._one_time_keys.note(answer)
        self._upkeep.wanted.set()
        if self._olm.arrivals.broken_sessions:
            self._olm.arrivals.stirred.set()
        kept = await self._keep(rooms)
        await self._inbox.know_devices(changed)
        await self._inbox.tell_devices_changed(changed)
        reached("before_token")
        self._since = answer["next_batch"]
        self._olm.store.save_sync_token(self._since)
        reached("after_token")

        await self._inbox.hand_over(kept)
        await self._inbox.drain_room_keys()
        self._caught_up.set()

    async def _news(self) -> dict[str, Any]:
        params = {
            "filter": json.dumps(_FILTER),
            "since": self._since,
            # The first answer says that the homeserver is there; nothing waits for news meanwhile.
            "timeout": str(int(NEWS_WITHIN / timedelta(milliseconds=1))) if self._in_touch.is_set() else "0",
        }
        return await self._homeserver.get(path("sync"), params, NEWS_WITHIN + ANSWER_AFTER_NEWS_WITHIN)

    async def _keep(self, rooms: Mapping[str, Any]) -> list[Any]:
        """Keep every event of an answer, in one transaction, and give back those that are to be handed over.

        With gaps it takes more: a gap may be long, so its pages are kept and handed over one after the other, after
        the rooms without one, in which somebody may be writing now.
        """
        shown = {**rooms.get("leave", {}), **rooms.get("join", {})}
        begun = gaps(shown)
        invitations = list(_invitations(rooms.get("invite", {}), self._olm.user_id, self._since))
        whole = [*invitations, *self._shown(shown.keys() - begun.keys(), shown)]
        if not begun:
            kept = await self._inbox.keep(whole)
        else:
            await self._inbox.hand_over(await self._inbox.keep(whole))
            for room_id, before in begun.items():
                await self._fill(room_id, before)
            kept = await self._inbox.keep(self._shown(begun.keys(), shown))
        if left := rooms.get("leave", {}):
            for room_id in left:
                self._rooms.leave(room_id)
            self._olm.arrivals.enter_rooms(self._rooms.ids())
        return kept

    async def _fill(self, room_id: str, before: str) -> None:
        self._pulse.counts["gaps"] += 1
        try:
            async for page in pages_of_gap(self._homeserver, room_id, self._since, before):
                self._learn(room_id, page)
                await self._inbox.hand_over(await self._inbox.keep((room_id, event) for event in page))
        except GapCut:
            await self._inbox.set_gap_aside(room_id)

    def _shown(self, room_ids: Any, rooms: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The timelines of these rooms, in the order of the answer."""
        for room_id, content in rooms.items():
            if room_id in room_ids:
                # The state is that between a gap and the timeline.
                self._learn(room_id, content.get("state", {}).get("events", []))
                events = content.get("timeline", {}).get("events", [])
                self._learn(room_id, events)
                yield from ((room_id, event) for event in events)

    def _learn(self, room_id: str, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, dict):
                self._rooms[room_id].apply(event)


def _invitations(rooms: Mapping[str, Any], own: str, since: str) -> Iterator[tuple[str, Any]]:
    """Invitations of the bot, which have no event id yet: each gets one that stays the same if the answer repeats."""
    for room_id, invitation in rooms.items():
        for event in invitation.get("invite_state", {}).get("events", []):
            if isinstance(event, dict) and event.get("type") == "m.room.member" and event.get("state_key") == own:
                yield room_id, {**event, "event_id": f"invitation {room_id} {since}"}
