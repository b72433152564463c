"""What the watcher does about a message that it cannot read: silence must never look like safety."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from bots.risk_monitor.bot import UNREADABLE_AFTER, Watcher
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Undecryptable
from bots.runtime.surroundings import Surroundings
from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case
from keyhouse.core.ids import Condition, EventId, RoomId, UserId
from keyhouse.core.matching.lexicon import compile_lexicon
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.memory import MemoryStore

RIVER, ROOM, WILLOW = UserId("@river:k.h"), RoomId("!willow"), Condition("willow")
NOON = datetime(2027, 3, 29, 12, 0, tzinfo=UTC)
NOTHING_IS_SENT: Any = None


class Watched:
    """A house kept in memory, with one patient, and a watcher whose clock the test moves."""

    def __init__(self) -> None:
        self.now = NOON
        self.ledger = Ledger(MemoryStore())
        settings = HouseSettings(
            server_name="k.h", homeserver="http://h", front_door="http://f", database="sqlite://", config=Path()
        )
        around = Surroundings(settings, self.ledger, NOTHING_IS_SENT, UserId("@watcher:k.h"), lambda: self.now)
        self.watcher = Watcher(around, compile_lexicon(()), Signposting(("call 999",), date.min, date.max))

    async def furnish(self) -> None:
        """Keep a care room, a living room, and a patient who lives there."""

        def keep(tx: Transaction) -> None:
            team, patients = frozenset({Role.CLINICIAN}), frozenset({Role.PATIENT})
            tx.rooms.put(RoomScope(RoomId("!care"), "care", RoomKind.CARE, "Care", team, service="one"))
            only = frozenset({WILLOW})
            tx.rooms.put(RoomScope(ROOM, "willow", RoomKind.LIVING_ROOM, "Willow", patients, only, service="one"))
            tx.people.add(Person(RIVER, Role.PATIENT, PersonState.ACTIVE, "river", NOON))
            tx.people.grant(Key(RIVER, WILLOW, "test", NOON))

        await self.ledger.write(keep)

    async def cases(self) -> list[Case]:
        """Every case."""
        return list(await self.ledger.read(lambda tx: tx.cases.listed(only_open=False, limit=9)))

    async def until_alarmed(self, times: int) -> None:
        """Let the watcher's clock run until it has alarmed so often."""
        watching = asyncio.create_task(self.watcher.watch_the_clock())
        async with asyncio.timeout(10):
            while self.watcher.counters["stayed_unreadable"] < times:
                done, _ = await asyncio.wait({watching}, timeout=0.05)
                assert not done, "the watcher's clock ended"
        watching.cancel()


@pytest_asyncio.fixture(loop_scope="session")
async def watched() -> AsyncIterator[Watched]:
    """One watcher, with nothing said yet."""
    house = Watched()
    await house.furnish()
    yield house
    house.ledger.close()


def unreadable(event_id: str) -> Undecryptable:
    """A message whose room key has not come."""
    return Undecryptable(ROOM, event_id, RIVER, "session", "no room key")


async def test_messages_that_stay_unreadable_for_a_minute_bring_a_human(watched: Watched) -> None:
    await watched.watcher.received(unreadable("$one"))
    await watched.watcher.received(unreadable("$two"))
    watched.now += UNREADABLE_AFTER

    await watched.until_alarmed(2)

    (case,) = await watched.cases()
    assert {(alert.event_id, alert.category) for alert in case.alerts} == {
        ("$one", "could_not_be_read"),
        ("$two", "could_not_be_read"),
    }


async def test_one_that_becomes_readable_in_time_alarms_nobody_while_its_neighbour_does(watched: Watched) -> None:
    await watched.watcher.received(unreadable("$one"))
    await watched.watcher.received(unreadable("$two"))
    watched.now += UNREADABLE_AFTER - timedelta(seconds=1)
    await watched.watcher.received(
        Message(ROOM, "$one", RIVER, NOON, "m.room.message", {"body": "good morning"}, True, True)
    )
    watched.now += timedelta(seconds=1)

    await watched.until_alarmed(1)

    assert [alert.event_id for case in await watched.cases() for alert in case.alerts] == ["$two"]


async def test_one_that_becomes_readable_while_another_alarm_is_kept_ends_nothing(watched: Watched) -> None:
    for event_id in ("$one", "$two", "$three"):
        await watched.watcher.received(unreadable(event_id))
    watched.now += UNREADABLE_AFTER
    keep = watched.ledger.write

    async def keep_slowly(work: Any) -> Any:
        # Between two alarms the stream goes on: here the second message's key comes.
        kept = await keep(work)
        await watched.watcher.received(
            Message(ROOM, "$two", RIVER, NOON, "m.room.message", {"body": "good morning"}, True, True)
        )
        return kept

    watched.ledger.write = keep_slowly  # type: ignore[method-assign]
    await watched.until_alarmed(2)

    alarmed = {alert.event_id for case in await watched.cases() for alert in case.alerts}
    assert alarmed == {"$one", "$three"}


async def test_what_could_be_read_at_last_after_its_alarm_is_judged_and_raised_in_the_same_case(
    watched: Watched,
) -> None:
    # The second alarm joins the case of the first, so a further message has been decided for it already.
    await watched.watcher.received(unreadable("$zero"))
    await watched.watcher.received(unreadable("$one"))
    watched.now += UNREADABLE_AFTER
    await watched.until_alarmed(2)
    alert = Alert(EventId("$one"), ROOM, RIVER, Urgency.URGENT, "suicide", ("rule",), watched.now)

    raised = await watched.ledger.write(lambda tx: raise_alert(tx, alert, "what was written", watched.now))
    again = await watched.ledger.write(lambda tx: tx.outbox.due(Worker.RISK_MONITOR, watched.now, 9))

    (case,) = await watched.cases()
    assert raised is not None
    assert (raised.is_new, case.number, case.urgency) == (False, raised.case.number, Urgency.URGENT)
    told = [row.content for row in again if row.kind is OutgoingKind.CARE_MESSAGE]
    assert [content["urgency"] for content in told] == ["concern", "urgent"]
    assert told[-1]["words"] == "what was written"
