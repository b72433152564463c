"""How decisions leave: lane beside lane, each in its order, under the lease, and looked for when they may be there."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.ledger import Ledger
from bots.runtime.once import Attempts, NoLongerOurs
from bots.runtime.outbox import AT_ONCE, KNOWN_AT_THE_SERVER_FOR, LEASE_LASTS, NotYet, Outbox
from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.storage.memory import MemoryStore
from tests.support.household import NOW

WATCHER = Worker.RISK_MONITOR
Do = Callable[[Outgoing], Awaitable[None]]


class Working:
    """A house in memory whose decisions are done by what the test says. now: moves when the test moves it."""

    def __init__(self) -> None:
        self.now = NOW
        self.ledger = Ledger(MemoryStore(), WATCHER)
        self.attempts = Attempts()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._news = asyncio.Condition()

    async def decide(self, *onces: str, kind: OutgoingKind = OutgoingKind.ANSWER) -> None:
        """Keep decisions named LANE/ANYTHING."""
        new = [NewOutgoing(kind, WATCHER, once, {"room_id": once.split("/")[0]}, self.now) for once in onces]
        await self.ledger.write(lambda tx: tx.outbox.add_all(new, self.now))

    async def move(self, by: timedelta) -> None:
        """Let time pass, and let the outbox look at the clock."""
        self.now += by
        self.ledger.written.set()

    async def do(self, row: Outgoing, how: Do) -> None:
        """Do one decision as the test says, and remember that it was begun and ended."""
        await self._note(self.begun, row)
        await how(row)
        await self._note(self.ended, row)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(true)

    async def settled(self) -> None:
        """Wait until the outbox has looked a few times and found nothing more that it may begin."""
        for _ in range(20):
            self.ledger.written.set()
            await self.ledger.read(lambda tx: None)
            await asyncio.sleep(0)

    async def undone(self) -> list[Outgoing]:
        """What is not done, due or not."""
        later = self.now + timedelta(days=9)
        return list(await self.ledger.read(lambda tx: tx.outbox.due(WATCHER, later, 99)))

    async def _note(self, what: list[str], row: Outgoing) -> None:
        async with self._news:
            what.append(row.once)
            self._news.notify_all()


@asynccontextmanager
async def outbox(house: Working, how: Do, device_id: str = "ONE") -> AsyncIterator[asyncio.Task[None]]:
    """Run an outbox that does decisions as the test says."""
    stopped = threading.Event()

    async def do(row: Outgoing) -> None:
        await house.do(row, how)

    draining = Outbox(house.ledger, WATCHER, device_id, house.attempts, do, lambda: house.now, stopped.wait)
    running = asyncio.create_task(draining.run())
    yield running
    stopped.set()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled(), running.exception()


@pytest.fixture
def house() -> Working:
    """Nothing is decided yet."""
    return Working()


async def at_once(row: Outgoing) -> None:
    """Do it, without any trouble."""


def waiting_for(free: asyncio.Event, lane: str) -> Do:
    """Do it at once, but for one lane, which waits."""

    async def how(row: Outgoing) -> None:
        if row.once.startswith(lane):
            await free.wait()

    return how


async def test_a_slow_lane_keeps_its_order_and_holds_up_no_other(house: Working) -> None:
    free = asyncio.Event()
    await house.decide("a/1", "a/2", "a/3", "b/1", "b/2")

    async with outbox(house, waiting_for(free, "a")):
        await house.until(lambda: house.ended == ["b/1", "b/2"])
        begun_while_slow = list(house.begun)
        free.set()
        await house.until(lambda: len(house.ended) == 5)

    assert [once for once in begun_while_slow if once.startswith("a")] == ["a/1"]
    assert [once for once in house.ended if once.startswith("a")] == ["a/1", "a/2", "a/3"]
    assert await house.undone() == []


async def test_the_last_place_is_for_what_says_that_somebody_may_be_in_danger(house: Working) -> None:
    free = asyncio.Event()
    await house.decide(*(f"slow-{number}/1" for number in range(AT_ONCE)))

    async with outbox(house, waiting_for(free, "slow")):
        await house.until(lambda: len(house.begun) == AT_ONCE - 1)
        await house.settled()
        begun_while_full = len(house.begun)
        await house.decide("urgent/1", kind=OutgoingKind.WRITE_AGAIN)
        await house.until(lambda: house.ended == ["urgent/1"])
        free.set()
        await house.until(lambda: len(house.ended) == AT_ONCE + 1)

    assert begun_while_full == AT_ONCE - 1


async def test_the_lease_is_renewed_while_a_decision_takes_its_time(house: Working) -> None:
    free = asyncio.Event()
    await house.decide("slow/1")

    async with outbox(house, waiting_for(free, "slow")):
        await house.until(lambda: house.begun)
        for _ in range(5):
            await house.move(LEASE_LASTS * 0.75)
            await house.settled()
        taken = await house.ledger.write(lambda tx: tx.leases.take(WATCHER, "another", house.now, LEASE_LASTS))
        free.set()
        await house.until(lambda: house.ended)

    assert not taken


async def test_nothing_is_begun_after_the_lease_was_lost_and_what_had_begun_does_not_send(house: Working) -> None:
    free = asyncio.Event()

    async def how(row: Outgoing) -> None:
        await free.wait()
        attempt = house.attempts.of(row.txn_id)
        if attempt is not None and not attempt.may_send():
            raise NoLongerOurs

    await house.decide("a/1")
    async with outbox(house, how):
        await house.until(lambda: house.begun)
        # As if this process had stood still for longer than its lease.
        house.now += LEASE_LASTS
        await house.ledger.write(lambda tx: tx.leases.take(WATCHER, "another", house.now, LEASE_LASTS))
        await house.decide("b/1")
        free.set()
        await house.settled()

    (first, second) = await house.undone()
    assert house.begun == ["a/1"]
    assert (first.once, first.tries, second.once) == ("a/1", 0, "b/1")


async def test_a_lease_given_back_is_taken_at_once_by_whoever_stands_by(house: Working) -> None:
    async with outbox(house, at_once, "ONE") as first, outbox(house, at_once, "TWO"):
        await house.decide("a/1")
        await house.until(lambda: house.ended == ["a/1"])
        first.cancel()
        await asyncio.wait({first})
        await house.decide("a/2")
        await house.until(lambda: house.ended == ["a/1", "a/2"])

        assert house.now == NOW


async def test_a_lease_under_which_something_may_still_leave_is_not_given_back(house: Working) -> None:
    async with outbox(house, waiting_for(asyncio.Event(), "a")) as first:
        await house.decide("a/1")
        await house.until(lambda: house.begun)
        first.cancel()
        await asyncio.wait({first})
        take = await house.ledger.write(lambda tx: tx.leases.take(WATCHER, "another", house.now, LEASE_LASTS))

    assert not take


LIMITED = MatrixRefused("M_LIMIT_EXCEEDED", 429, "Too fast", timedelta(seconds=90))


@pytest.mark.parametrize(
    ("fault", "passes", "again_in"),
    [
        pytest.param(LIMITED, False, timedelta(seconds=90), id="asked for time: the room waits as long"),
        pytest.param(MatrixAway("away"), False, timedelta(seconds=1), id="away: the order is kept"),
        pytest.param(MatrixRefused("M_TOO_LARGE", 413, "no"), True, timedelta(seconds=1), id="refused: its own fault"),
        pytest.param(LookupError("bug"), True, timedelta(seconds=1), id="a bug: its own fault"),
        pytest.param(NotYet("device", timedelta(hours=1)), True, timedelta(hours=1), id="it waits for something"),
    ],
)
async def test_one_that_cannot_be_done_now_holds_up_its_own_lane_at_most(
    house: Working, fault: Exception, passes: bool, again_in: timedelta
) -> None:
    failing = {"a/1"}

    async def how(row: Outgoing) -> None:
        if row.once in failing:
            raise fault

    await house.decide("a/1", "a/2", "b/1")
    async with outbox(house, how):
        await house.until(lambda: "b/1" in house.ended and (not passes or "a/2" in house.ended))
        await house.settled()
        passed = "a/2" in house.ended
        due_at = {row.once: row.due_at for row in await house.undone()}["a/1"]
        failing.clear()
        await house.move(again_in)
        await house.until(lambda: len(house.ended) == 3)

    assert (passed, due_at) == (passes, NOW + again_in)
    assert house.ended == ["b/1", "a/1", "a/2"] or passes


@pytest.mark.parametrize(
    ("fault", "fails"),
    [
        pytest.param(MatrixRefused("M_FORBIDDEN", 403, "no"), True, id="refused"),
        pytest.param(MatrixAway("away"), True, id="away"),
        pytest.param(LookupError("bug"), True, id="a bug"),
        pytest.param(NotYet("desk room", timedelta(seconds=2)), True, id="it waits for something of the house's own"),
        pytest.param(NotYet("device", timedelta(seconds=2)), False, id="it waits for a person"),
    ],
)
async def test_since_when_a_decision_fails_is_kept_through_every_further_try(
    house: Working, fault: Exception, fails: bool
) -> None:
    async def how(row: Outgoing) -> None:
        if len(house.begun) < 3:
            raise fault

    def since(tx: Transaction) -> object:
        return tx.outbox.failing_since(WATCHER)

    await house.decide("a/1")
    async with outbox(house, how):
        await house.until(lambda: len(house.begun) == 1)
        await house.settled()
        await house.move(timedelta(seconds=5))
        await house.until(lambda: len(house.begun) == 2)
        await house.settled()
        failing = await house.ledger.read(since)
        await house.move(timedelta(seconds=5))
        await house.until(lambda: house.ended)
        await house.settled()

    assert failing == (NOW if fails else None)
    assert await house.ledger.read(since) is None


async def test_while_the_homeserver_is_away_it_is_asked_again_every_few_seconds_however_long_it_takes(
    house: Working,
) -> None:
    async def how(row: Outgoing) -> None:
        if len(house.begun) < 9:
            raise MatrixAway("away")

    await house.decide("a/1")
    async with outbox(house, how):
        for tries in range(1, 9):
            await house.until(lambda tries=tries: len(house.begun) == tries)  # type: ignore[misc]
            await house.settled()
            await house.move(timedelta(seconds=5))
        await house.until(lambda: house.ended)

    assert len(house.begun) == 9


@pytest.mark.parametrize(
    ("tried_by", "age", "looks"),
    [
        pytest.param((), timedelta(), False, id="nobody tried"),
        pytest.param(("ONE",), timedelta(), False, id="this device tried, and its transaction id is known"),
        pytest.param(("TWO",), timedelta(), True, id="another device tried"),
        pytest.param(("ONE", "TWO"), timedelta(), True, id="this device and then another tried"),
        pytest.param(("ONE",), KNOWN_AT_THE_SERVER_FOR, True, id="this device tried, too long ago"),
        pytest.param((), KNOWN_AT_THE_SERVER_FOR, False, id="nobody tried for a day"),
    ],
)
async def test_what_another_device_may_have_sent_is_looked_for(
    house: Working, tried_by: tuple[str, ...], age: timedelta, looks: bool
) -> None:
    seen = []

    async def how(row: Outgoing) -> None:
        attempt = house.attempts.of(row.txn_id)
        seen.append(attempt and attempt.perhaps_sent_since)

    def tried(tx: Transaction) -> None:
        (row,) = tx.outbox.due(WATCHER, NOW, 9)
        for device_id in tried_by:
            tx.outbox.trying(row.id, device_id)

    await house.decide("a/1")
    await house.ledger.write(tried)
    house.now += age
    async with outbox(house, how, "ONE"):
        await house.until(lambda: house.ended)

    assert seen == [NOW if looks else None]
