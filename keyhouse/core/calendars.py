"""A person's own calendar link: who may have one, and which sessions it shows to whoever has it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.people import REFERRED_ROLES, TEAM_ROLES, Person, PersonState
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

SECRET_BYTES = 32
"""Of randomness in a link: nobody finds one by trying."""

MOST_SHOWN = 1000
"""Sessions in one calendar; the first to come are in it."""

_PAST, _AHEAD = timedelta(days=30), timedelta(days=365)
_CANCELLED_STAY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Shown:
    """Which sessions a calendar shows, all moments excluded. cancelled_after: of a cancelled one, when that was."""

    ends_after: datetime
    starts_before: datetime
    cancelled_after: datetime

    def holds(self, booking: Booking) -> bool:
        """Say whether this session is shown; a cancelled one stays for a while, so that calendars strike it out."""
        in_time = booking.ends_at > self.ends_after and booking.starts_at < self.starts_before
        if booking.state is not BookingState.CANCELLED:
            return in_time
        return in_time and booking.ended_at is not None and booking.ended_at > self.cancelled_after


def shown_at(now: datetime) -> Shown:
    """Return what calendars show now: the past 30 days, and the next 365."""
    return Shown(now - _PAST, now + _AHEAD, now - _CANCELLED_STAY)


def may_have_calendar(person: Person | None) -> Verdict:
    """Decide whether this person may have a link: whoever books, and whoever offers sessions; paused ones too."""
    if person is None or person.state is PersonState.CLOSED:
        return Refused(Reason.PERSON_CLOSED if person else Reason.UNKNOWN_PERSON)
    has_sessions = person.role in REFERRED_ROLES | TEAM_ROLES
    return Allowed() if has_sessions else Refused(Reason.ROLE_NOT_BOOKED)
