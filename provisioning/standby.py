"""What `up` tells outside of Matrix by itself: that the caretaker is down, and what the caretaker then cannot tell.

While the caretaker lives it tells everything else, from the database. What `up` told is kept in DIR/run/told, so that
a caretaker that comes back takes it over instead of telling it again.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keyhouse.core.alarm_sentences import again_sentence, begin_sentence, end_sentence
from keyhouse.core.alarms import CARETAKER, WATCHER, Alarm, AlarmKey, AlarmKind, AlarmLimits, is_told_again
from provisioning.paging.pager import Page, Pager, was_taken
from provisioning.paging.told import Told
from provisioning.programs import HOMESERVER
from provisioning.state import ChildState, ChildStatus, unwell_since

CARETAKER_DOWN: AlarmKey = (AlarmKind.PROCESS_STOPPED, CARETAKER)
HOUSE_DOWN: AlarmKey = (AlarmKind.PROCESS_STOPPED, "the house")
LOOKS_EVERY_S = 2.0
LIVES_WITHIN = timedelta(seconds=15)
"""A caretaker that has not looked around for so long cannot be trusted to tell anything."""


def find_down(
    statuses: Iterable[ChildStatus], caretaker_looked_at: datetime | None, limits: AlarmLimits, now: datetime
) -> dict[AlarmKey, datetime]:
    """Find which processes that matter are down, each since when.

    caretaker_looked_at: when it last looked around; None when it has not since it was started. It counts as down also
    while it runs and does not look.
    """
    down: dict[AlarmKey, datetime] = {}
    for status in statuses:
        since = unwell_since(status, limits.well_after, now)
        if since is None and status.name == CARETAKER and status.state is ChildState.RUNNING:
            since = _silent_since(status, caretaker_looked_at, limits, now)
        if since is not None and (key := _key(status.name)) is not None:
            down[key] = since
    return down


def is_long_enough(status: ChildStatus | None, since: datetime, limits: AlarmLimits, now: datetime) -> bool:
    """Say whether somebody must be told: it is not started again by itself, or has been down for too long."""
    has_failed = status is not None and status.state is ChildState.FAILED
    return has_failed or now - since >= limits.stopped_after


class Standby:
    """Looks at the processes every two seconds. looked: the file that the caretaker touches whenever it looked."""

    def __init__(
        self, statuses: Callable[[], list[ChildStatus]], pager: Pager, limits: AlarmLimits, told: Told, looked: Path
    ) -> None:
        self._statuses, self._pager, self._limits, self._told, self._looked = statuses, pager, limits, told, looked

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look(datetime.now(UTC))
            await asyncio.sleep(LOOKS_EVERY_S)

    async def look(self, now: datetime) -> None:
        """Tell what is down and nobody else tells; tell what is over, unless the caretaker has taken that over."""
        statuses = {_key(status.name): status for status in self._statuses()}
        down = find_down(statuses.values(), self._looked_at(), self._limits, now)
        told = self._told.all()
        for key, since in down.items():
            is_ours = key == CARETAKER_DOWN or CARETAKER_DOWN in down
            if is_ours and is_long_enough(statuses[key], since, self._limits, now):
                await self._tell(told.get(key) or Alarm(*key, since), now)
        for key, alarm in told.items():
            if key in statuses and key not in down:
                await self._tell_end(alarm, now)

    async def house_is_down(self) -> None:
        """Tell that the house could not be started."""
        now = datetime.now(UTC)
        await self._tell(self._told.all().get(HOUSE_DOWN) or Alarm(*HOUSE_DOWN, now), now)

    async def house_is_up(self) -> None:
        """Tell that it could at last, if the contrary was told."""
        if (told := self._told.all().get(HOUSE_DOWN)) is not None:
            await self._tell_end(told, datetime.now(UTC))

    async def _tell(self, alarm: Alarm, now: datetime) -> None:
        is_first = alarm.paged_at is None
        if is_first or is_told_again(alarm, self._limits, now):
            sentence = begin_sentence(alarm) if is_first else again_sentence(alarm, now)
            # A page that no channel took is tried again at the next look.
            if await self._send(alarm, sentence, now):
                self._told.keep(alarm, now)

    async def _tell_end(self, alarm: Alarm, now: datetime) -> None:
        told_at = alarm.paged_at
        taken = self._told.take(alarm.key)
        if taken and not await self._send(alarm, end_sentence(alarm, now), now) and told_at is not None:
            self._told.keep(alarm, told_at)

    async def _send(self, alarm: Alarm, sentence: str, now: datetime) -> bool:
        page = Page(f"up-{secrets.token_hex(8)}", sentence, alarm.kind.value, alarm.subject, self._pager.house, now)
        return was_taken(await self._pager.send(page))

    def _looked_at(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._looked.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None


def _silent_since(
    status: ChildStatus, looked_at: datetime | None, limits: AlarmLimits, now: datetime
) -> datetime | None:
    since = max(filter(None, (status.started_at, looked_at)), default=now)
    starts = looked_at is None and status.restarts == 0
    return since if now - since >= (limits.starts_within if starts else LIVES_WITHIN) else None


def _key(name: str) -> AlarmKey | None:
    """Return the alarm that the caretaker would raise about the same; None for what can wait for the caretaker."""
    if name == HOMESERVER:
        return AlarmKind.HOMESERVER_AWAY, ""
    return (AlarmKind.PROCESS_STOPPED, name) if name == CARETAKER or name.startswith(WATCHER) else None
