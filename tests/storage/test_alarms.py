"""Alarms, the devices' generations, room numbers, and what the outbox knows of a decision."""

from dataclasses import replace

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.ids import RoomId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Store
from tests.support.household import A_SECOND, AN_HOUR, ANOREXIA, BULIMIA, NOW, care_room, living_room

WATCHER = Worker.RISK_MONITOR
BLIND = Alarm(AlarmKind.ROOM_UNREADABLE, "room 12", NOW)
LAGS = Alarm(AlarmKind.WATCHER_LAGS, "", NOW + A_SECOND)


def test_an_alarm_stands_until_it_is_ended_and_stays_in_the_list(store: Store) -> None:
    with store.writing() as tx:
        assert tx.alarms.put(LAGS)
        assert tx.alarms.put(BLIND)
        assert tx.alarms.put(replace(BLIND, subject="room 13", raised_at=NOW + AN_HOUR))
        assert tx.alarms.end(LAGS.kind, LAGS.subject, NOW + AN_HOUR)
        assert not tx.alarms.end(LAGS.kind, LAGS.subject, NOW + AN_HOUR)
        assert not tx.alarms.end(BLIND.kind, "room 14", NOW)

    with store.reading() as tx:
        assert [alarm.subject for alarm in tx.alarms.open()] == ["room 12", "room 13"]
        assert tx.alarms.open()[0] == BLIND
        assert [alarm.subject for alarm in tx.alarms.latest(2)] == ["room 13", "room 12"]
        assert tx.alarms.latest(9)[-1] == replace(LAGS, ended_at=NOW + AN_HOUR)


def test_a_fault_that_is_found_again_is_the_same_alarm_and_keeps_who_was_told(store: Store) -> None:
    told = replace(BLIND, paged_at=NOW + A_SECOND)

    with store.writing() as tx:
        tx.alarms.put(BLIND)
        assert not tx.alarms.put(told)
        assert not tx.alarms.put(replace(BLIND, raised_at=NOW + AN_HOUR))
        assert tx.alarms.open() == [told]
        tx.alarms.end(BLIND.kind, BLIND.subject, NOW + AN_HOUR)
        assert tx.alarms.put(replace(BLIND, raised_at=NOW + AN_HOUR))

    with store.reading() as tx:
        assert tx.alarms.open() == [replace(BLIND, raised_at=NOW + AN_HOUR)]
        assert len(tx.alarms.latest(9)) == 2


def test_alarms_that_ended_long_ago_are_forgotten_in_portions_and_one_that_stands_never(store: Store) -> None:
    with store.writing() as tx:
        for room in range(4):
            tx.alarms.put(replace(BLIND, subject=f"room {room}"))
        for room, ended_at in enumerate((NOW, NOW, NOW + AN_HOUR)):
            tx.alarms.end(BLIND.kind, f"room {room}", ended_at)
        deleted = [tx.alarms.forget(NOW + AN_HOUR, 1) for _ in range(3)]
        tx.alarms.put(replace(BLIND, subject="room 0"))

    with store.reading() as tx:
        assert deleted == [1, 1, 0]
        assert sorted(alarm.subject for alarm in tx.alarms.latest(9)) == ["room 0", "room 2", "room 3"]


def test_a_generation_never_goes_back(store: Store) -> None:
    with store.writing() as tx:
        assert tx.devices.generation("A") is None
        for reached in (3, 7, 5):
            tx.devices.reached(WATCHER, "A", reached, NOW)
        tx.devices.reached(WATCHER, "B", 2**40, NOW)

    with store.reading() as tx:
        assert (tx.devices.generation("A"), tx.devices.generation("B")) == (7, 2**40)


def test_a_room_has_one_number_for_ever(store: Store) -> None:
    with store.writing() as tx:
        for scope in (care_room(), living_room(ANOREXIA)):
            tx.rooms.put(scope)
        first = tx.rooms.number_of(care_room().room_id)
        for _ in range(5):
            tx.rooms.put(replace(care_room(), name="Care"))
        tx.rooms.put(living_room(BULIMIA))

    with store.reading() as tx:
        numbers = [tx.rooms.number_of(scope.room_id) for scope in (care_room(), living_room(ANOREXIA))]
        assert numbers[0] == first
        # Putting a room again uses up no number, so that they stay small.
        assert [*numbers, tx.rooms.number_of(living_room(BULIMIA).room_id)] == [1, 2, 3]
        assert tx.rooms.number_of(RoomId("!elsewhere")) is None
        everywhere = (care_room(), living_room(ANOREXIA), living_room(BULIMIA))
        assert tx.rooms.numbers() == {scope.room_id: number for number, scope in enumerate(everywhere, 1)}


def test_a_decision_that_is_taken_again_was_tried_by_nobody_yet(store: Store) -> None:
    new = NewOutgoing(OutgoingKind.CARE_CARD, WATCHER, "once", {}, NOW)

    with store.writing() as tx:
        tx.outbox.add(new, NOW)
        row = tx.outbox.due(WATCHER, NOW, 1)[0]
        tx.outbox.trying(row.id, "A")
        tx.outbox.done(row.id, NOW)
        tx.outbox.add_again(new, NOW)
        assert tx.outbox.trying(tx.outbox.due(WATCHER, NOW, 1)[0].id, "B") is None


def test_a_decision_is_known_also_when_it_is_done(store: Store) -> None:
    with store.writing() as tx:
        before = tx.outbox.known("once")
        tx.outbox.add(NewOutgoing(OutgoingKind.CARE_CARD, WATCHER, "once", {}, NOW), NOW)
        while_due = tx.outbox.known("once")
        tx.outbox.done(tx.outbox.due(WATCHER, NOW, 1)[0].id, NOW)

    with store.reading() as tx:
        assert (before, while_due, tx.outbox.known("once"), tx.outbox.known("other")) == (False, True, True, False)
