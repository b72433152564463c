"""Wall clocks, both clock changes, reminders and the hours in which somebody may be asked."""

from datetime import datetime, time, timedelta

import pytest

from keyhouse.core.booking import BookingState, moved
from keyhouse.core.local_time import UnclearTime, moment_of, next_between
from keyhouse.core.reminders import ReminderMoment, find_reminder, reminders_of
from keyhouse.core.slots import by_wall_clock
from keyhouse.core.waiting_list import OfferTimes, find_offer_times
from tests.support.therapy import DAY, HOUR, LONDON, RULES, booked, slot, utc

MINUTE = timedelta(minutes=1)
TWO_DAYS, TWO_HOURS = ReminderMoment.TWO_DAYS, ReminderMoment.TWO_HOURS


@pytest.mark.parametrize(
    ("local", "moment"),
    [
        pytest.param(datetime(2027, 1, 4, 10), utc(2027, 1, 4, 10), id="winter"),
        pytest.param(datetime(2027, 7, 5, 10), utc(2027, 7, 5, 9), id="summer"),
        pytest.param(datetime(2026, 3, 29, 0, 59), utc(2026, 3, 29, 0, 59), id="the last minute before the gap"),
        pytest.param(datetime(2026, 3, 29, 2, 0), utc(2026, 3, 29, 1, 0), id="the first minute after the gap"),
        pytest.param(datetime(2026, 10, 25, 2, 0), utc(2026, 10, 25, 2, 0), id="after the doubled hour"),
    ],
)
def test_a_time_by_the_wall_clock_is_one_moment(local: datetime, moment: datetime) -> None:
    assert moment_of(local, LONDON) == moment


def test_a_time_in_the_missing_hour_of_spring_is_none_and_says_so() -> None:
    unclear = moment_of(datetime(2026, 3, 29, 1, 30), LONDON)

    assert isinstance(unclear, UnclearTime)
    assert unclear.moments == ()
    assert unclear.sentence(LONDON) == (
        "29 March 2026, 01:30 does not exist, because the clocks go forward in that night. Please choose another time."
    )


def test_a_time_in_the_doubled_hour_of_autumn_is_two_and_both_are_said() -> None:
    unclear = moment_of(datetime(2026, 10, 25, 1, 30), LONDON)

    assert isinstance(unclear, UnclearTime)
    assert unclear.moments == (utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30))
    assert "Please write 2026-10-25T01:30+01:00 or 2026-10-25T01:30+00:00." in unclear.sentence(LONDON)


def test_a_summer_slot_is_known_by_its_wall_clock() -> None:
    assert by_wall_clock(utc(2027, 7, 5, 23, 30), LONDON) == (1, 30)
    assert by_wall_clock(utc(2027, 1, 4, 23, 30), LONDON) == (0, 23 * 60 + 30)


@pytest.mark.parametrize(
    ("moment", "asked_at"),
    [
        pytest.param(utc(2027, 7, 5, 6, 59), utc(2027, 7, 5, 7), id="a minute before eight in summer"),
        pytest.param(utc(2027, 7, 5, 7), utc(2027, 7, 5, 7), id="eight in summer"),
        pytest.param(utc(2027, 7, 5, 19, 59), utc(2027, 7, 5, 19, 59), id="a minute before nine in the evening"),
        pytest.param(utc(2027, 7, 5, 20), utc(2027, 7, 6, 7), id="nine in the evening"),
        pytest.param(utc(2027, 3, 27, 22), utc(2027, 3, 28, 7), id="the night in which the clocks go forward"),
        pytest.param(utc(2026, 10, 24, 22), utc(2026, 10, 25, 8), id="the night in which the clocks go back"),
    ],
)
def test_nobody_is_asked_at_night(moment: datetime, asked_at: datetime) -> None:
    assert next_between(moment, time(8), time(21), LONDON) == asked_at


@pytest.mark.parametrize(
    ("starts_at", "times"),
    [
        pytest.param(utc(2027, 3, 29, 10, 29), None, id="no time for an answer"),
        pytest.param(
            utc(2027, 3, 29, 10, 30), OfferTimes(utc(2027, 3, 29, 10), utc(2027, 3, 29, 10, 30)), id="just time enough"
        ),
    ],
)
def test_a_slot_that_begins_before_an_answer_could_come_is_not_offered(
    starts_at: datetime, times: OfferTimes | None
) -> None:
    assert find_offer_times(slot(1, starts_at), RULES, utc(2027, 3, 29, 10)) == times


@pytest.mark.parametrize(
    "starts_at",
    [
        pytest.param(utc(2026, 3, 29, 9), id="the day on which the clocks go forward"),
        pytest.param(utc(2026, 10, 25, 9), id="the day on which the clocks go back"),
        pytest.param(utc(2027, 7, 5, 9), id="any day"),
    ],
)
def test_reminders_come_two_days_and_two_hours_before_whatever_the_clocks_do(starts_at: datetime) -> None:
    booking = booked(1, slot(1, starts_at))

    due = reminders_of(booking, starts_at - 5 * DAY)

    assert [(one.moment, starts_at - one.due_at) for one in due] == [(TWO_DAYS, 2 * DAY), (TWO_HOURS, 2 * HOUR)]


@pytest.mark.parametrize(
    ("left", "moments"),
    [
        (48 * HOUR + MINUTE, [TWO_DAYS, TWO_HOURS]),
        (48 * HOUR, [TWO_HOURS]),
        (2 * HOUR + MINUTE, [TWO_HOURS]),
        (2 * HOUR, []),
    ],
    ids=str,
)
def test_who_books_inside_a_reminders_time_needs_none(left: timedelta, moments: list[ReminderMoment]) -> None:
    booking = booked(1, slot(1, utc(2027, 4, 5, 9)))

    assert [one.moment for one in reminders_of(booking, booking.starts_at - left)] == moments


@pytest.mark.parametrize(
    ("moment", "left", "told"),
    [
        pytest.param(TWO_DAYS, 48 * HOUR, "on time", id="the first on time"),
        pytest.param(TWO_DAYS, 30 * HOUR, "late", id="the first after a night of standstill"),
        pytest.param(TWO_DAYS, 24 * HOUR, "late", id="the first with a day left"),
        pytest.param(TWO_DAYS, 24 * HOUR - MINUTE, None, id="the first with less than a day left"),
        pytest.param(TWO_HOURS, 2 * HOUR, "on time", id="the second on time"),
        pytest.param(TWO_HOURS, 2 * HOUR - 9 * MINUTE, "on time", id="the second a few minutes after its time"),
        pytest.param(TWO_HOURS, HOUR, "late", id="the second with an hour left"),
        pytest.param(TWO_HOURS, MINUTE, "late", id="the second with a minute left"),
        pytest.param(TWO_HOURS, 0 * HOUR, None, id="the second when it begins"),
        pytest.param(TWO_HOURS, -HOUR, None, id="the second when it is over"),
    ],
)
def test_a_late_reminder_is_told_as_late_or_dropped(moment: ReminderMoment, left: timedelta, told: str | None) -> None:
    booking = booked(1, slot(1, utc(2027, 4, 5, 9)))

    reminder = find_reminder(booking, 0, moment, booking.starts_at - left)

    assert (reminder and ("late" if reminder.is_late else "on time")) == told


def test_a_reminder_of_what_was_moved_cancelled_or_never_there_is_dropped() -> None:
    here, there = slot(1, utc(2027, 4, 5, 9)), slot(2, utc(2027, 4, 6, 9))
    booking = booked(1, here)
    now = here.starts_at - 2 * HOUR

    assert find_reminder(booking, 0, TWO_HOURS, now) is not None
    assert find_reminder(moved(booking, there, late=True), 0, TWO_HOURS, now) is None
    assert find_reminder(booked(1, here, state=BookingState.CANCELLED), 0, TWO_HOURS, now) is None
    assert find_reminder(None, 0, TWO_HOURS, now) is None
