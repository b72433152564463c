"""Two devices of one account at once: what both receive, one of them decides."""

import multiprocessing
from functools import partial
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from random import Random

import pytest

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.ids import EventId, RoomId, RoomNumber
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.rooms import RoomScope
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.support.at_once import at_once
from tests.support.household import NOW, desk

WATCHER = Worker.RISK_MONITOR
AT_ONCE = 20
ENDS_WITHIN_S = 100
EVENTS = [EventId(f"${number}") for number in range(40)]
ONE = EventId("$one")


def _receive(tx: Transaction, ids: list[EventId]) -> list[EventId]:
    return list(tx.inbox.receive(WATCHER, [NewIncoming(RoomId("!a"), event_id, {}) for event_id in ids], NOW))


def _put(scope: RoomScope, tx: Transaction) -> RoomNumber | None:
    tx.rooms.put(scope)
    return tx.rooms.number_of(scope.room_id)


@pytest.mark.parametrize("received", [True, False], ids=["received before", "never received"])
def test_when_twenty_take_one_event_at_once_exactly_one_decides(store: Store, received: bool) -> None:
    with store.writing() as tx:
        _receive(tx, [ONE] if received else [])

    results = at_once(store, *[lambda tx: tx.inbox.take(WATCHER, ONE, NOW)] * AT_ONCE)

    assert sorted(map(str, results)) == ["False"] * (AT_ONCE - 1) + ["True"]


def test_when_one_receives_what_the_other_takes_it_is_decided_once(store: Store) -> None:
    results = at_once(store, lambda tx: _receive(tx, [ONE]), lambda tx: tx.inbox.take(WATCHER, ONE, NOW))

    assert True in results
    with store.writing() as tx:
        assert _receive(tx, [ONE]) == []


def test_when_twenty_raise_one_alarm_at_once_it_is_raised_once(store: Store) -> None:
    alarm = Alarm(AlarmKind.WATCHER_LAGS, "", NOW)

    results = at_once(store, *[lambda tx: tx.alarms.put(alarm)] * AT_ONCE)

    assert results.count(True) == 1
    assert results.count(False) == AT_ONCE - 1


def test_when_twenty_rooms_are_put_at_once_no_two_have_one_number(store: Store) -> None:
    rooms = [desk(f"p{number % 10}") for number in range(AT_ONCE)]

    numbers = at_once(store, *[partial(_put, scope) for scope in rooms])

    assert sorted(numbers, key=str) == sorted([*range(1, 11)] * 2, key=str)


def _device(url: str, keys: HouseKeys, seed: int, start: Barrier, results: "Queue[list[EventId]]") -> None:
    """What a process of its own does: receive everything, in its own order, and take one after the other."""
    store, order = open_store(url, keys), Random(seed)
    start.wait(ENDS_WITHIN_S)
    taken = []
    for _ in range(3):
        with store.writing() as tx:
            _receive(tx, order.sample(EVENTS, len(EVENTS)))
    for event_id in order.sample(EVENTS, len(EVENTS)):
        with store.writing() as tx:
            if tx.inbox.take(WATCHER, event_id, NOW):
                taken.append(event_id)
            tx.inbox.handled(WATCHER, [EventId("$nothing"), EventId("$none")], NOW)
    results.put(taken)
    store.close()


def test_two_processes_share_the_events_and_each_event_is_decided_once(
    database_url: str, house_keys: HouseKeys
) -> None:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    devices = [
        context.Process(target=_device, args=(database_url, house_keys, seed, start, results)) for seed in (1, 2)
    ]

    for device in devices:
        device.start()
    taken = [results.get(timeout=ENDS_WITHIN_S) for _ in devices]
    for device in devices:
        device.join(ENDS_WITHIN_S)

    assert sorted([*taken[0], *taken[1]]) == sorted(EVENTS)
    assert [device.exitcode for device in devices] == [0, 0]
