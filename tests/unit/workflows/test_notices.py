"""Rooms tell their people when the house cannot see them: once, only when it lasts, and take it back once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyhouse.core.alarms import MANY_ROOMS, Alarm, AlarmKind
from keyhouse.core.ids import RoomId
from keyhouse.core.notices import NoticeLimits, RoomNotice, Sight
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.probing import PROBE_ROOM
from keyhouse.core.rooms import RoomKind
from keyhouse.core.troubles import room_subject
from keyhouse.core.workflows.notices import room_to_tell, tell_rooms
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, ANOREXIA, BULIMIA, NOW, care_room, desk, living_room, room

A_MINUTE = timedelta(minutes=1)
LIMITS = NoticeLimits()
TOLD_AFTER, SETTLED_AFTER = LIMITS.told_after, LIMITS.settled_after
WATCHER, SECOND = "risk_monitor", "risk_monitor_2"
WILLOW, ROWAN, DESK = living_room(ANOREXIA).room_id, living_room(BULIMIA).room_id, desk("river").room_id
CHECK = RoomId(f"!{PROBE_ROOM}")
STOPPED = Alarm(AlarmKind.PROCESS_STOPPED, WATCHER, NOW)
LATE = Alarm(AlarmKind.PROBE_LATE, "", NOW)


@pytest.fixture
def watched() -> MemoryStore:
    """Two living rooms, a desk, the probe's room, and two rooms in which nobody is watched."""
    store = MemoryStore()
    with store.writing() as tx:
        for scope in (
            living_room(ANOREXIA),
            living_room(BULIMIA),
            desk("river"),
            replace(room(PROBE_ROOM, RoomKind.PROBE), service=None),
            care_room(),
            room("quiet", RoomKind.QUIET, Role.STAFF),
        ):
            tx.rooms.put(scope)
    return store


def begin(store: MemoryStore, *alarms: Alarm) -> None:
    with store.writing() as tx:
        for alarm in alarms:
            tx.alarms.put(alarm)


def end(store: MemoryStore, alarm: Alarm, after: timedelta) -> None:
    with store.writing() as tx:
        assert tx.alarms.end(alarm.kind, alarm.subject, NOW + after)


def told(store: MemoryStore, after: timedelta, *watchers: str) -> dict[RoomId, Sight]:
    """What rooms are told newly at this time, by room; each notice is then done."""
    with store.writing() as tx:
        tell_rooms(tx, watchers or (WATCHER,), LIMITS, NOW + after)
    with store.writing() as tx:
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + after + A_SECOND, 99)
        for row in rows:
            tx.outbox.done(row.id, NOW + after)
    return {room_of(row): notice_of(row).sight for row in rows}


def room_of(row: Outgoing) -> RoomId:
    assert row.kind is OutgoingKind.ROOM_NOTICE
    return RoomId(str(row.content["room_id"]))


def notice_of(row: Outgoing) -> RoomNotice:
    return RoomNotice.of(row.content)


def subject_of(store: MemoryStore, room_id: RoomId) -> str:
    with store.reading() as tx:
        return room_subject(tx.rooms.numbers()[room_id])


def everywhere(sight: Sight) -> dict[RoomId, Sight]:
    return dict.fromkeys((WILLOW, ROWAN, DESK, CHECK), sight)


@pytest.mark.parametrize(
    "alarm",
    [STOPPED, LATE, Alarm(AlarmKind.WATCHER_LAGS, WATCHER, NOW), Alarm(AlarmKind.OUTBOX_LATE, WATCHER, NOW),
     Alarm(AlarmKind.ROOM_WITHOUT_WATCHER, MANY_ROOMS, NOW)],
    ids=lambda alarm: alarm.kind.value,
)  # fmt: skip
def test_every_watched_room_says_so_when_the_house_is_blind_for_long_enough(watched: MemoryStore, alarm: Alarm) -> None:
    begin(watched, alarm)

    assert told(watched, TOLD_AFTER - A_SECOND) == {}
    assert told(watched, TOLD_AFTER) == everywhere(Sight.NOT_SURE)


@pytest.mark.parametrize(
    "alarm",
    [Alarm(AlarmKind.HOMESERVER_AWAY, "", NOW), Alarm(AlarmKind.PROCESS_STOPPED, "front_door", NOW),
     Alarm(AlarmKind.OUTBOX_LATE, "room_gatekeeper", NOW), Alarm(AlarmKind.PAGER_FAILED, "mail", NOW),
     Alarm(AlarmKind.EVENTS_SET_ASIDE, WATCHER, NOW)],
    ids=lambda alarm: f"{alarm.kind.value}-{alarm.subject}",
)  # fmt: skip
def test_no_room_is_told_of_what_does_not_make_the_house_blind(watched: MemoryStore, alarm: Alarm) -> None:
    begin(watched, alarm)

    assert told(watched, 10 * TOLD_AFTER) == {}


def test_a_room_is_told_once_and_once_when_it_is_seen_again(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    first = [told(watched, TOLD_AFTER + minute * A_MINUTE) for minute in range(3)]

    end(watched, STOPPED, 10 * A_MINUTE)
    unsettled = told(watched, 10 * A_MINUTE + SETTLED_AFTER - A_SECOND)
    second = [told(watched, 10 * A_MINUTE + SETTLED_AFTER + minute * A_MINUTE) for minute in range(3)]

    assert first == [everywhere(Sight.NOT_SURE), {}, {}]
    assert unsettled == {}
    assert second == [everywhere(Sight.SEEN_AGAIN), {}, {}]


def test_blindness_that_ends_soon_is_not_told_at_all(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    end(watched, STOPPED, TOLD_AFTER - A_SECOND)

    assert [told(watched, minute * A_MINUTE) for minute in range(3, 9)] == [{}] * 6


def test_one_cause_after_the_other_is_one_blindness(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    first = told(watched, TOLD_AFTER)
    begin(watched, replace(LATE, raised_at=NOW + 2 * A_MINUTE))
    end(watched, STOPPED, 5 * A_MINUTE)

    between = [told(watched, minute * A_MINUTE) for minute in range(5, 9)]
    end(watched, LATE, 9 * A_MINUTE)
    with watched.writing() as tx:
        tell_rooms(tx, (WATCHER,), LIMITS, NOW + 9 * A_MINUTE + SETTLED_AFTER)
        last = [notice_of(row) for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + 99 * A_MINUTE, 9)]

    assert first == everywhere(Sight.NOT_SURE)
    assert between == [{}] * 4
    assert set(last) == {RoomNotice(Sight.SEEN_AGAIN, NOW, NOW + 9 * A_MINUTE, NOW)}


def test_a_watcher_that_stops_again_within_a_minute_is_not_called_well_between(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    told(watched, TOLD_AFTER)
    end(watched, STOPPED, 5 * A_MINUTE)
    begin(watched, replace(STOPPED, raised_at=NOW + 5 * A_MINUTE + SETTLED_AFTER - A_SECOND))

    assert [told(watched, minute * A_MINUTE) for minute in range(6, 12)] == [{}] * 6


def test_while_one_of_two_watchers_works_nobody_is_told(watched: MemoryStore) -> None:
    begin(watched, STOPPED)

    assert told(watched, 5 * TOLD_AFTER, WATCHER, SECOND) == {}


def test_when_both_watchers_are_away_the_rooms_are_told_since_when_both_were(watched: MemoryStore) -> None:
    both_since = NOW + 10 * A_MINUTE
    begin(watched, STOPPED, Alarm(AlarmKind.WATCHER_LAGS, SECOND, both_since))

    with watched.writing() as tx:
        tell_rooms(tx, (WATCHER, SECOND), LIMITS, both_since + TOLD_AFTER)
        (since,) = {notice_of(row).since for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + 99 * A_MINUTE, 9)}

    assert since == both_since


@pytest.mark.parametrize(
    ("kind", "sight"),
    [(AlarmKind.ROOM_WITHOUT_WATCHER, Sight.WITHOUT_WATCHER), (AlarmKind.ROOM_UNREADABLE, Sight.UNREADABLE)],
    ids=["without_watcher", "unreadable"],
)
def test_one_room_that_is_not_seen_says_so_and_no_other_does(
    watched: MemoryStore, kind: AlarmKind, sight: Sight
) -> None:
    alarm = Alarm(kind, subject_of(watched, WILLOW), NOW)
    begin(watched, alarm)

    first = told(watched, TOLD_AFTER)
    end(watched, alarm, 5 * A_MINUTE)
    second = told(watched, 5 * A_MINUTE + SETTLED_AFTER)

    assert (first, second) == ({WILLOW: sight}, {WILLOW: Sight.SEEN_AGAIN})


def test_a_room_that_was_told_of_itself_is_not_told_again_when_the_whole_house_goes_blind(
    watched: MemoryStore,
) -> None:
    alone = Alarm(AlarmKind.ROOM_WITHOUT_WATCHER, subject_of(watched, WILLOW), NOW)
    begin(watched, alone)
    first = told(watched, TOLD_AFTER)
    begin(watched, replace(STOPPED, raised_at=NOW + 4 * A_MINUTE))
    second = told(watched, 8 * A_MINUTE)
    end(watched, alone, 9 * A_MINUTE)
    still_blind = told(watched, 11 * A_MINUTE)
    end(watched, STOPPED, 12 * A_MINUTE)
    last = told(watched, 13 * A_MINUTE)

    assert first == {WILLOW: Sight.WITHOUT_WATCHER}
    assert second == dict.fromkeys((ROWAN, DESK, CHECK), Sight.NOT_SURE)
    assert still_blind == {}
    assert last == everywhere(Sight.SEEN_AGAIN)


def test_a_room_that_was_told_a_weaker_thing_is_told_when_the_whole_house_goes_blind(watched: MemoryStore) -> None:
    unreadable = Alarm(AlarmKind.ROOM_UNREADABLE, subject_of(watched, WILLOW), NOW)
    begin(watched, unreadable)
    first = told(watched, TOLD_AFTER)
    blind_since = NOW + 4 * A_MINUTE
    begin(watched, replace(STOPPED, raised_at=blind_since))

    too_soon = told(watched, 4 * A_MINUTE + TOLD_AFTER - A_SECOND)
    with watched.writing() as tx:
        tell_rooms(tx, (WATCHER,), LIMITS, blind_since + TOLD_AFTER)
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + 99 * A_MINUTE, 9)
    again = told(watched, 9 * A_MINUTE)

    assert first == {WILLOW: Sight.UNREADABLE}
    assert too_soon == {}
    assert {room_of(row): (notice_of(row).sight, notice_of(row).since) for row in rows} == dict.fromkeys(
        (WILLOW, ROWAN, DESK, CHECK), (Sight.NOT_SURE, blind_since)
    )
    assert again == everywhere(Sight.NOT_SURE)


def test_a_room_is_not_told_the_weaker_thing_again_when_the_stronger_is_over(watched: MemoryStore) -> None:
    unreadable = Alarm(AlarmKind.ROOM_UNREADABLE, subject_of(watched, WILLOW), NOW)
    begin(watched, unreadable)
    told(watched, TOLD_AFTER)
    begin(watched, replace(STOPPED, raised_at=NOW + 4 * A_MINUTE))
    told(watched, 8 * A_MINUTE)
    end(watched, STOPPED, 9 * A_MINUTE)

    still_unreadable = told(watched, 11 * A_MINUTE)
    end(watched, unreadable, 12 * A_MINUTE)

    assert still_unreadable == dict.fromkeys((ROWAN, DESK, CHECK), Sight.SEEN_AGAIN)
    assert told(watched, 14 * A_MINUTE) == {WILLOW: Sight.SEEN_AGAIN}


def test_a_notice_names_since_when_it_stands_and_not_what_was_over_for_a_moment(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    end(watched, STOPPED, 2 * A_MINUTE)
    again_at = NOW + 2 * A_MINUTE + SETTLED_AFTER - A_SECOND
    begin(watched, replace(STOPPED, raised_at=again_at))

    with watched.writing() as tx:
        tell_rooms(tx, (WATCHER,), LIMITS, NOW + TOLD_AFTER)
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + 99 * A_MINUTE, 9)

    assert {notice_of(row).since for row in rows} == {again_at}
    assert [told(watched, TOLD_AFTER), told(watched, TOLD_AFTER + A_MINUTE)] == [everywhere(Sight.NOT_SURE), {}]


def test_a_caretaker_that_comes_back_when_all_is_over_says_only_that_it_is_over(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    end(watched, STOPPED, 5 * A_MINUTE)

    assert told(watched, 20 * A_MINUTE) == everywhere(Sight.SEEN_AGAIN)


def test_what_was_over_long_ago_is_not_told(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    end(watched, STOPPED, 5 * A_MINUTE)

    assert told(watched, 60 * A_MINUTE) == {}


def test_a_notice_that_is_late_is_said_only_while_it_is_true(watched: MemoryStore) -> None:
    begin(watched, STOPPED)
    told(watched, TOLD_AFTER)
    during = RoomNotice(Sight.NOT_SURE, NOW, None, NOW)
    with watched.reading() as tx:
        while_it_lasts = room_to_tell(tx, WILLOW, during)
    end(watched, STOPPED, 5 * A_MINUTE)
    told(watched, 9 * A_MINUTE)

    with watched.reading() as tx:
        assert while_it_lasts == tx.rooms.get(WILLOW)
        assert room_to_tell(tx, WILLOW, during) is None
        assert room_to_tell(tx, WILLOW, RoomNotice(Sight.SEEN_AGAIN, NOW, NOW + 5 * A_MINUTE, NOW)) is not None
        assert room_to_tell(tx, RoomId("!gone"), during) is None
