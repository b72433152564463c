"""Sessions as calendars read them (RFC 5545, RFC 5546, RFC 7986): when, and nothing else.

Somebody's calendar is read by others. So every title is the same, and no name of anybody, no place and no reason is
in it. Times are UTC, which is right on both sides of a change of the clocks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vCalAddress

from keyhouse.core.booking import Booking, BookingState

TITLE = "Appointment"
_ALL_TITLE = "Appointments"
_MADE_BY = "-//Keyhouse//Appointments//EN"
_LOOK_AGAIN_AFTER = timedelta(hours=1)
# The standards want an address of whoever invites and is invited. Mail to these never goes anywhere (RFC 2606).
_ORGANISER, _HOLDER = vCalAddress("mailto:house@house.invalid"), vCalAddress("mailto:you@house.invalid")
_HOLDER.params.update({"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})


def calendar_text(bookings: Iterable[Booking], server_name: str, now: datetime) -> bytes:
    """Write sessions as a calendar to subscribe to; cancelled ones are struck out."""
    calendar = _empty("PUBLISH")
    calendar.add("name", _ALL_TITLE)
    # What Outlook and Apple's calendar knew before the standard had a word for it.
    calendar.add("x-wr-calname", _ALL_TITLE)
    calendar.add("refresh-interval", _LOOK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    for booking in bookings:
        calendar.add_component(_event(booking, server_name, now))
    return bytes(calendar.to_ical())


def invitation_text(booking: Booking, server_name: str, now: datetime) -> bytes:
    """Write one session as an invitation, its update when it has been moved, its cancellation when it was given back.

    Calendars know it by its UID, which stays, and take it for newer by its SEQUENCE, which grows.
    """
    is_cancelled = booking.state is BookingState.CANCELLED
    calendar, event = _empty("CANCEL" if is_cancelled else "REQUEST"), _event(booking, server_name, now)
    event.add("attendee", _HOLDER)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _empty(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", _MADE_BY)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(booking: Booking, server_name: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{booking.number}@{server_name}")
    event.add("sequence", booking.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", booking.starts_at.astimezone(UTC))
    event.add("dtend", booking.ends_at.astimezone(UTC))
    event.add("summary", TITLE)
    event.add("class", "PRIVATE")
    event.add("status", "CANCELLED" if booking.state is BookingState.CANCELLED else "CONFIRMED")
    event.add("organizer", _ORGANISER)
    return event
