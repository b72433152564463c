"""The stream of everything that happens in the bot's rooms: again after a crash, never lost.

Room keys are saved before anything is handled; the token is saved when everything before it was handled.
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

from bots.runtime.backfill import fetch_gap, gaps
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.errors import MatrixAway, MatrixFault, MatrixRefused, SessionEnded
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.inbox import Inbox
from bots.runtime.olm import HouseOlm
from bots.runtime.one_time_keys import OneTimeKeys
from bots.runtime.received import MemberChanged
from bots.runtime.room_keys import RoomKeys
from bots.runtime.rooms import Rooms

log = structlog.get_logger()

NEWS_WITHIN = timedelta(seconds=30)
ANSWER_AFTER_NEWS_WITHIN = timedelta(seconds=30)
FIRST_PAUSE = timedelta(milliseconds=500)
LONGEST_PAUSE = timedelta(seconds=30)

_NOTHING: dict[str, Any] = {"limit": 0, "types": []}
_NO_ROOMS: dict[str, Any] = {"presence": _NOTHING, "account_data": _NOTHING, "room": {"rooms": []}}
_ROOMS: dict[str, Any] = {"timeline": {"limit": 100}, "ephemeral": _NOTHING, "account_data": _NOTHING}


@dataclass
class SyncPulse:
    """How the stream is, for the health page.

    counts, since the process began: events, undecryptable, malformed, to_device_malformed, gaps, gaps_cut,
    could_not_handle, interruptions.
    """

    last_sync_at: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)


async def set_starting_point(homeserver: Homeserver, olm: HouseOlm) -> None:
    """Before a new device publishes its keys: begin here. Nothing older could be read by it anyway."""
    if olm.store.load_sync_token() is None:
        answer = await homeserver.get(path("sync"), {"timeout": "0", "filter": json.dumps(_NO_ROOMS)})
        olm.store.save_sync_token(answer["next_batch"])


class Sync:
    """Asks for news and passes it on, in each room's order."""

    def __init__(
        self,
        homeserver: Homeserver,
        olm: HouseOlm,
        devices: PeoplesDevices,
        room_keys: RoomKeys,
        one_time_keys: OneTimeKeys,
        rooms: Rooms,
        inbox: Inbox,
        pulse: SyncPulse,
        caught_up: asyncio.Event,
    ) -> None:
        self._homeserver = homeserver
        self._olm = olm
        self._devices = devices
        self._room_keys = room_keys
        self._one_time_keys = one_time_keys
        self._rooms = rooms
        self._inbox = inbox
        self._pulse = pulse
        self._caught_up = caught_up
        self._since: str = olm.store.load_sync_token()
        # Rooms are not kept on the disk, so the first answer must hold their whole state.
        self._whole_state_known = False

    async def run(self) -> None:
        """Go on for ever; ends by cancelling, or with SessionEnded. A store that cannot be written ends it too."""
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
        """Pass one answer on. All questions to the homeserver come first, so that a failure repeats nothing."""
        answer = await self._news()
        changed = [str(each) for each in answer.get("device_lists", {}).get("changed", [])]
        self._devices.outdate([*changed, *answer.get("device_lists", {}).get("left", [])])
        history = await self._history(answer)
        await self._devices.know([*changed, *_encrypted_senders(answer, history)])

        taken = self._inbox.take_room_keys(answer.get("to_device", {}).get("events", []))
        self._one_time_keys.note(answer)
        await self._inbox.hand_over_late(taken)
        await self._pass_on(answer.get("rooms", {}), history)
        await self._inbox.tell_devices_changed(changed)
        self._since = answer["next_batch"]
        self._olm.store.save_sync_token(self._since)

        self._whole_state_known = True
        self._pulse.last_sync_at = datetime.now(UTC)
        self._caught_up.set()
        await self._upkeep()

    async def _news(self) -> dict[str, Any]:
        params = {
            "filter": json.dumps({**_NO_ROOMS, "room": _ROOMS}),
            "since": self._since,
            "timeout": str(int(NEWS_WITHIN / timedelta(milliseconds=1))),
            "full_state": "false" if self._whole_state_known else "true",
        }
        return await self._homeserver.get(path("sync"), params, NEWS_WITHIN + ANSWER_AFTER_NEWS_WITHIN)

    async def _history(self, answer: Mapping[str, Any]) -> dict[str, list[Any]]:
        history = {}
        for room_id, before in gaps(answer).items():
            history[room_id], whole = await fetch_gap(self._homeserver, room_id, self._since, before)
            self._pulse.counts["gaps"] += 1
            self._pulse.counts["gaps_cut"] += not whole
        return history

    async def _pass_on(self, rooms: Mapping[str, Any], history: Mapping[str, list[Any]]) -> None:
        for room_id, invitation in rooms.get("invite", {}).items():
            await self._pass_on_invitation(room_id, invitation)
        for section in ("join", "leave"):
            for room_id, content in rooms.get(section, {}).items():
                await self._pass_on_room(room_id, content, history.get(room_id, []))
        for room_id in rooms.get("leave", {}):
            self._rooms.leave(room_id)

    async def _pass_on_room(self, room_id: str, content: Mapping[str, Any], history: list[Any]) -> None:
        room = self._rooms[room_id]
        timeline = content.get("timeline", {}).get("events", [])
        # The state is that between the gap and the timeline.
        for events, handed_over in (
            (history, True),
            (content.get("state", {}).get("events", []), False),
            (timeline, True),
        ):
            for event in events:
                if isinstance(event, dict):
                    room.apply(event)
                    if handed_over:
                        await self._inbox.hand_over_raw(room_id, event)

    async def _pass_on_invitation(self, room_id: str, invitation: Mapping[str, Any]) -> None:
        for event in invitation.get("invite_state", {}).get("events", []):
            if event.get("type") == "m.room.member" and event.get("state_key") == self._olm.user_id:
                invited = MemberChanged(room_id, self._olm.user_id, "invite", str(event.get("sender")), None, "")
                await self._inbox.hand_over(invited)

    async def _upkeep(self) -> None:
        """Keep this device within reach; what fails now is tried again after the next news."""
        try:
            if self._one_time_keys.are_needed():
                await self._one_time_keys.upload()
            if self._olm.broken_sessions:
                await self._room_keys.mend()
        except SessionEnded:
            raise
        except MatrixFault as fault:
            self._pulse.counts["interruptions"] += 1
            log.warning("keys_not_renewed", fault=type(fault).__name__)


def _encrypted_senders(answer: Mapping[str, Any], history: Mapping[str, list[Any]]) -> Iterator[str]:
    rooms = answer.get("rooms", {})
    timelines = [
        room.get("timeline", {}).get("events", []) for key in ("join", "leave") for room in rooms.get(key, {}).values()
    ]
    for events in (*timelines, *history.values()):
        for event in events:
            if isinstance(event, dict) and event.get("type") == "m.room.encrypted":
                yield str(event.get("sender"))
