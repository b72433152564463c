"""Events received: kept once, handled once, wiped when done."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import Incoming, NewIncoming
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Store
from tests.support.household import A_SECOND, AN_HOUR, NOW

WATCHER, CONCIERGE = Worker.RISK_MONITOR, Worker.ROOM_GATEKEEPER
KEY, OTHER_KEY = "!willow session-1", "!willow session-2"
ONE, TWO, THREE = EventId("$one"), EventId("$two"), EventId("$three")


class _PowerCut(Exception):
    """What ends a transaction in the middle."""


def _event(event_id: EventId, room: str = "!willow", content: Any = None) -> NewIncoming:
    raw = {"event_id": event_id, "type": "m.room.encrypted", "content": content}
    return NewIncoming(RoomId(room), event_id, raw)


def _receive(store: Store, *ids: EventId, worker: Worker = WATCHER, at: datetime = NOW) -> list[EventId]:
    with store.writing() as tx:
        return list(tx.inbox.receive(worker, [_event(event_id) for event_id in ids], at))


def _take(store: Store, event_id: EventId, worker: Worker = WATCHER, at: datetime = NOW) -> bool:
    with store.writing() as tx:
        return tx.inbox.take(worker, event_id, at)


def _unread(store: Store, event_id: EventId, room_key: str = KEY, at: datetime = NOW) -> None:
    with store.writing() as tx:
        tx.inbox.unread(WATCHER, event_id, room_key, "no_key", at)


def _quarantine(store: Store, event_id: EventId) -> None:
    with store.writing() as tx:
        tx.inbox.quarantine(WATCHER, event_id, "ValueError", NOW)


def _left_over(store: Store) -> list[Incoming]:
    with store.writing() as tx:
        return list(tx.inbox.left_over(WATCHER, 99))


def _ids(events: Any) -> list[EventId]:
    return [event.event_id for event in events]


def test_an_event_comes_back_whole_after_a_restart_with_its_tries_counted(store: Store) -> None:
    hostile = {"body": "ünïcode \ud800 \x00 \u202e", "deep": [[[[1.5, None, True]]]], "": {}}

    with store.writing() as tx:
        tx.inbox.receive(WATCHER, [_event(ONE, content=hostile), _event(TWO, "!birch")], NOW)

    (first, second), (again, _) = _left_over(store), _left_over(store)
    assert first.raw == _event(ONE, content=hostile).raw
    assert (first.room_id, first.event_id, first.received_at) == ("!willow", ONE, NOW)
    assert (first.tries, again.tries, first.unread_since) == (1, 2, None)
    assert first.place < second.place


def test_an_event_that_is_received_again_is_kept_once_and_told_again_until_it_is_done(store: Store) -> None:
    first = _receive(store, ONE, TWO, ONE)
    again = _receive(store, THREE, TWO, ONE, at=NOW + AN_HOUR)
    _take(store, TWO)

    assert (first, again) == ([ONE, TWO], [THREE, TWO, ONE])
    assert _receive(store, THREE, TWO, ONE) == [THREE, ONE]
    assert [(one.event_id, one.received_at) for one in _left_over(store)] == [(ONE, NOW), (THREE, NOW + AN_HOUR)]


def test_receiving_nothing_keeps_nothing(store: Store) -> None:
    assert _receive(store) == []
    assert _left_over(store) == []


def test_what_one_account_received_is_not_another_ones(store: Store) -> None:
    _receive(store, ONE)
    _receive(store, ONE, worker=CONCIERGE)

    assert _take(store, ONE)
    assert _take(store, ONE, worker=CONCIERGE)
    assert _receive(store, ONE, worker=CONCIERGE) == []


def test_an_event_is_taken_once(store: Store) -> None:
    _receive(store, ONE)

    assert [_take(store, ONE), _take(store, ONE)] == [True, False]
    assert _left_over(store) == []


def test_an_event_that_was_never_received_is_taken_once_and_then_counts_as_done(store: Store) -> None:
    assert [_take(store, ONE), _take(store, ONE)] == [True, False]
    assert _receive(store, ONE, TWO) == [TWO]


def test_a_taking_that_is_undone_leaves_the_event_to_be_taken(store: Store) -> None:
    _receive(store, ONE)

    with suppress(_PowerCut), store.writing() as tx:
        tx.inbox.take(WATCHER, ONE, NOW)
        raise _PowerCut

    assert _take(store, ONE)


def test_events_without_anything_to_decide_are_made_done_together(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)

    with store.writing() as tx:
        tx.inbox.handled(WATCHER, iter([ONE, THREE, EventId("$unknown")]), NOW)

    assert _ids(_left_over(store)) == [TWO]
    assert not _take(store, ONE)


def test_left_over_events_come_in_pages(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)

    with store.writing() as tx:
        first = tx.inbox.left_over(WATCHER, 2)
        rest = tx.inbox.left_over(WATCHER, 2, after=first[-1].place)

    assert (_ids(first), _ids(rest)) == ([ONE, TWO], [THREE])


def test_unread_and_quarantined_events_are_not_left_over(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    _unread(store, ONE)
    _quarantine(store, TWO)

    assert _ids(_left_over(store)) == [THREE]
    with store.reading() as tx:
        assert tx.inbox.standing(WATCHER) == {"new": 1, "unread": 1, "quarantined": 1}
        assert tx.inbox.standing(CONCIERGE) == {"new": 0, "unread": 0, "quarantined": 0}


def test_a_quarantined_event_is_not_handed_out_when_it_is_received_again_and_can_still_be_taken(store: Store) -> None:
    _receive(store, ONE, TWO)
    _quarantine(store, ONE)
    _take(store, TWO)
    _quarantine(store, TWO)

    assert _receive(store, ONE) == []
    with store.reading() as tx:
        assert tx.inbox.standing(WATCHER)["quarantined"] == 1
    assert _take(store, ONE)


def test_which_of_some_events_were_set_aside_is_known_until_they_are_done(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    _receive(store, THREE, worker=CONCIERGE)
    _quarantine(store, ONE)
    _quarantine(store, THREE)

    def set_aside(worker: Worker, *ids: EventId) -> frozenset[EventId]:
        with store.reading() as tx:
            return tx.inbox.set_aside(worker, ids)

    assert set_aside(WATCHER, ONE, TWO, EventId("$never-came")) == {ONE}
    assert set_aside(CONCIERGE, THREE) == set_aside(WATCHER) == frozenset()
    _take(store, ONE)
    assert set_aside(WATCHER, ONE, THREE) == {THREE}


def test_unread_events_are_found_by_their_room_key_until_they_are_done(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    _unread(store, ONE, at=NOW + A_SECOND)
    _unread(store, TWO, OTHER_KEY)
    _unread(store, THREE)

    def readable(*keys: str, limit: int = 9) -> list[EventId]:
        with store.reading() as tx:
            return _ids(tx.inbox.readable_by(WATCHER, iter(keys), limit))

    assert readable(KEY) == [ONE, THREE]
    assert readable(OTHER_KEY, KEY, "unknown") == [ONE, TWO, THREE]
    assert readable(KEY, limit=1) == [ONE]
    with store.reading() as tx:
        place = tx.inbox.readable_by(WATCHER, [KEY], 1)[0].place
        assert _ids(tx.inbox.readable_by(WATCHER, [KEY, OTHER_KEY], 9, after=place)) == [TWO, THREE]
    assert readable() == readable("unknown") == []
    _take(store, ONE)
    _quarantine(store, THREE)
    assert readable(KEY) == []


def test_a_room_key_with_half_a_surrogate_pair_is_a_key_like_others(store: Store) -> None:
    _receive(store, ONE)
    _unread(store, ONE, "!willow \ud800")

    with store.reading() as tx:
        assert _ids(tx.inbox.readable_by(WATCHER, ["!willow \ud800"], 9)) == [ONE]
        assert tx.inbox.readable_by(WATCHER, ["!willow \ud801"], 9) == []


def test_the_first_time_that_an_event_was_unread_counts(store: Store) -> None:
    _receive(store, ONE, TWO)
    _unread(store, ONE)
    _unread(store, ONE, OTHER_KEY, NOW + AN_HOUR)
    _take(store, TWO)
    _unread(store, TWO)
    _unread(store, EventId("$unknown"))

    with store.reading() as tx:
        (found,) = tx.inbox.readable_by(WATCHER, [KEY], 9)
        assert tx.inbox.readable_by(WATCHER, [OTHER_KEY], 9) == []
    assert found.unread_since == NOW


def test_an_event_is_alarmed_about_once_and_only_while_it_is_unread(store: Store) -> None:
    _receive(store, ONE, TWO)
    _unread(store, ONE)

    with store.writing() as tx:
        assert tx.inbox.alarmed(WATCHER, ONE, NOW)
        assert not tx.inbox.alarmed(WATCHER, ONE, NOW)
        assert not tx.inbox.alarmed(WATCHER, TWO, NOW)
        tx.inbox.unread(WATCHER, TWO, KEY, "no_key", NOW)
        tx.inbox.take(WATCHER, TWO, NOW)
        assert not tx.inbox.alarmed(WATCHER, TWO, NOW)
        assert not tx.inbox.alarmed(WATCHER, EventId("$unknown"), NOW)


def test_unread_events_are_told_after_their_moment_and_until_an_alarm(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    _unread(store, TWO)
    _unread(store, ONE, at=NOW + A_SECOND)

    def unread(before: datetime, limit: int = 9) -> list[EventId]:
        with store.reading() as tx:
            return _ids(tx.inbox.unread_since(WATCHER, before, limit))

    assert (unread(NOW), unread(NOW + timedelta(microseconds=1))) == ([], [TWO])
    assert (unread(NOW + AN_HOUR), unread(NOW + AN_HOUR, limit=1)) == ([TWO, ONE], [TWO])
    with store.writing() as tx:
        tx.inbox.alarmed(WATCHER, TWO, NOW)
    assert unread(NOW + AN_HOUR) == [ONE]


def test_a_start_finds_every_unread_event_also_those_with_an_alarm(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    for event_id in (ONE, TWO):
        _unread(store, event_id)

    with store.writing() as tx:
        tx.inbox.alarmed(WATCHER, ONE, NOW)
        first = tx.inbox.still_unread(WATCHER, 1)
        rest = tx.inbox.still_unread(WATCHER, 9, after=first[0].place)

    assert (_ids(first), _ids(rest)) == ([ONE], [TWO])
    assert [one.tries for one in (*first, *rest)] == [0, 0]


def test_one_event_is_found_while_it_cannot_be_read(store: Store) -> None:
    _receive(store, ONE, TWO, THREE)
    for event_id in (ONE, TWO):
        _unread(store, event_id)

    with store.writing() as tx:
        tx.inbox.take(WATCHER, TWO, NOW)
        found = [tx.inbox.unread_one(WATCHER, event_id) for event_id in (ONE, TWO, THREE, EventId("$never"))]

    assert [one.event_id if one else None for one in found] == [ONE, None, None, None]


def test_rooms_in_which_much_is_unread_lately_are_counted(store: Store) -> None:
    with store.writing() as tx:
        rooms = {ONE: "!willow", TWO: "!willow", THREE: "!birch", EventId("$old"): "!birch", EventId("$read"): "!oak"}
        tx.inbox.receive(WATCHER, [_event(event_id, room) for event_id, room in rooms.items()], NOW)
    for event_id in (ONE, TWO, THREE):
        _unread(store, event_id)
    _unread(store, EventId("$old"), at=NOW - AN_HOUR)

    with store.reading() as tx:
        assert tx.inbox.unread_rooms(WATCHER, NOW, AN_HOUR) == {"!willow": 2, "!birch": 1}
        assert tx.inbox.unread_rooms(WATCHER, NOW, AN_HOUR + A_SECOND) == {"!willow": 2, "!birch": 2}
        assert tx.inbox.unread_rooms(CONCIERGE, NOW, AN_HOUR) == {}


def test_the_moment_of_the_newest_event_is_known_also_when_all_are_done(store: Store) -> None:
    with store.reading() as tx:
        assert tx.inbox.newest_at(WATCHER) is None
    _receive(store, ONE, at=NOW + A_SECOND)
    _receive(store, TWO)
    _take(store, ONE)

    with store.reading() as tx:
        assert tx.inbox.newest_at(WATCHER) == NOW + A_SECOND
        assert tx.inbox.newest_at(CONCIERGE) is None


def test_what_ended_long_ago_is_forgotten_and_nothing_else(store: Store) -> None:
    done, unread, set_aside, new, lately = (
        EventId(f"${name}") for name in ("done", "unread", "aside", "new", "lately")
    )
    _receive(store, done, unread, set_aside, new, lately)
    _receive(store, EventId("$newest"), at=NOW + AN_HOUR)
    _take(store, done)
    _take(store, lately, at=NOW + A_SECOND)
    _unread(store, unread)
    _quarantine(store, set_aside)

    def forget(before: datetime, limit: int = 9) -> int:
        with store.writing() as tx:
            return tx.inbox.forget(WATCHER, before, limit)

    assert forget(NOW) == 0
    assert (forget(NOW + A_SECOND, limit=1), forget(NOW + A_SECOND, limit=1), forget(NOW + A_SECOND)) == (1, 1, 0)
    assert _receive(store, done, unread, lately) == [done, unread]
    with store.reading() as tx:
        assert tx.inbox.standing(WATCHER) == {"new": 4, "unread": 0, "quarantined": 1}


def test_the_newest_event_of_each_account_is_never_forgotten(store: Store) -> None:
    _receive(store, ONE)
    _receive(store, ONE, worker=CONCIERGE, at=NOW + AN_HOUR)
    _take(store, ONE)

    with store.writing() as tx:
        assert tx.inbox.forget(WATCHER, NOW + AN_HOUR, 9) == 0
        assert tx.inbox.forget(Worker.BOOKING, NOW + AN_HOUR, 9) == 0
        assert tx.inbox.newest_at(WATCHER) == NOW
    assert not _take(store, ONE)


def test_more_events_than_a_statement_can_name_are_received_and_handled(store: Store) -> None:
    many = [EventId(f"${number}") for number in range(12_000)]

    assert _receive(store, *many) == many
    with store.writing() as tx:
        tx.inbox.handled(WATCHER, many[1:], NOW)
        assert tx.inbox.readable_by(WATCHER, [f"!willow {event_id}" for event_id in many], 9) == []
        tx.inbox.receive(WATCHER, [_event(ONE)], NOW + AN_HOUR)
    with store.writing() as tx:
        assert _ids(tx.inbox.left_over(WATCHER, 9)) == [many[0], ONE]
        assert tx.inbox.forget(WATCHER, NOW + A_SECOND, 20_000) == 11_999
