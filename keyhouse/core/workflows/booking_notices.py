"""What leaves the house because of a booking, each as a decision of the booking bot.

content of REMINDER: person, booking, sequence, moment.  OFFER and OFFER_LAPSE: offer, slot, and person.
BOOKING_NOTICE: person, booking, slot, about.  THERAPIST_NOTICE: therapist, person, booking, slot, about.
"""

from datetime import datetime
from enum import StrEnum

from keyhouse.core.booking import Booking
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.reminders import reminders_of
from keyhouse.core.slots import Slot
from keyhouse.core.waiting_list import Offer


class About(StrEnum):
    """What somebody is told. withdrawn: by the therapist, with new times.  missed: we missed you."""

    WITHDRAWN = "withdrawn"
    MISSED = "missed"
    LATE_CANCEL = "late_cancel"
    LATE_MOVE = "late_move"


def reminders(booking: Booking, now: datetime) -> list[NewOutgoing]:
    """Return the reminders of a booking as it is now; those of an earlier sequence are dropped when they are due."""
    return [
        _for_bot(
            OutgoingKind.REMINDER,
            f"reminder:{booking.number}:{booking.sequence}:{due.moment.value}",
            {
                "person": booking.person,
                "booking": booking.number,
                "sequence": booking.sequence,
                "moment": due.moment.value,
            },
            due.due_at,
        )
        for due in reminders_of(booking, now)
    ]


def offered(offer: Offer) -> list[NewOutgoing]:
    """Return that somebody is to be asked, and that the hold is to be looked at when it is over."""
    content: dict[str, object] = {"offer": offer.id, "slot": offer.slot, "person": offer.person}
    once = f"offer:{offer.id}:{offer.offered_at.isoformat()}"
    return [_for_bot(OutgoingKind.OFFER, once, content, offer.offered_at), lapse(offer)]


def lapse(offer: Offer) -> NewOutgoing:
    """Return that the hold is to be looked at when it is over."""
    content: dict[str, object] = {"offer": offer.id, "slot": offer.slot, "person": offer.person}
    once = f"offer_lapse:{offer.id}:{offer.until.isoformat()}"
    return _for_bot(OutgoingKind.OFFER_LAPSE, once, content, offer.until)


def to_person(booking: Booking, about: About, now: datetime) -> NewOutgoing:
    """Return a message to who had the session."""
    once = f"booking_notice:{about.value}:{booking.number}:{booking.sequence}"
    content = {"person": booking.person, "booking": booking.number, "slot": booking.slot, "about": about.value}
    return _for_bot(OutgoingKind.BOOKING_NOTICE, once, content, now)


def to_therapist(slot: Slot, booking: Booking, about: About, now: datetime) -> NewOutgoing:
    """Return a message to whose slot it was. slot: the one that was given back."""
    once = f"therapist_notice:{about.value}:{booking.number}:{booking.sequence}"
    content = {
        "therapist": slot.therapist,
        "person": booking.person,
        "booking": booking.number,
        "slot": slot.number,
        "about": about.value,
    }
    return _for_bot(OutgoingKind.THERAPIST_NOTICE, once, content, now)


def _for_bot(kind: OutgoingKind, once: str, content: dict[str, object], due_at: datetime) -> NewOutgoing:
    return NewOutgoing(kind, Worker.BOOKING, once, content, due_at)
