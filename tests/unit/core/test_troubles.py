"""What is wrong with the house, to the second."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keyhouse.core.alarms import MANY_ROOMS, Alarm, AlarmKind, AlarmLimits
from keyhouse.core.ids import RoomNumber
from keyhouse.core.troubles import ROOMS_NAMED, HouseFacts, SignOfLife, find_troubles
from tests.support.household import A_SECOND, AN_HOUR, NOW

LIMITS = AlarmLimits()
BOTS = ("risk_monitor", "room_gatekeeper")


def ago(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def sign(beat_s_ago: float = 0, sync_s_ago: float | None = 0) -> SignOfLife:
    """A sign of life of so many seconds ago."""
    return SignOfLife(NOW - ago(beat_s_ago), None if sync_s_ago is None else NOW - ago(sync_s_ago))


WELL = HouseFacts(
    looking_since=NOW - AN_HOUR,
    expected=BOTS,
    signs=dict.fromkeys(BOTS, sign()),
    probe_read_at=NOW,
)


def watcher(found: SignOfLife) -> HouseFacts:
    """A house in which all is well but what the watcher's sign of life says."""
    return replace(WELL, signs={**WELL.signs, "risk_monitor": found})


def found(facts: HouseFacts, *standing: Alarm) -> list[tuple[AlarmKind, str]]:
    """What would begin."""
    return [trouble.key for trouble in find_troubles(facts, standing, LIMITS, NOW) if trouble.begins]


STOPPED = (AlarmKind.PROCESS_STOPPED, "risk_monitor")
LAGS = (AlarmKind.WATCHER_LAGS, "risk_monitor")
AWAY = (AlarmKind.HOMESERVER_AWAY, "")
LATE = (AlarmKind.PROBE_LATE, "")
DARK = {RoomNumber(12): NOW - ago(60)}

BOUNDARIES = {
    "all is well": (WELL, []),
    "a watcher silent for 59 s": (watcher(sign(59)), []),
    "a watcher silent for 60 s": (watcher(sign(60)), [STOPPED]),
    "a concierge silent for 60 s": (
        replace(WELL, signs={**WELL.signs, "room_gatekeeper": sign(60)}),
        [(AlarmKind.PROCESS_STOPPED, "room_gatekeeper")],
    ),
    "a watcher that never spoke, looked for since 59 s": (
        replace(WELL, signs={"room_gatekeeper": sign()}, looking_since=NOW - ago(59)),
        [],
    ),
    "a watcher that never spoke, looked for since 60 s": (
        replace(WELL, signs={"room_gatekeeper": sign()}, looking_since=NOW - ago(60)),
        [STOPPED],
    ),
    "a sign of yesterday, looked for since a second": (
        replace(watcher(sign(86_400, 86_400)), looking_since=NOW - A_SECOND),
        [],
    ),
    "a watcher that is not started again": (replace(watcher(sign(1)), given_up=frozenset({"risk_monitor"})), [STOPPED]),
    "a watcher that ends again and again for 59 s": (
        replace(watcher(sign(1)), unwell_since={"risk_monitor": NOW - ago(59)}),
        [],
    ),
    "a watcher that ends again and again for 60 s": (
        replace(watcher(sign(1)), unwell_since={"risk_monitor": NOW - ago(60)}),
        [STOPPED],
    ),
    "a sign a little ahead of our clock": (watcher(sign(-5, -5)), []),
    "a sign from before a clock was put back, looked for since 60 s": (
        replace(watcher(sign(-3600, 0)), looking_since=NOW - ago(60)),
        [STOPPED],
    ),
    "a watcher that has heard nothing for 89 s": (watcher(sign(0, 89)), []),
    "a watcher that has heard nothing for 90 s": (watcher(sign(0, 90)), [LAGS]),
    "a watcher that never heard anything": (watcher(sign(0, None)), [LAGS]),
    "a concierge that has heard nothing": (replace(WELL, signs={**WELL.signs, "room_gatekeeper": sign(0, 900)}), []),
    "a homeserver silent for 59 s": (replace(WELL, homeserver_silent_since=NOW - ago(59)), []),
    "a homeserver silent for 60 s": (replace(WELL, homeserver_silent_since=NOW - ago(60)), [AWAY]),
    "a probe of 299 s ago": (replace(WELL, probe_read_at=NOW - ago(299)), []),
    "a probe of 300 s ago": (replace(WELL, probe_read_at=NOW - ago(300)), [LATE]),
    "no probe yet, looked for since 299 s": (replace(WELL, probe_read_at=None, looking_since=NOW - ago(299)), []),
    "no probe yet, looked for since 300 s": (replace(WELL, probe_read_at=None, looking_since=NOW - ago(300)), [LATE]),
    "a room without the watcher for 59 s": (
        replace(WELL, rooms_without_watcher={RoomNumber(12): NOW - ago(59)}),
        [],
    ),
    "a room without the watcher for 60 s": (
        replace(WELL, rooms_without_watcher=DARK),
        [(AlarmKind.ROOM_WITHOUT_WATCHER, "room 12")],
    ),
    "two unread events of one room": (replace(WELL, unread={RoomNumber(7): 2}), []),
    "three unread events of one room": (
        replace(WELL, unread={RoomNumber(7): 3}),
        [(AlarmKind.ROOM_UNREADABLE, "room 7")],
    ),
    "a decision that is 119 s late": (replace(WELL, outbox_due={"risk_monitor": NOW - ago(119)}), []),
    "a decision that is 120 s late": (
        replace(WELL, outbox_due={"risk_monitor": NOW - ago(120)}),
        [(AlarmKind.OUTBOX_LATE, "risk_monitor")],
    ),
    "a decision that has failed for 119 s, due in a moment": (
        replace(WELL, outbox_due={"risk_monitor": NOW}, outbox_failing={"risk_monitor": NOW - ago(119)}),
        [],
    ),
    "a decision that has failed for 120 s, due in a moment": (
        replace(WELL, outbox_due={"risk_monitor": NOW}, outbox_failing={"risk_monitor": NOW - ago(120)}),
        [(AlarmKind.OUTBOX_LATE, "risk_monitor")],
    ),
    "a decision for tomorrow": (replace(WELL, outbox_due={"risk_monitor": NOW + 24 * AN_HOUR}), []),
    "an event set aside 3,599 s ago": (
        replace(WELL, set_aside_at={"risk_monitor": NOW - ago(3599)}),
        [(AlarmKind.EVENTS_SET_ASIDE, "risk_monitor")],
    ),
    "an event set aside an hour ago": (replace(WELL, set_aside_at={"risk_monitor": NOW - AN_HOUR}), []),
}


@pytest.mark.parametrize(("facts", "expected"), BOUNDARIES.values(), ids=BOUNDARIES)
def test_what_has_been_wrong_for_long_enough_is_found_to_the_second(
    facts: HouseFacts, expected: list[tuple[AlarmKind, str]]
) -> None:
    assert found(facts) == expected


STARTED = replace(watcher(sign(900, 900)), looking_since=NOW - ago(100))
STARTS: dict[str, tuple[HouseFacts, list[tuple[AlarmKind, str]]]] = {
    "started 100 s ago, and not spoken yet": (
        replace(STARTED, first_started_at={"risk_monitor": NOW - ago(100)}),
        [],
    ),
    "started 100 s ago, and not seen to start": (STARTED, [STOPPED]),
    "started 180 s ago, and not spoken yet": (
        replace(STARTED, first_started_at={"risk_monitor": NOW - ago(180)}),
        [STOPPED],
    ),
    "started 100 s ago, and silent for 60 s": (
        replace(watcher(sign(60, 60)), first_started_at={"risk_monitor": NOW - ago(100)}),
        [STOPPED],
    ),
    "started 100 s ago, and ends again and again": (
        replace(
            STARTED,
            first_started_at={"risk_monitor": NOW - ago(100)},
            unwell_since={"risk_monitor": NOW - ago(60)},
        ),
        [STOPPED],
    ),
    "started 100 s ago, and given up": (
        replace(STARTED, first_started_at={"risk_monitor": NOW - ago(100)}, given_up=frozenset({"risk_monitor"})),
        [STOPPED],
    ),
    "a homeserver started 179 s ago": (
        replace(WELL, homeserver_silent_since=NOW - ago(179), homeserver_started_at=NOW - ago(179)),
        [],
    ),
    "a homeserver started 180 s ago": (
        replace(WELL, homeserver_silent_since=NOW - ago(180), homeserver_started_at=NOW - ago(180)),
        [AWAY],
    ),
}


@pytest.mark.parametrize(("facts", "expected"), STARTS.values(), ids=STARTS)
def test_what_up_has_just_started_has_three_minutes_to_speak(
    facts: HouseFacts, expected: list[tuple[AlarmKind, str]]
) -> None:
    assert found(facts) == expected


def test_nothing_that_follows_from_a_starting_watcher_or_homeserver_is_told() -> None:
    starts = replace(EVERYTHING, signs={"room_gatekeeper": sign()}, first_started_at={"risk_monitor": NOW - ago(100)})
    waits = replace(EVERYTHING, homeserver_silent_since=NOW - ago(90), homeserver_started_at=NOW - ago(100))

    assert not {STOPPED, LAGS, LATE, (AlarmKind.OUTBOX_LATE, "risk_monitor")} & set(found(starts))
    assert found(waits) == []


CUT_GAP = Alarm(AlarmKind.EVENTS_SET_ASIDE, "room 12", NOW)


@pytest.mark.parametrize(("raised_s_ago", "stands"), [(0, True), (3599, True), (3600, False)])
def test_a_cut_gap_that_a_bot_raised_stands_for_its_hour(raised_s_ago: int, stands: bool) -> None:
    alarm = replace(CUT_GAP, raised_at=NOW - ago(raised_s_ago))

    troubles = find_troubles(WELL, [alarm], LIMITS, NOW)

    assert [(trouble.key, trouble.begins) for trouble in troubles] == ([(alarm.key, False)] if stands else [])


EVERYTHING = replace(
    watcher(sign(0, 600)),
    probe_read_at=None,
    outbox_due={"risk_monitor": NOW - AN_HOUR},
    rooms_without_watcher=DARK,
    unread={RoomNumber(7): 9},
)


def test_with_a_homeserver_that_is_away_only_that_is_told() -> None:
    assert found(replace(EVERYTHING, homeserver_silent_since=NOW - ago(60))) == [AWAY]
    assert len(found(EVERYTHING)) == 5


def test_while_the_homeserver_s_alarm_still_stands_its_consequences_do_not_begin() -> None:
    assert found(EVERYTHING, Alarm(*AWAY, NOW)) == []


def test_a_stopped_watcher_explains_the_late_probe_and_cards_but_not_an_unreadable_room() -> None:
    facts = replace(EVERYTHING, signs={**EVERYTHING.signs, "risk_monitor": sign(60, 600)})

    begins = found(facts)

    assert STOPPED in begins
    assert (AlarmKind.ROOM_UNREADABLE, "room 7") in begins
    assert not {LAGS, LATE, (AlarmKind.OUTBOX_LATE, "risk_monitor")} & set(begins)


def test_one_stopped_watcher_of_two_explains_nothing_of_the_other() -> None:
    names = (*BOTS, "risk_monitor_2")
    facts = replace(EVERYTHING, expected=names, signs={**dict.fromkeys(names, sign()), "risk_monitor": sign(60, 60)})

    begins = found(facts)

    assert {STOPPED, LATE, (AlarmKind.OUTBOX_LATE, "risk_monitor")} <= set(begins)


@pytest.mark.parametrize("kind", [AlarmKind.ROOM_WITHOUT_WATCHER, AlarmKind.ROOM_UNREADABLE])
def test_five_rooms_are_told_by_number_and_six_in_one_sentence(kind: AlarmKind) -> None:
    def rooms(how_many: int) -> HouseFacts:
        numbers = [RoomNumber(number) for number in range(1, how_many + 1)]
        return replace(
            WELL,
            rooms_without_watcher=dict.fromkeys(numbers, NOW - AN_HOUR) if "without" in kind else {},
            unread=dict.fromkeys(numbers, 3) if "unreadable" in kind else {},
        )

    assert found(rooms(ROOMS_NAMED)) == [(kind, f"room {number}") for number in range(1, 6)]
    assert found(rooms(ROOMS_NAMED + 1)) == [(kind, MANY_ROOMS)]
