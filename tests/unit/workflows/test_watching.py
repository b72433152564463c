"""The look at the house itself: what is kept, and who is told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.alarms import Alarm, AlarmKey, AlarmKind, AlarmLimits
from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker, has_failed
from keyhouse.core.ports import Heartbeat
from keyhouse.core.workflows.watching import (
    Memory,
    Sight,
    record_channels,
    record_store_away,
    set_aside_counters,
    watch,
)
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, AN_HOUR, NOW

LIMITS = AlarmLimits()
STOPPED: AlarmKey = (AlarmKind.PROCESS_STOPPED, "risk_monitor")
SEES_ALL = Sight(expected=("risk_monitor",))


class House:
    """A store that is looked at every three seconds."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.now = NOW
        self.sight = SEES_ALL
        self.memory = Memory(NOW, NOW)
        self.counters: dict[str, int] = {}

    def goes_on(self, seconds: int, *, beating: bool, told: Mapping[AlarmKey, datetime] | None = None) -> None:
        """Let time pass, looked at every three seconds."""
        for _ in range(seconds // 3):
            self.now += timedelta(seconds=3)
            with self.store.writing() as tx:
                for process in ("probe", *(["risk_monitor"] if beating else [])):
                    tx.heartbeats.beat(Heartbeat(process, 1, NOW, self.now, self.now, {}))
                self.memory = watch(tx, self.sight, self.memory, LIMITS, told or {}, self.now).memory

    def standing(self) -> list[AlarmKey]:
        with self.store.reading() as tx:
            return [alarm.key for alarm in tx.alarms.open()]

    def pages(self) -> list[str]:
        """What is to be told, oldest first."""
        with self.store.reading() as tx:
            rows = tx.outbox.due(Worker.CARETAKER, self.now, 100)
        assert all(row.kind is OutgoingKind.PAGE for row in rows)
        return [str(row.content["text"]) for row in rows]

    def tells(self) -> list[str]:
        """Tell what is to be told."""
        told = self.pages()
        with self.store.writing() as tx:
            for row in tx.outbox.due(Worker.CARETAKER, self.now, 100):
                tx.outbox.done(row.id, self.now)
        return told


@pytest.fixture
def looked_at(house: MemoryStore) -> House:
    return House(house)


def test_while_all_is_well_nothing_is_kept_and_nobody_is_told(looked_at: House) -> None:
    looked_at.goes_on(7200, beating=True)

    assert (looked_at.standing(), looked_at.pages()) == ([], [])


def test_a_watcher_that_stops_is_told_once_and_once_when_it_runs_again(looked_at: House) -> None:
    looked_at.goes_on(30, beating=True)

    looked_at.goes_on(57, beating=False)
    before = looked_at.tells()
    looked_at.goes_on(600, beating=False)
    begun = looked_at.tells()
    looked_at.goes_on(600, beating=True)
    ended = looked_at.tells()

    assert before == []
    assert begun == ["risk_monitor has stopped (since 10:00 UTC)"]
    assert ended == ["well again: risk_monitor runs (after 11 minutes)"]
    assert looked_at.standing() == []


def test_a_watcher_that_comes_and_goes_is_told_once(looked_at: House) -> None:
    looked_at.goes_on(63, beating=False)

    for _ in range(10):
        looked_at.goes_on(15, beating=True)
        looked_at.goes_on(66, beating=False)

    assert looked_at.pages()[0] == "risk_monitor has stopped (since 10:00 UTC)"
    assert [page for page in looked_at.pages() if not page.startswith("still")] == looked_at.pages()[:1]


def test_what_stands_is_told_every_half_hour_but_never_waits_twice(looked_at: House) -> None:
    looked_at.goes_on(63, beating=False)
    looked_at.tells()

    looked_at.goes_on(1800, beating=False)
    told = looked_at.tells()
    looked_at.goes_on(4 * 1800, beating=False)
    while_nobody_could_be_told = looked_at.pages()

    assert told == ["still: risk_monitor has stopped (since 10:00 UTC, 31 minutes)"]
    assert len(while_nobody_could_be_told) == 1


def test_what_up_has_told_already_becomes_an_alarm_without_a_second_page(looked_at: House) -> None:
    told_at = NOW + timedelta(seconds=30)

    looked_at.goes_on(90, beating=False, told={STOPPED: told_at})

    assert (looked_at.standing(), looked_at.pages()) == ([STOPPED], [])
    looked_at.goes_on(1800, beating=False)
    assert len(looked_at.pages()) == 1


def test_after_a_machine_slept_everybody_has_a_minute_to_speak_again(looked_at: House) -> None:
    looked_at.goes_on(30, beating=True)
    looked_at.now += 8 * AN_HOUR

    looked_at.goes_on(57, beating=False)
    spoken_late = looked_at.pages()
    looked_at.goes_on(6, beating=False)

    assert spoken_late == []
    assert len(looked_at.pages()) == 1


def test_a_clock_that_is_put_back_hides_no_stopped_watcher(looked_at: House) -> None:
    looked_at.goes_on(30, beating=True)
    looked_at.now -= AN_HOUR

    looked_at.goes_on(66, beating=False)

    assert looked_at.standing() == [STOPPED]


def test_a_room_is_named_by_its_number_and_by_nothing_else(looked_at: House) -> None:
    looked_at.sight = replace(SEES_ALL, rooms_without_watcher={RoomId("!living-anorexia"): NOW})
    with looked_at.store.reading() as tx:
        number = tx.rooms.number_of(RoomId("!living-anorexia"))

    looked_at.goes_on(60, beating=True)

    assert looked_at.pages() == [f"the watcher cannot see room {number} (since 10:00 UTC)"]
    with looked_at.store.reading() as tx:
        (row,) = tx.outbox.due(Worker.CARETAKER, looked_at.now, 10)
    assert "anorexia" not in str(row.content)


def test_an_event_that_is_set_aside_is_told_once_also_by_a_caretaker_that_starts_anew(looked_at: House) -> None:
    looked_at.goes_on(30, beating=True)
    with looked_at.store.writing() as tx:
        event = NewIncoming(RoomId("!living-anorexia"), EventId("$strange"), {})
        tx.inbox.receive(Worker.RISK_MONITOR, [event], NOW)
        tx.inbox.quarantine(Worker.RISK_MONITOR, event.event_id, "ValueError", NOW)

    looked_at.goes_on(60, beating=True)
    told = looked_at.tells()
    with looked_at.store.writing() as tx:
        tx.heartbeats.beat(Heartbeat("caretaker", 1, NOW, looked_at.now, None, set_aside_counters(looked_at.memory)))
    looked_at.memory = Memory(looked_at.now, looked_at.now)
    looked_at.goes_on(3600, beating=True)

    assert [page.partition(" (")[0] for page in told] == ["risk_monitor could not handle an event and set it aside"]
    assert [page.partition(" (")[0] for page in looked_at.pages()] == [
        "well again: risk_monitor set no further event aside"
    ]


def test_a_cut_gap_that_the_watcher_raised_is_told_once_and_stands_for_an_hour(looked_at: House) -> None:
    looked_at.goes_on(60, beating=True)
    with looked_at.store.writing() as tx:
        tx.alarms.put(Alarm(AlarmKind.EVENTS_SET_ASIDE, "room 12", looked_at.now))

    looked_at.goes_on(3, beating=True)
    told = looked_at.tells()
    looked_at.goes_on(3585, beating=True)
    still = (looked_at.standing(), looked_at.tells())
    looked_at.goes_on(60, beating=True)

    assert told == ["the watcher was away for too long to see all that was written in room 12 (since 10:01 UTC)"]
    assert still == ([(AlarmKind.EVENTS_SET_ASIDE, "room 12")], [])
    assert looked_at.standing() == []
    assert [page.partition(" (")[0] for page in looked_at.tells()] == [
        "well again: nothing further that was written in room 12 was missed"
    ]


def test_a_cut_gap_that_the_watcher_raised_while_nobody_looked_for_hours_is_told_all_the_same(looked_at: House) -> None:
    with looked_at.store.writing() as tx:
        tx.alarms.put(Alarm(AlarmKind.EVENTS_SET_ASIDE, "room 12", NOW - 5 * AN_HOUR))

    looked_at.goes_on(60, beating=True)

    assert [page.partition(" ")[0] for page in looked_at.pages()] == ["the", "well"]


def _card(house: House, fault: str) -> None:
    """Try the watcher's oldest decision, which fails with this fault."""
    with house.store.writing() as tx:
        (row,) = tx.outbox.due(Worker.RISK_MONITOR, house.now + AN_HOUR, 1)
        failed_at = house.now if has_failed(fault) else None
        tx.outbox.postpone(row.id, house.now + timedelta(seconds=5), fault, failed_at=failed_at)


@pytest.mark.parametrize(
    ("fault", "is_told"),
    [("M_FORBIDDEN", True), ("MatrixAway", True), ("card", True), ("device", False), ("join", False)],
)
def test_a_decision_that_fails_again_and_again_is_told_and_one_that_waits_for_a_person_is_not(
    looked_at: House, fault: str, is_told: bool
) -> None:
    with looked_at.store.writing() as tx:
        card = NewOutgoing(OutgoingKind.CARE_CARD, Worker.RISK_MONITOR, "card", {"case": 1}, NOW)
        tx.outbox.add(card, NOW)
    _card(looked_at, fault)

    for _ in range(39):
        looked_at.goes_on(3, beating=True)
        _card(looked_at, fault)
    before = looked_at.standing()
    looked_at.goes_on(3, beating=True)

    assert before == []
    assert looked_at.standing() == ([(AlarmKind.OUTBOX_LATE, "risk_monitor")] if is_told else [])


@pytest.mark.parametrize("is_mute", [False, True], ids=["the homeserver", "the pager, which is told apart"])
def test_an_account_that_cannot_be_changed_is_told_and_pages_that_wait_for_the_pager_are_not(
    looked_at: House, is_mute: bool
) -> None:
    with looked_at.store.writing() as tx:
        change = NewOutgoing(OutgoingKind.RENAME, Worker.CARETAKER, "name", {"person": "@river:keyhouse.test"}, NOW)
        tx.outbox.add(change, NOW)
        (row,) = tx.outbox.due(Worker.CARETAKER, NOW, 1)
        tx.outbox.postpone(row.id, NOW + AN_HOUR, "MatrixAway", failed_at=NOW)
        record_channels(tx, {"web": is_mute}, NOW)

    looked_at.goes_on(150, beating=True)

    late = (AlarmKind.OUTBOX_LATE, "caretaker")
    assert (late in looked_at.standing()) is not is_mute


def test_what_failed_and_is_done_at_last_is_well_again(looked_at: House) -> None:
    with looked_at.store.writing() as tx:
        card = NewOutgoing(OutgoingKind.CARE_CARD, Worker.RISK_MONITOR, "card", {"case": 1}, NOW)
        tx.outbox.add(card, NOW)
    _card(looked_at, "M_FORBIDDEN")
    looked_at.goes_on(150, beating=True)
    with looked_at.store.writing() as tx:
        tx.outbox.done(tx.outbox.due(Worker.RISK_MONITOR, looked_at.now, 1)[0].id, looked_at.now)

    looked_at.goes_on(60, beating=True)

    assert looked_at.standing() == []
    assert [page.partition(" (")[0] for page in looked_at.pages()] == [
        "what risk_monitor has to send is late",
        "well again: what risk_monitor has to send is in time",
    ]


def test_a_watcher_that_up_has_not_started_yet_has_its_time_from_the_first_look(looked_at: House) -> None:
    looked_at.sight = replace(SEES_ALL, first_started_at={"risk_monitor": None})

    looked_at.goes_on(177, beating=False)
    before = looked_at.standing()
    looked_at.goes_on(6, beating=False)

    assert (before, looked_at.standing()) == ([], [STOPPED])


def test_a_store_that_was_away_is_kept_as_an_alarm_that_ended(looked_at: House) -> None:
    with looked_at.store.writing() as tx:
        record_store_away(tx, NOW, NOW + A_SECOND, NOW + AN_HOUR)

    with looked_at.store.reading() as tx:
        assert tx.alarms.latest(1) == [Alarm(AlarmKind.STORE_AWAY, "", NOW, NOW + A_SECOND, NOW + AN_HOUR)]
    assert (looked_at.standing(), looked_at.pages()) == ([], [])


FAILED = AlarmKind.PAGER_FAILED
CHANNELS: dict[str, tuple[list[dict[str, bool]], list[AlarmKey]]] = {
    "the first takes it": ([{"hook": False}], []),
    "only the first fails": ([{"hook": True, "mail": False}], [(FAILED, "hook")]),
    "all fail": ([{"hook": True, "mail": True}], [(FAILED, "hook"), (FAILED, "mail"), (FAILED, "")]),
    "all fail, then the second takes it": (
        [{"hook": True, "mail": True}, {"hook": True, "mail": False}],
        [(FAILED, "hook")],
    ),
    "all fail, then the first takes it": (
        [{"hook": True, "mail": True}, {"hook": False}],
        [(FAILED, "mail")],
    ),
}


@pytest.mark.parametrize(("tried", "expected"), CHANNELS.values(), ids=CHANNELS)
def test_a_channel_that_fails_is_an_alarm_until_it_takes_a_page(
    looked_at: House, tried: list[dict[str, bool]], expected: list[AlarmKey]
) -> None:
    with looked_at.store.writing() as tx:
        for failed in tried:
            record_channels(tx, failed, NOW)

    assert looked_at.standing() == expected
    assert looked_at.pages() == []
