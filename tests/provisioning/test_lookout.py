"""What the caretaker makes of a house that has just been started, and what it forgets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bots.runtime.ledger import Ledger
from keyhouse.core.alarms import Alarm, AlarmKind, AlarmLimits
from keyhouse.core.outgoing import Worker
from keyhouse.storage.memory import MemoryStore
from provisioning.caretaker.lookout import Lookout
from provisioning.caretaker.purging import ALARMS_KEPT_FOR, keep_forgetting_alarms
from provisioning.caretaker.store_sight import StoreSight
from provisioning.directory import HouseDirectory
from provisioning.paging.pager import Pager
from provisioning.state import ChildState, ChildStatus, save_state, state_file
from tests.support.eventually import eventually
from tests.support.paged_house import config_with_pager, settings_of
from tests.support.ports import free_port

NOON = datetime(2027, 3, 29, 12, tzinfo=UTC)
A_SECOND, A_MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AWAY = (AlarmKind.HOMESERVER_AWAY, "")


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@asynccontextmanager
async def looking(tmp_path: Path, store: MemoryStore, time: Time, *children: ChildStatus) -> AsyncIterator[Lookout]:
    """A lookout at a house whose homeserver does not answer."""
    directory = HouseDirectory(tmp_path / "data")
    homeserver = f"http://127.0.0.1:{free_port()}"
    settings = settings_of(directory.root, config_with_pager(tmp_path, {}, {}), homeserver)
    save_state(state_file(directory), children)
    ledger, limits = Ledger(store, Worker.CARETAKER), AlarmLimits()
    sight = StoreSight(Pager([], "keyhouse.test"), limits)
    lookout = Lookout(directory, settings, ledger, limits, sight, lambda: {}, time)
    running = asyncio.create_task(lookout.run())
    try:
        await lookout.looked.wait()
        yield lookout
    finally:
        running.cancel()
        await asyncio.wait({running})
        ledger.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it is so."""
    await eventually(lambda: asyncio.to_thread(holds))


@pytest.mark.parametrize(
    ("started", "restarts", "is_told"),
    [
        pytest.param(-A_MINUTE, 0, False, id="started a minute before"),
        pytest.param(-3 * A_MINUTE, 0, True, id="started three minutes before"),
        pytest.param(-A_MINUTE, 1, True, id="started again a minute before"),
    ],
)
async def test_a_homeserver_that_up_has_just_started_is_given_its_time_to_answer(
    tmp_path: Path, started: timedelta, restarts: int, is_told: bool
) -> None:
    store, time = MemoryStore(), Time()
    synapse = ChildStatus("synapse", ChildState.RUNNING, 1, 1, restarts=restarts, started_at=NOON + started)

    async with looking(tmp_path, store, time, synapse) as lookout:
        time.now += A_MINUTE
        await until(lambda: lookout.memory.looked_at == time.now)

    with store.reading() as tx:
        assert [alarm.key for alarm in tx.alarms.open()] == ([AWAY] if is_told else [])


async def test_alarms_that_ended_long_ago_are_forgotten_and_younger_ones_are_kept() -> None:
    ledger = Ledger(MemoryStore(), Worker.CARETAKER)
    moments = {"old": NOON - ALARMS_KEPT_FOR - A_SECOND, "young": NOON - ALARMS_KEPT_FOR}
    for subject, moment in moments.items():
        await ledger.write(lambda tx, subject=subject: tx.alarms.put(Alarm(AlarmKind.WATCHER_LAGS, subject, NOON)))  # type: ignore[misc]
        await ledger.write(
            lambda tx, subject=subject, moment=moment: tx.alarms.end(AlarmKind.WATCHER_LAGS, subject, moment)  # type: ignore[misc]
        )

    forgetting = asyncio.create_task(keep_forgetting_alarms(ledger, lambda: NOON))
    ledger.written.clear()
    await ledger.written.wait()
    forgetting.cancel()
    await asyncio.wait({forgetting})

    assert [alarm.subject for alarm in await ledger.read(lambda tx: tx.alarms.latest(9))] == ["young"]
    ledger.close()
