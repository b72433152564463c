"""Look at the house every few seconds, and make alarms of what is wrong."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from keyhouse.core.alarms import Alarm, AlarmLimits, means_blindness
from keyhouse.core.ids import RoomId
from keyhouse.core.workflows.watching import Look, Memory, Sight, look, record_store_away, watch
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.errors import StoreFault
from provisioning.caretaker.store_sight import StoreSight
from provisioning.directory import HouseDirectory
from provisioning.paging.told import Told
from provisioning.programs import CARETAKER, HOMESERVER, program_names
from provisioning.state import ChildState, ChildStatus, load_state, looked_file, state_file, unwell_since
from provisioning.waiting import homeserver_answers

LOOKS_EVERY_S = 3.0
_STORE_WITHIN_S = 15.0
_YOUNG = timedelta(seconds=30)


class Lookout:
    """Looks, and remembers. without: asks since when which watched room has been without the watcher.

    looked: set when the first look is done.
    """

    def __init__(
        self,
        directory: HouseDirectory,
        settings: HouseSettings,
        ledger: Ledger,
        limits: AlarmLimits,
        store_sight: StoreSight,
        without: Callable[[], Mapping[RoomId, datetime] | None],
        clock: Clock,
    ) -> None:
        self._directory, self._settings, self._ledger, self._limits = directory, settings, ledger, limits
        self._store_sight, self._without, self._clock = store_sight, without, clock
        self._told = Told(state_file(directory).parent)
        self._expected = tuple(name for name in program_names(settings) if name != CARETAKER)
        self._silent_since: datetime | None = None
        self._standing: tuple[Alarm, ...] = ()
        self._well_at: datetime | None = None
        self.answered_at: datetime | None = None
        self.memory = Memory(clock(), clock())
        self.looked = asyncio.Event()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._once()
            await asyncio.sleep(LOOKS_EVERY_S)

    def is_well(self) -> bool:
        """Say whether it was seen lately that nobody goes unheard."""
        is_young = self._well_at is not None and abs(self._clock() - self._well_at) <= _YOUNG
        return is_young and not any(map(means_blindness, self._standing))

    async def _once(self) -> None:
        await self._ask_homeserver()
        now = self._clock()
        try:
            async with asyncio.timeout(_STORE_WITHIN_S):
                found = await self._look(self._sight(now), now)
            await self._store_is_back(now)
        except (StoreFault, TimeoutError) as fault:
            # Who tried to look has not slept: what was seen before counts on.
            self.memory = replace(self.memory, looked_at=now)
            await self._store_sight.failed(fault, now)
        else:
            self.memory, self._standing, self._well_at = found.memory, found.standing, now
            self.looked.set()
        has_looked(self._directory)

    async def _ask_homeserver(self) -> None:
        if await homeserver_answers(self._settings.homeserver):
            self._silent_since, self.answered_at = None, self._clock()
        else:
            self._silent_since = self._silent_since or self._clock()

    def _sight(self, now: datetime) -> Sight:
        children = {child.name: child for child in load_state(state_file(self._directory))}
        since = {name: unwell_since(child, self._limits.well_after, now) for name, child in children.items()}
        return Sight(
            expected=self._expected,
            given_up=frozenset(name for name, child in children.items() if child.state is ChildState.FAILED),
            unwell_since={name: at for name, at in since.items() if at is not None},
            homeserver_silent_since=self._silent_since,
            rooms_without_watcher=self._without(),
            first_started_at=first_starts(self._expected, children),
            homeserver_started_at=self._unanswered_start(children),
        )

    def _unanswered_start(self, children: Mapping[str, ChildStatus]) -> datetime | None:
        started_at = first_starts((HOMESERVER,), children).get(HOMESERVER)
        has_answered = started_at is not None and self.answered_at is not None and self.answered_at >= started_at
        return None if has_answered else started_at

    async def _look(self, sight: Sight, now: datetime) -> Look:
        """Look without writing, because mostly nothing has changed, and look again to keep what has."""
        found = await self._ledger.read(lambda tx: look(tx, sight, self.memory, self._limits, now))
        told = self._told.all()
        if found.changes:
            before = {key: alarm.paged_at for key, alarm in told.items() if alarm.paged_at is not None}
            found = await self._ledger.write(lambda tx: watch(tx, sight, self.memory, self._limits, before, now))
        for alarm in found.standing:
            if alarm.key in told:
                self._told.take(alarm.key)
        return found

    async def _store_is_back(self, now: datetime) -> None:
        if (ended := await self._store_sight.works(now)) is not None:
            await self._ledger.write(lambda tx: record_store_away(tx, ended.raised_at, ended.paged_at, now))


def first_starts(names: Iterable[str], children: Mapping[str, ChildStatus]) -> dict[str, datetime | None]:
    """Return when each process was started that has not ended since; None for one whose turn is still to come.

    children: as `up` wrote them down; without any, nothing is known.
    """
    started = {name: children.get(name) for name in names} if children else {}
    return {
        name: child.started_at if child else None
        for name, child in started.items()
        if child is None or (child.restarts == 0 and child.unwell_since is None)
    }


def has_looked(directory: HouseDirectory) -> None:
    """Say that the caretaker looks."""
    # A full disk is told from the database; `up` then tells of the caretaker too, which is better than silence.
    with contextlib.suppress(OSError):
        looked_file(directory).parent.mkdir(mode=0o700, exist_ok=True)
        looked_file(directory).touch(mode=0o600)
