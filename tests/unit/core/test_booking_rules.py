"""Which slots may be added, and who may book, move and give back which."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.booking import (
    Booker,
    Booking,
    BookingState,
    Wanted,
    is_late,
    may_book,
    may_give_back,
    may_settle,
)
from keyhouse.core.ids import OfferId
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.slots import (
    FURTHEST,
    LONGEST_BUFFER,
    MOST_AT_ONCE,
    Mode,
    Preference,
    Slot,
    SlotPlan,
    SlotState,
    find_conflicts,
    may_plan,
    may_want,
    state_of,
)
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.waiting_list import Offer, may_have_priority
from tests.support.household import A_SECOND, ANOREXIA, BULIMIA, KNOWN, NOW, person, user
from tests.support.therapy import DAY, HOUR, RULES, booked, plan, slot, span

SLOT = slot(3, NOW + DAY)
THERAPIST = person("dr-a", Role.CLINICIAN)
RIVER = Booker(person("river"), frozenset({ANOREXIA}), ())


def offer(to: str, until: datetime) -> Offer:
    """An open offer of the slot."""
    return Offer(OfferId(1), SLOT.number, user(to), NOW - HOUR, until)


def why(verdict: object) -> Reason | None:
    """The reason of a refusal, None when it is allowed."""
    return verdict.reason if isinstance(verdict, Refused) else None


def reason(wanted: Wanted, booker: Booker = RIVER, instead_of: Booking | None = None) -> Reason | None:
    """Why this may not be booked; None when it may."""
    return why(may_book(wanted, booker, RULES, NOW, instead_of))


@pytest.mark.parametrize(
    ("wanted", "refused"),
    [
        pytest.param(Wanted(SLOT, None, None), None, id="open"),
        pytest.param(Wanted(None, None, None), Reason.SLOT_UNKNOWN, id="of no such number"),
        pytest.param(
            Wanted(replace(SLOT, conditions=frozenset({BULIMIA})), None, None),
            Reason.SLOT_UNKNOWN,
            id="of another condition",
        ),
        pytest.param(Wanted(replace(SLOT, withdrawn_at=NOW), None, None), Reason.SLOT_WITHDRAWN, id="withdrawn"),
        pytest.param(Wanted(slot(3, NOW), None, None), Reason.SLOT_OVER, id="begins this very moment"),
        pytest.param(Wanted(slot(3, NOW + A_SECOND), None, None), None, id="begins in a second"),
        pytest.param(Wanted(SLOT, booked(1, SLOT, "clover"), None), Reason.SLOT_TAKEN, id="somebody else's"),
        pytest.param(Wanted(SLOT, booked(1, SLOT), None), Reason.SLOT_YOURS, id="one's own already"),
        pytest.param(Wanted(SLOT, None, offer("clover", NOW + A_SECOND)), Reason.SLOT_HELD, id="held for another"),
        pytest.param(Wanted(SLOT, None, offer("clover", NOW)), None, id="held until this very moment"),
        pytest.param(Wanted(SLOT, None, offer("river", NOW + HOUR)), None, id="held for oneself"),
    ],
)
def test_a_slot_is_booked_when_it_is_open_to_the_person(wanted: Wanted, refused: Reason | None) -> None:
    assert reason(wanted) is refused


@pytest.mark.parametrize(
    ("somebody", "refused"),
    [
        (person("river"), None),
        (person("river", Role.CARER), None),
        (person("river", Role.PEER), None),
        (person("river", state=PersonState.PAUSED), None),
        (person("river", state=PersonState.CLOSED), Reason.PERSON_CLOSED),
        (THERAPIST, Reason.ROLE_NOT_BOOKED),
        (person("river", Role.STAFF), Reason.ROLE_NOT_BOOKED),
        (None, Reason.UNKNOWN_PERSON),
    ],
    ids=["patient", "carer", "peer", "paused", "closed", "clinician", "staff", "nobody"],
)
def test_who_was_referred_books_also_while_paused(somebody: Person | None, refused: Reason | None) -> None:
    assert reason(Wanted(SLOT, None, None), replace(RIVER, person=somebody)) is refused


def test_nobody_has_more_sessions_than_the_cap_but_may_change_one() -> None:
    two = [booked(number, slot(number, NOW + number * 7 * DAY)) for number in (1, 2)]
    full = replace(RIVER, upcoming=two)

    assert reason(Wanted(SLOT, None, None), replace(RIVER, upcoming=two[:1])) is None
    assert reason(Wanted(SLOT, None, None), full) is Reason.BOOKINGS_FULL
    assert reason(Wanted(SLOT, None, None), full, instead_of=two[0]) is None


@pytest.mark.parametrize(
    ("shift", "refused"),
    [
        (timedelta(minutes=-50), None),
        (timedelta(minutes=-49), Reason.BOOKING_OVERLAPS),
        (timedelta(minutes=49), Reason.BOOKING_OVERLAPS),
        (timedelta(minutes=50), None),
    ],
    ids=str,
)
def test_nobody_is_in_two_sessions_at_once(shift: timedelta, refused: Reason | None) -> None:
    other = booked(1, slot(1, SLOT.starts_at + shift))

    assert reason(Wanted(SLOT, None, None), replace(RIVER, upcoming=[other])) is refused
    assert reason(Wanted(SLOT, None, None), replace(RIVER, upcoming=[other]), instead_of=other) is None


@pytest.mark.parametrize(
    ("booking", "refused"),
    [
        pytest.param(booked(1, SLOT), None, id="one's own"),
        pytest.param(None, Reason.BOOKING_UNKNOWN, id="none"),
        pytest.param(booked(1, SLOT, "clover"), Reason.BOOKING_UNKNOWN, id="somebody else's"),
        pytest.param(booked(1, SLOT, state=BookingState.CANCELLED), Reason.BOOKING_UNKNOWN, id="given back before"),
        pytest.param(booked(1, slot(3, NOW + A_SECOND)), None, id="begins in a second"),
        pytest.param(booked(1, slot(3, NOW)), Reason.BOOKING_BEGUN, id="begins this very moment"),
    ],
)
def test_one_gives_back_what_is_ones_own_and_has_not_begun(booking: Booking | None, refused: Reason | None) -> None:
    assert why(may_give_back(booking, user("river"), NOW)) is refused


@pytest.mark.parametrize(("left", "late"), [(24 * HOUR, False), (24 * HOUR - A_SECOND, True)], ids=str)
def test_exactly_at_the_cut_off_it_is_not_late(left: timedelta, late: bool) -> None:
    assert is_late(booked(1, slot(1, NOW + left)), RULES, NOW) is late


@pytest.mark.parametrize(
    ("booking", "refused"),
    [
        pytest.param(booked(1, slot(1, NOW)), None, id="begun"),
        pytest.param(booked(1, slot(1, NOW + A_SECOND)), Reason.BOOKING_NOT_BEGUN, id="begins in a second"),
        pytest.param(booked(1, slot(1, NOW), state=BookingState.KEPT), None, id="kept"),
        pytest.param(booked(1, slot(1, NOW), state=BookingState.CANCELLED), Reason.SLOT_NOT_BOOKED, id="given back"),
        pytest.param(None, Reason.SLOT_NOT_BOOKED, id="none"),
    ],
)
def test_only_of_what_has_begun_it_is_said_how_it_went(booking: Booking | None, refused: Reason | None) -> None:
    assert why(may_settle(booking, NOW)) is refused


GOOD = plan(NOW + DAY)


@pytest.mark.parametrize(
    ("wanted", "therapist", "refused"),
    [
        pytest.param(GOOD, THERAPIST, None, id="good"),
        pytest.param(GOOD, None, Reason.NOT_A_THERAPIST, id="nobody"),
        pytest.param(GOOD, person("river"), Reason.NOT_A_THERAPIST, id="a patient"),
        pytest.param(
            GOOD, person("dr-a", Role.CLINICIAN, PersonState.CLOSED), Reason.NOT_A_THERAPIST, id="somebody who left"
        ),
        pytest.param(plan(NOW + DAY, conditions=()), THERAPIST, Reason.CONDITION_MISSING, id="open to nobody"),
        pytest.param(
            plan(NOW + DAY, conditions=("gout",)),  # type: ignore[arg-type]
            THERAPIST,
            Reason.CONDITION_UNKNOWN,
            id="no such condition",
        ),
        pytest.param(plan(), THERAPIST, Reason.SERIES_EMPTY, id="empty"),
        pytest.param(plan(*[NOW + n * DAY for n in range(1, 202)]), THERAPIST, Reason.SERIES_TOO_LONG, id="201"),
        pytest.param(plan(*[NOW + n * DAY for n in range(1, 201)]), THERAPIST, None, id="200"),
        pytest.param(plan(*[NOW + n * HOUR for n in range(1, 10_001)]), THERAPIST, Reason.SERIES_TOO_LONG, id="10,000"),
        pytest.param(plan(NOW), THERAPIST, Reason.TIME_PAST, id="this very moment"),
        pytest.param(plan(NOW + DAY, NOW - DAY), THERAPIST, Reason.TIME_PAST, id="one of them past"),
        pytest.param(plan(NOW + FURTHEST), THERAPIST, None, id="as far as may be"),
        pytest.param(plan(NOW + FURTHEST + A_SECOND), THERAPIST, Reason.TIME_TOO_FAR, id="too far"),
        pytest.param(
            replace(GOOD, spans=(span(NOW + DAY, timedelta(minutes=4)),)), THERAPIST, Reason.SLOT_LENGTH, id="short"
        ),
        pytest.param(replace(GOOD, spans=(span(NOW + DAY, 9 * HOUR),)), THERAPIST, Reason.SLOT_LENGTH, id="long"),
        pytest.param(replace(GOOD, after=LONGEST_BUFFER + A_SECOND), THERAPIST, Reason.SLOT_LENGTH, id="a long buffer"),
        pytest.param(replace(GOOD, before=-HOUR), THERAPIST, Reason.SLOT_LENGTH, id="a buffer below nothing"),
    ],
)
def test_slots_are_added_when_they_can_be_meant_so(
    wanted: SlotPlan, therapist: Person | None, refused: Reason | None
) -> None:
    assert MOST_AT_ONCE == 200
    assert why(may_plan(wanted, therapist, KNOWN, NOW)) is refused


def test_every_conflict_of_a_series_is_listed() -> None:
    kept = [slot(number, NOW + number * 7 * DAY + 20 * timedelta(minutes=1)) for number in (1, 2, 5)]
    series = plan(*[NOW + number * 7 * DAY for number in range(1, 5)])

    conflicts = find_conflicts(series, kept)

    assert [(one.wanted, one.taken_by) for one in conflicts] == [(series.spans[0], kept[0]), (series.spans[1], kept[1])]


def test_buffers_count_on_both_sides_and_touching_is_no_conflict() -> None:
    kept = slot(1, NOW + DAY)
    ten = timedelta(minutes=10)

    assert find_conflicts(plan(kept.ends_at + ten, before=ten), [kept]) == []
    assert len(find_conflicts(plan(kept.ends_at + ten, before=ten + A_SECOND), [kept])) == 1
    assert find_conflicts(plan(kept.starts_at - timedelta(minutes=60), after=ten), [kept]) == []
    assert len(find_conflicts(plan(kept.starts_at - timedelta(minutes=60), after=ten + A_SECOND), [kept])) == 1


def test_a_plan_that_is_in_its_own_way_is_a_conflict() -> None:
    (conflict,) = find_conflicts(plan(NOW + DAY, NOW + DAY + HOUR / 2), [])

    assert (conflict.wanted.starts_at, conflict.taken_by) == (NOW + DAY + HOUR / 2, None)
    assert find_conflicts(plan(NOW + DAY, NOW + DAY + HOUR), []) == []


@pytest.mark.parametrize(
    ("one", "is_booked", "held_until", "state"),
    [
        (SLOT, False, None, SlotState.OPEN),
        (SLOT, False, NOW + A_SECOND, SlotState.HELD),
        (SLOT, False, NOW, SlotState.OPEN),
        (SLOT, True, None, SlotState.BOOKED),
        (replace(SLOT, withdrawn_at=NOW), False, None, SlotState.WITHDRAWN),
        (slot(1, NOW), False, None, SlotState.OVER),
        (slot(1, NOW), True, None, SlotState.BOOKED),
        (slot(1, NOW - timedelta(minutes=50)), True, None, SlotState.OVER),
    ],
    ids=["open", "held", "held until now", "booked", "withdrawn", "begun", "begun and booked", "over"],
)
def test_the_state_of_a_slot_is_worked_out(
    one: Slot, is_booked: bool, held_until: datetime | None, state: SlotState
) -> None:
    assert state_of(one, booked=is_booked, held_until=held_until, now=NOW) is state


@pytest.mark.parametrize(
    ("preference", "fits"),
    [
        (Preference(), True),
        (Preference(weekdays=frozenset({1})), True),
        (Preference(weekdays=frozenset({0})), False),
        (Preference(from_minute=11 * 60), True),
        (Preference(from_minute=11 * 60 + 1), False),
        (Preference(until_minute=11 * 60), False),
        (Preference(until_minute=11 * 60 + 1), True),
        (Preference(mode=Mode.ONLINE), True),
        (Preference(mode=Mode.IN_PERSON), False),
    ],
    ids=str,
)
def test_a_preference_is_of_the_start_by_the_wall_clock(preference: Preference, fits: bool) -> None:
    """The slot begins on Tuesday 30 March 2027 at ten UTC, which is eleven in London."""
    assert preference.fits(SLOT) is fits


@pytest.mark.parametrize(
    ("preference", "refused"),
    [
        (Preference(), None),
        (Preference(weekdays=frozenset()), Reason.PREFERENCE_EMPTY),
        (Preference(weekdays=frozenset({7})), Reason.PREFERENCE_EMPTY),
        (Preference(from_minute=600, until_minute=600), Reason.PREFERENCE_EMPTY),
        (Preference(until_minute=24 * 60 + 1), Reason.PREFERENCE_EMPTY),
    ],
    ids=str,
)
def test_nobody_waits_for_what_cannot_be(preference: Preference, refused: Reason | None) -> None:
    assert why(may_want(preference)) is refused


def test_a_priority_is_from_nought_to_nine() -> None:
    assert [may_have_priority(number) == Allowed() for number in (-1, 0, 9, 10)] == [False, True, True, False]
