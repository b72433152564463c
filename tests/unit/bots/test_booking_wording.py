"""What people read of their own accord about sessions: discreet, in London times, with the next step."""

from datetime import timedelta

import pytest

from bots.booking.telling_wording import missed_text, offer_text, reminder_text, therapist_text, withdrawn_text
from bots.booking.wording import clock_text, left_text, span_text
from keyhouse.core.ids import OfferId, SlotNumber
from keyhouse.core.reminders import Reminder, ReminderMoment
from keyhouse.core.waiting_list import Offer
from keyhouse.core.workflows.booking_notices import About
from tests.support.household import KNOWN, user
from tests.support.therapy import DAY, HOUR, LONDON, booked, slot, utc

AT_FOUR = slot(3, utc(2027, 4, 6, 15))
LATER = slot(7, utc(2027, 4, 8, 9))
BOOKED = booked(1, AT_FOUR)
OFFER = Offer(OfferId(1), SlotNumber(3), user("river"), utc(2027, 4, 1, 9), utc(2027, 4, 1, 9, 30))


def reminder(moment: ReminderMoment, left: timedelta, *, is_late: bool = False) -> str:
    """A reminder of the session when so much time is left."""
    return reminder_text(Reminder(BOOKED, moment, left, is_late), LONDON, AT_FOUR.starts_at - left)


def test_two_days_before_the_day_is_told() -> None:
    assert reminder(ReminderMoment.TWO_DAYS, 2 * DAY) == (
        "A message for you from the house.\n\nYou have something booked on Tuesday 6 April at 16:00 with the team.\n\n"
        "`!mine` shows it. If you cannot come, `!cancel 3` gives it back, also now."
    )


def test_two_hours_before_the_time_is_enough() -> None:
    assert "You have something booked at 16:00 with the team." in reminder(ReminderMoment.TWO_HOURS, 2 * HOUR)


def test_a_late_reminder_says_so() -> None:
    late = reminder(ReminderMoment.TWO_HOURS, timedelta(minutes=40), is_late=True)

    assert "It begins in 40 minutes; this message should have come before." in late


def test_an_offer_says_until_when_and_how_to_answer() -> None:
    text = offer_text(OFFER, AT_FOUR, LONDON, utc(2027, 4, 1, 9))

    assert "**3** · Tuesday 6 April, 16:00 to 16:50, online" in text
    assert "kept for you until 10:30" in text
    for way in ("✅", "❌", "`!yes 3`", "`!no 3`"):
        assert way in text


@pytest.mark.parametrize("write", [withdrawn_text, missed_text])
def test_who_lost_a_session_is_offered_new_times(write: object) -> None:
    assert callable(write)

    text, without = (write(BOOKED, slots, LONDON, utc(2027, 4, 6, 17)) for slots in ([LATER], []))

    assert "Tuesday 6 April at 16:00" in text
    assert "**7** · Thursday 8 April, 10:00 to 10:50, online" in text
    assert "`!book 7`" in text
    assert "`!book" not in without


def test_who_missed_a_session_is_not_told_off() -> None:
    text = missed_text(BOOKED, [], LONDON, utc(2027, 4, 6, 17))

    assert "We missed you on Tuesday 6 April at 16:00. You are not in trouble for it" in text


def test_everything_begins_neutrally_and_names_no_condition_and_no_therapy() -> None:
    now = utc(2027, 4, 1, 9)
    texts = [
        reminder(ReminderMoment.TWO_DAYS, 2 * DAY),
        offer_text(OFFER, AT_FOUR, LONDON, now),
        withdrawn_text(BOOKED, [LATER], LONDON, now),
        missed_text(BOOKED, [LATER], LONDON, now),
    ]

    for text in texts:
        assert text.startswith("A message for you from the house.\n\n")
        assert not any(word in text.lower() for word in (*KNOWN, "therap", "session", "treatment", "dr-a"))


@pytest.mark.parametrize(
    ("about", "did"), [(About.LATE_CANCEL, "gave back slot 3"), (About.LATE_MOVE, "moved away from slot 3")]
)
def test_a_therapist_reads_the_pseudonym_and_the_time(about: About, did: str) -> None:
    text = therapist_text(AT_FOUR, about, "river-clover-44", LONDON, utc(2027, 4, 6, 9))

    assert text.startswith(f"river-clover-44 {did}, Tuesday 6 April, 16:00 to 16:50")
    assert not any(condition in text for condition in KNOWN)


def test_the_hour_that_comes_twice_is_told_apart_and_another_year_is_named() -> None:
    assert [clock_text(utc(2027, 10, 31, hour, 30), LONDON) for hour in (0, 1, 2)] == [
        "01:30 BST",
        "01:30 GMT",
        "02:30",
    ]
    assert span_text(utc(2028, 1, 4, 9), utc(2028, 1, 4, 10), LONDON, utc(2027, 12, 1)) == (
        "Tuesday 4 January 2028, 09:00 to 10:00"
    )


@pytest.mark.parametrize(
    ("minutes", "said"), [(0.2, "in 1 minute"), (40, "in 40 minutes"), (100, "in 2 hours"), (1500, "in 25 hours")]
)
def test_how_long_it_still_is_is_said_roughly(minutes: float, said: str) -> None:
    assert left_text(timedelta(minutes=minutes)) == said
