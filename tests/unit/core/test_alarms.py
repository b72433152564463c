"""When an alarm begins, is told again and ends, and what it says."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.alarm_sentences import again_sentence, begin_sentence, end_sentence
from keyhouse.core.alarms import (
    MANY_ROOMS,
    Alarm,
    AlarmChanges,
    AlarmKey,
    AlarmKind,
    AlarmLimits,
    Trouble,
    find_alarm_changes,
    means_blindness,
)
from tests.support.household import A_SECOND, AN_HOUR, NOW

LIMITS = AlarmLimits()
STOPPED = Alarm(AlarmKind.PROCESS_STOPPED, "risk_monitor", NOW - AN_HOUR, paged_at=NOW - A_SECOND)
STILL = Trouble(AlarmKind.PROCESS_STOPPED, "risk_monitor", NOW - AN_HOUR)


def changes(
    *standing: Alarm,
    wrong: tuple[Trouble, ...] = (),
    last_wrong: dict[AlarmKey, datetime] | None = None,
    looking_since: datetime = NOW - AN_HOUR,
) -> AlarmChanges:
    """What becomes of these alarms now."""
    return find_alarm_changes(standing, wrong, last_wrong or {}, looking_since, LIMITS, NOW)


def test_a_trouble_becomes_an_alarm_that_is_as_old_as_the_trouble() -> None:
    assert changes(wrong=(STILL,)).begin == (Alarm(AlarmKind.PROCESS_STOPPED, "risk_monitor", NOW - AN_HOUR),)


def test_a_trouble_whose_alarm_stands_begins_nothing_and_ends_nothing() -> None:
    assert not changes(STOPPED, wrong=(STILL,))


def test_an_explained_trouble_begins_nothing_and_keeps_what_stands() -> None:
    explained = replace(STILL, begins=False)

    assert not changes(wrong=(explained,))
    assert not changes(STOPPED, wrong=(explained,))


@pytest.mark.parametrize(("well_for_s", "ends"), [(29, False), (30, True)])
def test_an_alarm_ends_when_nothing_was_wrong_for_thirty_seconds(well_for_s: int, ends: bool) -> None:
    last = {STOPPED.key: NOW - timedelta(seconds=well_for_s)}

    assert (changes(STOPPED, last_wrong=last).end == (STOPPED,)) is ends


@pytest.mark.parametrize(("looked_for_s", "ends"), [(29, False), (30, True)])
def test_a_caretaker_that_starts_anew_looks_for_thirty_seconds_before_it_ends_an_alarm(
    looked_for_s: int, ends: bool
) -> None:
    found = changes(STOPPED, looking_since=NOW - timedelta(seconds=looked_for_s))

    assert (found.end == (STOPPED,)) is ends


@pytest.mark.parametrize(("told_s_ago", "again"), [(1799, False), (1800, True)])
def test_what_stands_is_told_again_every_half_hour(told_s_ago: int, again: bool) -> None:
    alarm = replace(STOPPED, paged_at=NOW - timedelta(seconds=told_s_ago))

    assert (changes(alarm, wrong=(STILL,)).again == (alarm,)) is again


def test_what_ends_is_not_told_again_in_the_same_moment() -> None:
    alarm = replace(STOPPED, paged_at=NOW - AN_HOUR)

    found = changes(alarm)

    assert (found.end, found.again) == ((alarm,), ())


def test_an_event_set_aside_is_told_once_and_not_again() -> None:
    alarm = Alarm(AlarmKind.EVENTS_SET_ASIDE, "risk_monitor", NOW, paged_at=NOW - AN_HOUR)

    assert not changes(alarm, wrong=(Trouble(AlarmKind.EVENTS_SET_ASIDE, "risk_monitor", NOW),))


CUT_GAP = Alarm(AlarmKind.EVENTS_SET_ASIDE, "room 12", NOW - AN_HOUR)
UNTOLD: dict[str, tuple[Alarm, bool, bool]] = {
    "raised by a bot, nobody told": (replace(CUT_GAP, raised_at=NOW), True, False),
    "raised by a bot, told": (replace(CUT_GAP, raised_at=NOW, paged_at=NOW), False, False),
    "nobody was told, and it is over": (CUT_GAP, True, False),
    "told, and it is over": (replace(CUT_GAP, paged_at=NOW), False, True),
}


@pytest.mark.parametrize(("alarm", "is_told", "ends"), UNTOLD.values(), ids=UNTOLD)
def test_an_alarm_that_a_bot_raised_is_told_once_before_it_ends(alarm: Alarm, is_told: bool, ends: bool) -> None:
    still = Trouble(*alarm.key, alarm.raised_at, begins=False)

    found = changes(alarm, wrong=(still,) if alarm.raised_at == NOW else ())

    assert (found.begin, found.again == (alarm,), found.end == (alarm,)) == ((), is_told, ends)


@pytest.mark.parametrize("kind", [AlarmKind.STORE_AWAY, AlarmKind.PAGER_FAILED])
def test_what_no_look_can_find_is_neither_ended_nor_told_again_by_a_look(kind: AlarmKind) -> None:
    assert not changes(Alarm(kind, "", NOW - AN_HOUR))


def test_a_named_room_is_not_well_again_because_too_many_others_are_dark_too() -> None:
    named = Alarm(AlarmKind.ROOM_WITHOUT_WATCHER, "room 3", NOW - AN_HOUR, paged_at=NOW - A_SECOND)
    many = Trouble(AlarmKind.ROOM_WITHOUT_WATCHER, MANY_ROOMS, NOW)

    assert changes(named, wrong=(many,)).end == ()
    assert changes(named).end == (named,)


@pytest.mark.parametrize(
    ("kind", "subject", "blind"),
    [
        (AlarmKind.HOMESERVER_AWAY, "", True),
        (AlarmKind.STORE_AWAY, "", True),
        (AlarmKind.PROCESS_STOPPED, "risk_monitor", True),
        (AlarmKind.PROCESS_STOPPED, "risk_monitor_2", True),
        (AlarmKind.PROCESS_STOPPED, "front_door", False),
        (AlarmKind.WATCHER_LAGS, "risk_monitor", True),
        (AlarmKind.PROBE_LATE, "", True),
        (AlarmKind.ROOM_WITHOUT_WATCHER, "room 12", True),
        (AlarmKind.ROOM_UNREADABLE, "room 12", True),
        (AlarmKind.EVENTS_SET_ASIDE, "risk_monitor", False),
        (AlarmKind.OUTBOX_LATE, "risk_monitor", True),
        (AlarmKind.OUTBOX_LATE, "room_gatekeeper", False),
        (AlarmKind.PAGER_FAILED, "", True),
        (AlarmKind.PAGER_FAILED, "mail", False),
    ],
)
def test_the_house_says_outside_that_all_is_well_only_while_nobody_may_go_unheard(
    kind: AlarmKind, subject: str, blind: bool
) -> None:
    assert means_blindness(Alarm(kind, subject, NOW)) is blind


def test_the_sentences_are_plain_and_name_the_zone_of_their_times() -> None:
    room = Alarm(AlarmKind.ROOM_WITHOUT_WATCHER, "room 12", NOW)

    assert begin_sentence(STOPPED) == "risk_monitor has stopped (since 09:00 UTC)"
    assert begin_sentence(room) == "the watcher cannot see room 12 (since 10:00 UTC)"
    assert begin_sentence(CUT_GAP) == (
        "the watcher was away for too long to see all that was written in room 12 (since 09:00 UTC)"
    )
    assert end_sentence(CUT_GAP, NOW).startswith("well again: nothing further that was written in room 12 was missed")
    assert again_sentence(STOPPED, NOW) == "still: risk_monitor has stopped (since 09:00 UTC, 60 minutes)"
    assert end_sentence(STOPPED, NOW) == "well again: risk_monitor runs (after 60 minutes)"
    assert end_sentence(room, NOW + timedelta(seconds=89)) == "well again: the watcher sees room 12 (after 89 seconds)"


@pytest.mark.parametrize("kind", AlarmKind)
@pytest.mark.parametrize("subject", ["", "room 12", MANY_ROOMS, "risk_monitor"])
def test_every_kind_has_its_sentences(kind: AlarmKind, subject: str) -> None:
    alarm = Alarm(kind, subject, NOW)

    for sentence in (begin_sentence(alarm), again_sentence(alarm, NOW), end_sentence(alarm, NOW)):
        assert "{" not in sentence
        assert "\n" not in sentence
