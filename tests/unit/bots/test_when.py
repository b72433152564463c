"""What people say about when they would like to come, and what is understood. It is noon on Friday 26 March 2027."""

from datetime import UTC, datetime, timedelta

import pytest

from bots.booking.plain_words import asked_for
from bots.booking.when import Unclear, Understood, understand
from keyhouse.core.slots import Mode
from tests.support.therapy import LONDON, utc

FRIDAY = datetime(2027, 3, 26, 12, 0, tzinfo=UTC)
MONDAY = datetime(2027, 3, 29, 11, 0, tzinfo=UTC)

UNDERSTOOD = {
    "tuesday after 4": "on Tuesdays, from 16:00",
    "Tuesday after 4?": "on Tuesdays, from 16:00",
    "tues after 4 o’clock": "on Tuesdays, from 16:00",
    "on a thursday or friday": "on Thursdays and Fridays",
    "weekdays before 12": "on weekdays, before 12:00",
    "weekends": "on weekends",
    "mornings": "before 12:00",
    "evenings in person": "from 17:00, in person",
    "tuesday evening after 7": "on Tuesdays, from 19:00",
    "in the morning after 9": "between 09:00 and 12:00",
    "between 2 and 4 on monday": "on Mondays, between 14:00 and 16:00",
    "from 10 to 2": "between 10:00 and 14:00",
    "half past two on monday": "on Mondays, between 14:30 and 15:30",
    "quarter to four on wednesday": "on Wednesdays, between 15:45 and 16:45",
    "next week in the morning": "in the week from Monday 29 March, before 12:00",
    "this week": "this week",
    "in a fortnight": "in the week from Monday 5 April",
    "next month": "in April",
    "in may 2028": "in May 2028",
    "today": "Friday 26 March",
    "this afternoon": "Friday 26 March, between 12:00 and 17:00",
    "tomorrow 2pm": "Saturday 27 March, between 14:00 and 15:00",
    "the day after tomorrow": "Sunday 28 March",
    "6 april at 14:00": "Tuesday 6 April, between 14:00 and 15:00",
    "tuesday the 6th of april": "Tuesday 6 April",
    "06/04/2027": "Tuesday 6 April",
    "2027-04-06": "Tuesday 6 April",
    "1 march": "Wednesday 1 March 2028",
    "after 6 april in the morning": "from Wednesday 7 April on, before 12:00",
    "from next week": "from Monday 29 March on",
    "tuesday next week at 3": "Tuesday 30 March, between 15:00 and 16:00",
    "next tuesday after 4 online": "Tuesday 30 March, from 16:00, online",
    "2027-10-31T01:30+01:00": "Sunday 31 October, at 01:30",
}


@pytest.mark.parametrize("words", UNDERSTOOD)
def test_what_people_say_is_said_back_in_our_words(words: str) -> None:
    found = understand(words, FRIDAY, LONDON)

    assert isinstance(found, Understood)
    assert found.said == UNDERSTOOD[words]


def test_the_next_friday_of_a_friday_is_in_a_week_and_this_one_is_today() -> None:
    following, this = understand("next friday", FRIDAY, LONDON), understand("this friday", FRIDAY, LONDON)

    assert isinstance(following, Understood)
    assert isinstance(this, Understood)
    assert (following.said, this.said) == ("Friday 2 April", "Friday 26 March")


UNCLEAR = {
    "yesterday": "This time is past.",
    "1 march 2020": "This time is past.",
    "today at 9": "This time is past.",
    "2027-03-26 09:00": "This time is past.",
    "31 june": "“31 june” is not a day of the calendar.",
    "12/13/2027": "“12/13/2027” is not a day of the calendar.",
    "monday 6 april": "Tuesday 6 April is not a Monday.",
    "6 april 2050": "That is years away.",
    "at 25": "“25” is not a time of day.",
    "after 5pm before 3pm": "No session could be at such a time of day.",
    "28 march at 1:30am": "28 March 2027, 01:30 does not exist",
    "31 october at 1:30am": "31 October 2027, 01:30 happens twice",
    "2027-10-31 01:30": "31 October 2027, 01:30 happens twice",
    "2027-13-40 10:00": "“2027-13-40 10:00” is not a time.",
}


@pytest.mark.parametrize("words", UNCLEAR)
def test_what_cannot_be_meant_is_refused_with_one_sentence(words: str) -> None:
    found = understand(words, FRIDAY, LONDON)

    assert isinstance(found, Unclear)
    assert found.sentence.startswith(UNCLEAR[words])


def test_the_next_tuesday_of_a_monday_could_be_two_days_and_both_are_named() -> None:
    found = understand("next tuesday", MONDAY, LONDON)

    assert found == Unclear(
        "“next tuesday” could be 30 March or 6 April. Please write `30 March` or `6 April`.", names_day=True
    )


@pytest.mark.parametrize("words", ["", "soon", "easter", "6", "tonight", "help", "x" * 200, "tuesday after my exam"])
def test_what_is_about_something_else_is_not_guessed(words: str) -> None:
    assert understand(words, FRIDAY, LONDON) is None


def test_a_day_begins_and_ends_by_the_wall_clock_also_when_the_clocks_change() -> None:
    found = understand("28 march", FRIDAY, LONDON)

    assert isinstance(found, Understood)
    assert found.asked.starts_after == utc(2027, 3, 28) - timedelta(microseconds=1)
    assert found.asked.starts_before == utc(2027, 3, 28, 23)


def test_where_a_session_is_held_is_a_part_of_the_wish() -> None:
    found = understand("tuesdays by video", FRIDAY, LONDON)

    assert isinstance(found, Understood)
    assert (found.asked.preference.mode, found.lasting) == (Mode.ONLINE, True)


ASKING = [
    "tuesday after 4",
    "Tuesday after 4 please",
    "next tuesday 2pm",
    "next week in the morning",
    "Can I come on tuesday after 4?",
    "do you have anything on thursday morning?",
    "Hi, I'd like a session next week",
    "Hello! Could I please book an appointment for 6 april at 14:00?",
    "book me in for friday at 3",
    "is there anything next week in the morning",
    "an appointment on friday, please",
    "I would like to book a session",
    "session tomorrow at 9, thank you",
]


@pytest.mark.parametrize("text", ASKING)
def test_a_message_that_asks_for_a_time_is_understood(text: str) -> None:
    assert isinstance(asked_for(text, FRIDAY, LONDON), Understood)


def test_a_message_that_asks_for_a_time_that_does_not_exist_is_told_so() -> None:
    assert isinstance(asked_for("can I come on 28 march at 1:30am", FRIDAY, LONDON), Unclear)


TALK = [
    "help",
    "Help!",
    "call me",
    "call me tomorrow at 4",
    "999",
    "111",
    "good morning",
    "morning",
    "in the evening",
    "tomorrow",
    "tuesday",
    "tonight after 8",
    "sun in the morning",
    "see you tuesday after 4",
    "something on friday",
    "I had a session on tuesday after 4 and it was awful",
    "I want to die on friday",
    "i want to end it tomorrow at 4",
    "I might be dead by tuesday",
    "appointments?",
    "tuesday\nafter 4",
    "can I come on tuesday after 4, " + "really " * 30,
]


@pytest.mark.parametrize("text", TALK)
def test_talk_at_the_desk_and_words_for_help_are_left_alone(text: str) -> None:
    assert asked_for(text, FRIDAY, LONDON) is None
