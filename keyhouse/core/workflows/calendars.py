"""Give somebody a calendar link, end it, and look up what whoever comes with one is shown."""

from collections.abc import Sequence
from datetime import datetime

from keyhouse.core.booking import Booking
from keyhouse.core.calendars import MOST_SHOWN, may_have_calendar, shown_at
from keyhouse.core.ids import UserId
from keyhouse.core.people import TEAM_ROLES
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Refused, Verdict


def open_calendar(tx: Transaction, person: UserId, secret: str, now: datetime) -> Verdict:
    """Let this new secret lead to the person's own sessions, and no earlier one any more."""
    verdict = may_have_calendar(tx.people.get(person))
    if isinstance(verdict, Refused):
        return verdict
    tx.calendar_feeds.put(person, secret, now)
    tx.audit.append("calendar.opened", actor=person, now=now)
    return verdict


def close_calendar(tx: Transaction, person: UserId, now: datetime) -> bool:
    """End the person's link; False when there was none."""
    was_open = tx.calendar_feeds.revoke(person, now)
    if was_open:
        tx.audit.append("calendar.closed", actor=person, now=now)
    return was_open


def sessions_shown(tx: Transaction, secret: str, now: datetime) -> Sequence[Booking] | None:
    """Return the sessions that this secret leads to, in the order of time; None: it leads, or now leads, nowhere.

    A therapist's are those that others booked with them, everybody else's those that they booked.
    """
    holder = tx.calendar_feeds.holder_of(secret)
    person = tx.people.get(holder) if holder else None
    if person is None or isinstance(may_have_calendar(person), Refused):
        return None
    if person.role in TEAM_ROLES:
        return tx.bookings.with_therapist(person.user_id, shown_at(now), MOST_SHOWN)
    return tx.bookings.of_person(person.user_id, shown_at(now), MOST_SHOWN)
