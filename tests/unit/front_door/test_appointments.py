"""What calendars are told of sessions, read back by two libraries that know nothing of each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from front_door.appointments import calendar_text, invitation_text
from keyhouse.core.booking import Booking, BookingState, cancelled, moved
from keyhouse.core.ids import BookingNumber, SlotNumber, UserId
from tests.support.therapy import LONDON, slot, utc

NOW = utc(2027, 3, 20, 12)
SERVER = "keyhouse.test"
HIDDEN = ("river", "dr-a", "anorexia", "online", "therap", "session", "clinic")
ALLOWED = {"UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS", "STATUS", "ORGANIZER", "ATTENDEE"}

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
# Around both changes of the clocks, where one hour is missing or comes twice.
CHANGES = st.builds(
    lambda change, minutes: change + timedelta(minutes=minutes),
    st.sampled_from([utc(2027, 3, 28, 1), utc(2027, 10, 31, 1), utc(2026, 3, 29, 1), utc(2026, 10, 25, 1)]),
    st.integers(-180, 180),
)
SERVERS = st.from_regex(r"\A[a-z0-9.-]{1,230}(:[0-9]{1,5})?\Z")


@st.composite
def bookings(draw: st.DrawFn) -> Booking:
    """Any booking in any state."""
    starts_at = draw(MOMENTS | CHANGES)
    state = draw(st.sampled_from(BookingState))
    return Booking(
        BookingNumber(draw(st.integers(1, 2**31))),
        SlotNumber(draw(st.integers(1, 2**31))),
        UserId("@river:keyhouse.test"),
        state,
        starts_at,
        starts_at + timedelta(minutes=draw(st.integers(5, 480))),
        NOW,
        sequence=draw(st.integers(0, 999)),
        late=draw(st.booleans()),
        ended_at=None if state is BookingState.BOOKED else NOW,
    )


def booked(starts_at: datetime, number: int = 7) -> Booking:
    """A session of fifty minutes."""
    ends_at = starts_at + timedelta(minutes=50)
    person = UserId("@river:keyhouse.test")
    return Booking(BookingNumber(number), SlotNumber(3), person, BookingState.BOOKED, starts_at, ends_at, NOW)


Event = tuple[str, int, datetime, datetime, datetime, str, str]


def by_icalendar(document: bytes) -> tuple[str, list[Event]]:
    """The method, and of each event its UID, sequence, stamp, start, end, title and status."""
    calendar = icalendar.Calendar.from_ical(document)
    assert calendar.errors == []
    return str(calendar["METHOD"]), [
        (
            str(event["UID"]),
            int(event["SEQUENCE"]),
            event["DTSTAMP"].dt,
            event["DTSTART"].dt,
            event["DTEND"].dt,
            str(event["SUMMARY"]),
            str(event["STATUS"]),
        )
        for event in calendar.walk("VEVENT")
    ]


def by_vobject(document: bytes) -> tuple[str, list[Event]]:
    """The same, read by the other library, which also checks what each part must have."""
    calendar: Any = vobject.readOne(document.decode())
    assert calendar.validate(raiseException=True)
    return calendar.method.value, [
        (
            event.uid.value,
            int(event.sequence.value),
            event.dtstamp.value,
            event.dtstart.value,
            event.dtend.value,
            event.summary.value,
            event.status.value,
        )
        for event in calendar.contents.get("vevent", [])
    ]


def told(booking: Booking, server_name: str = SERVER, now: datetime = NOW) -> Event:
    """What both libraries must read of a booking."""
    status = "CANCELLED" if booking.state is BookingState.CANCELLED else "CONFIRMED"
    uid = f"{booking.number}@{server_name}"
    return uid, booking.sequence, now, booking.starts_at, booking.ends_at, "Appointment", status


@given(st.lists(bookings(), max_size=5), SERVERS, MOMENTS)
def test_both_libraries_read_a_calendar_as_it_was_meant(some: list[Booking], server_name: str, now: datetime) -> None:
    document = calendar_text(some, server_name, now)

    expected = ("PUBLISH", [told(booking, server_name, now) for booking in some])
    assert by_icalendar(document) == expected
    assert by_vobject(document) == expected


@given(bookings(), SERVERS, MOMENTS)
def test_both_libraries_read_an_invitation_as_it_was_meant(booking: Booking, server_name: str, now: datetime) -> None:
    document = invitation_text(booking, server_name, now)

    method = "CANCEL" if booking.state is BookingState.CANCELLED else "REQUEST"
    assert by_icalendar(document) == (method, [told(booking, server_name, now)])
    assert by_vobject(document) == (method, [told(booking, server_name, now)])


@given(st.lists(bookings(), max_size=3), SERVERS)
def test_no_line_is_longer_than_75_octets_and_each_ends_as_the_standard_says(
    some: list[Booking], server_name: str
) -> None:
    document = calendar_text(some, server_name, NOW)

    lines = document.split(b"\r\n")
    assert lines[-1] == b""
    assert max(len(line) for line in lines) <= 75
    assert b"\n" not in b"".join(lines)


@given(bookings())
def test_nothing_is_told_but_when(booking: Booking) -> None:
    for document in (calendar_text([booking], SERVER, NOW), invitation_text(booking, SERVER, NOW)):
        (event,) = icalendar.Calendar.from_ical(document).walk("VEVENT")
        text = document.decode().lower()

        assert {str(name) for name in event} <= ALLOWED
        assert [word for word in HIDDEN if word in text.replace("keyhouse.test", "")] == []


def test_an_invitation_its_update_and_its_cancellation_are_one_event_that_grows_newer() -> None:
    first = booked(utc(2027, 4, 6, 15))
    second = moved(first, slot(9, utc(2027, 4, 8, 15)), late=False)
    third = cancelled(second, NOW)

    read = [by_icalendar(invitation_text(one, SERVER, NOW)) for one in (first, second, third)]

    assert [method for method, _ in read] == ["REQUEST", "REQUEST", "CANCEL"]
    assert [(event[0], event[1], event[3], event[6]) for _, (event,) in read] == [
        ("7@keyhouse.test", 0, utc(2027, 4, 6, 15), "CONFIRMED"),
        ("7@keyhouse.test", 1, utc(2027, 4, 8, 15), "CONFIRMED"),
        ("7@keyhouse.test", 2, utc(2027, 4, 8, 15), "CANCELLED"),
    ]


@pytest.mark.parametrize(
    ("starts_at", "wall_clock"),
    [
        (utc(2027, 3, 28, 0, 30), "00:30 GMT"),
        (utc(2027, 3, 28, 1, 30), "02:30 BST"),
        (utc(2027, 10, 31, 0, 30), "01:30 BST"),
        (utc(2027, 10, 31, 1, 30), "01:30 GMT"),
        (utc(2027, 4, 6, 15), "16:00 BST"),
        (utc(2027, 12, 6, 16), "16:00 GMT"),
    ],
)
def test_a_calendar_in_london_shows_the_time_on_the_wall(starts_at: datetime, wall_clock: str) -> None:
    document = calendar_text([booked(starts_at)], SERVER, NOW)

    shown = [f"{read(document)[1][0][3].astimezone(LONDON):%H:%M %Z}" for read in (by_icalendar, by_vobject)]
    assert shown == [wall_clock, wall_clock]


@pytest.mark.parametrize("zone", [LONDON, ZoneInfo("America/New_York")])
def test_a_moment_is_written_in_utc_in_whatever_zone_it_is_given(zone: tzinfo) -> None:
    session = booked(utc(2027, 4, 6, 15))
    elsewhere = replace(session, starts_at=session.starts_at.astimezone(zone), ends_at=session.ends_at.astimezone(zone))

    document = calendar_text([elsewhere], SERVER, NOW.astimezone(zone))

    assert document == calendar_text([session], SERVER, NOW)
    assert b"DTSTART:20270406T150000Z\r\n" in document


def test_mail_that_a_calendar_sends_about_an_invitation_goes_nowhere_and_none_is_asked_for() -> None:
    (event,) = icalendar.Calendar.from_ical(invitation_text(booked(NOW), SERVER, NOW)).walk("VEVENT")

    assert str(event["ORGANIZER"]).endswith(".invalid")
    assert str(event["ATTENDEE"]).endswith(".invalid")
    assert (event["ATTENDEE"].params["RSVP"], event["ATTENDEE"].params["PARTSTAT"]) == ("FALSE", "ACCEPTED")
