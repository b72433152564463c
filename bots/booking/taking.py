"""Taking a session, and answering to one that was offered."""

from datetime import datetime

from bots.booking.wording import booking_text, reminders_text
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import EventId, SlotNumber, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows import booking, booking_offers


def take(
    tx: Transaction, person: UserId, number: SlotNumber, event_id: EventId, rules: BookingRules, now: datetime
) -> str:
    """Book a session, also one that is held for the person, and say what comes now."""
    done = booking.book(tx, person, number, event_id, rules, now)
    if isinstance(done, Refused):
        return sentence(done.reason)
    slot = tx.slots.get(done.slot)
    told = booking_text(done, {slot.number: slot} if slot else {}, rules.zone, now)
    return (
        f"Booked: {told}. {reminders_text(done, now)} "
        f"`!cancel {done.slot}` gives it back, and `!move {done.slot} N` moves it to number N."
    )


def answer_offer(tx: Transaction, person: UserId, number: SlotNumber | None, rules: BookingRules, now: datetime) -> str:
    """Take a no. number: of the slot; None is whatever was asked about last. Without an offer nothing is changed."""
    offer = tx.waiting_list.open_offer_to(person)
    if offer is None or number not in (None, offer.slot):
        return "All right, nothing is booked by it. `!slots` shows other times."
    verdict = booking_offers.decline(tx, person, offer.slot, rules, now)
    if isinstance(verdict, Refused):
        return sentence(verdict.reason)
    return (
        "All right, it goes to somebody else. You stay on the waiting list, and we ask you again; "
        "`!waitlist leave` takes you off it."
    )
