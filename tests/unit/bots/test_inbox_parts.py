"""The small parts on an event's way: lanes, patience, suspects, what was finished, and what is forgotten."""

import asyncio
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee
import pytest

from bots.runtime.finished import Finished
from bots.runtime.forgetting import AT_ONCE, KEPT_FOR, Forgetting
from bots.runtime.happens import happens
from bots.runtime.lanes import ON_THEIR_WAY_AT_MOST, Lanes
from bots.runtime.ledger import Ledger
from bots.runtime.patience import until_kept
from bots.runtime.store_faults import is_store_fault
from bots.runtime.suspects import Suspects
from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.storage.errors import StoreAway, StoreConflict
from keyhouse.storage.memory import MemoryStore
from tests.support.eventually import eventually

NOON = datetime(2027, 3, 29, 12, tzinfo=UTC)
WATCHER = Worker.RISK_MONITOR


def event(number: int, room: str = "!room") -> NewIncoming:
    """One event of many."""
    return NewIncoming(RoomId(room), EventId(f"${number}"), {})


async def test_who_brings_more_than_fits_waits_until_some_were_handled() -> None:
    goes_on, handled = asyncio.Event(), list[str]()

    async def handle(one: NewIncoming) -> None:
        await goes_on.wait()
        handled.append(one.event_id)

    lanes = Lanes(handle)
    for number in range(ON_THEIR_WAY_AT_MOST):
        await lanes.put(event(number))
    one_more = asyncio.create_task(lanes.put(event(ON_THEIR_WAY_AT_MOST)))
    waited, _ = await asyncio.wait({one_more}, timeout=0.05)
    goes_on.set()
    await asyncio.wait_for(one_more, 10)
    await eventually(lambda: asyncio.to_thread(lambda: not lanes.has(f"${ON_THEIR_WAY_AT_MOST}")))

    assert not waited
    assert handled == [f"${number}" for number in range(ON_THEIR_WAY_AT_MOST + 1)]


async def test_what_handling_raises_is_raised_to_who_runs_the_bot() -> None:
    async def handle(one: NewIncoming) -> None:
        raise LookupError(one.event_id)

    lanes = Lanes(handle)
    await lanes.put(event(1))

    with pytest.raises(LookupError, match=r"\$1"):
        await asyncio.wait_for(lanes.until_a_fault(), 10)


async def test_while_the_database_is_away_work_is_tried_again_and_counted() -> None:
    counts, answers = Counter[str](), [StoreAway("away"), StoreAway("away"), None]

    async def work() -> str:
        if (fault := answers.pop(0)) is not None:
            raise fault
        return "done"

    assert await until_kept(work, counts) == "done"
    assert counts["store_away"] == 2


async def test_a_decision_that_meets_another_process_is_tried_again() -> None:
    ledger, tries = Ledger(MemoryStore(), WATCHER), list[int]()

    def work(_: object) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise StoreConflict("somebody was quicker")
        return len(tries)

    assert await ledger.decide("$one", work) == 2
    assert await ledger.decide("$one", work) is None
    ledger.close()


async def test_what_was_finished_is_written_together_and_only_once() -> None:
    ledger = Ledger(MemoryStore(), WATCHER)
    await ledger.write(lambda tx: tx.inbox.receive(WATCHER, [event(1), event(2)], NOON))
    finished = Finished(ledger, Counter())

    finished.add("$1")
    finished.add("$2")
    before = finished.has("$1")
    await finished.write()

    assert (before, finished.has("$1")) == (True, False)
    assert (await ledger.read(lambda tx: tx.inbox.standing(WATCHER)))["new"] == 0
    ledger.close()


async def test_what_was_done_a_month_ago_is_forgotten_and_what_is_younger_is_not() -> None:
    now = NOON
    ledger = Ledger(MemoryStore(), WATCHER, lambda: now)
    old = [event(number) for number in range(AT_ONCE + 1)]
    for events, at in ((old, NOON), ([event(9999)], NOON + timedelta(days=1))):
        await ledger.write(lambda tx, events=events, at=at: tx.inbox.receive(WATCHER, events, at))  # type: ignore[misc]
    await ledger.write(lambda tx: tx.inbox.handled(WATCHER, [one.event_id for one in old], NOON))
    now = NOON + KEPT_FOR + timedelta(seconds=1)

    await Forgetting(ledger, Counter()).once()

    assert await ledger.write(lambda tx: tx.inbox.receive(WATCHER, [old[0]], now)) == ["$0"]
    assert (await ledger.read(lambda tx: tx.inbox.standing(WATCHER)))["new"] == 2
    ledger.close()


async def test_what_was_decided_and_done_a_month_ago_is_forgotten_too() -> None:
    now = NOON
    ledger = Ledger(MemoryStore(), WATCHER, lambda: now)
    old = [f"old {number}" for number in range(AT_ONCE + 1)]

    def decide(tx: Transaction, onces: list[str], at: datetime) -> None:
        tx.outbox.add_all([NewOutgoing(OutgoingKind.CARD_EDIT, WATCHER, once, {}, at) for once in onces], at)
        for row in tx.outbox.due(WATCHER, at, len(onces)):
            tx.outbox.done(row.id, at)

    await ledger.write(lambda tx: decide(tx, old, NOON))
    await ledger.write(lambda tx: decide(tx, ["young"], NOON + timedelta(days=1)))
    now = NOON + KEPT_FOR + timedelta(seconds=1)

    await Forgetting(ledger, Counter()).once()

    assert not await ledger.read(lambda tx: any(tx.outbox.known(once) for once in old))
    assert await ledger.read(lambda tx: tx.outbox.known("young"))
    ledger.close()


@pytest.mark.parametrize("steps_between", range(6))
async def test_a_loop_that_waits_ends_when_it_is_cancelled_at_the_moment_at_which_something_happens(
    steps_between: int,
) -> None:
    event = asyncio.Event()

    async def loop() -> None:
        while True:
            event.clear()
            await happens(event, timedelta(hours=1))

    looping = asyncio.create_task(loop())
    await asyncio.sleep(0)
    event.set()
    for _ in range(steps_between):
        await asyncio.sleep(0)
    looping.cancel()
    ended, _ = await asyncio.wait({looping}, timeout=10)

    assert ended == {looping}
    assert looping.cancelled()


async def test_what_happens_is_told_from_what_does_not_happen_in_time() -> None:
    event = asyncio.Event()

    before = await happens(event, timedelta(0))
    event.set()

    assert (before, await happens(event, timedelta(hours=1)), await happens(event)) == (False, True, True)


def test_an_event_has_a_strike_for_each_process_that_died_while_it_was_handled_alone(tmp_path: Path) -> None:
    file = tmp_path / "suspect.json"
    for strikes in range(3):
        assert Suspects(file).strikes("$one") == strikes
        Suspects(file).alone("$one").__enter__()

    assert Suspects(file).strikes("$one") == 3
    assert Suspects(file).strikes("$two") == 0


def test_an_event_that_was_handled_alone_leaves_no_mark_also_when_the_bot_was_told_to_stop(tmp_path: Path) -> None:
    file = tmp_path / "suspect.json"
    with Suspects(file).alone("$one"):
        assert file.exists()
    assert not file.exists()

    with pytest.raises(asyncio.CancelledError), Suspects(file).alone("$one"):
        raise asyncio.CancelledError
    assert not file.exists()


def test_a_mark_that_cannot_be_read_suspects_nobody(tmp_path: Path) -> None:
    (tmp_path / "suspect.json").write_text("[1")

    assert Suspects(tmp_path / "suspect.json").strikes("$one") == 0


@pytest.mark.parametrize(
    ("fault", "of_the_store"),
    [
        pytest.param(OSError(28, "No space left on device"), True, id="a full disk"),
        pytest.param(peewee.OperationalError("database or disk is full"), True, id="a full disk, as the store says it"),
        pytest.param(sqlite3.DatabaseError("malformed"), True, id="a damaged file"),
        pytest.param(peewee.IntegrityError("NOT NULL"), False, id="a missing value"),
        pytest.param(peewee.ProgrammingError("type 'list' is not supported"), False, id="a value of another type"),
        pytest.param(ValueError("not base64"), False, id="malformed text"),
    ],
)
def test_a_store_that_fails_is_told_from_a_value_that_it_does_not_take(fault: Exception, of_the_store: bool) -> None:
    assert is_store_fault(fault) is of_the_store
