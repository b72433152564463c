"""A freed slot goes to whoever waits: offered to one person at a time, held for an answer, then offered to the next."""

from dataclasses import replace
from datetime import datetime

from keyhouse.core.booking import Booker, Wanted, may_book
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.cases import may_act
from keyhouse.core.ids import OfferId, SlotNumber, UserId
from keyhouse.core.people import REFERRED_ROLES, PersonState, held
from keyhouse.core.ports import Transaction
from keyhouse.core.slots import Preference, Slot, may_want
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.waiting_list import Offer, OfferOutcome, Waiting, find_offer_times, may_have_priority
from keyhouse.core.workflows import booking_notices


def find_booker(tx: Transaction, user_id: UserId, now: datetime) -> Booker:
    """Gather what is asked of who wants a slot; the person's row is held from here."""
    person = tx.people.get(user_id)
    conditions = held(tx.people.keys(user_id), now)
    return Booker(person, conditions, tx.bookings.upcoming(user_id, now))


def find_wanted(tx: Transaction, number: SlotNumber) -> Wanted:
    """Gather what is asked of a slot; the slot's row is held from here."""
    slot = tx.slots.get(number)
    return Wanted(slot, tx.bookings.of_slot(number), tx.waiting_list.open_offer(number))


def join(tx: Transaction, user_id: UserId, preference: Preference, now: datetime) -> Waiting | Refused:
    """Put somebody on the waiting list; whoever is there already only wants something else and keeps the place."""
    person = tx.people.get(user_id)
    if person is None or person.state is PersonState.CLOSED:
        return Refused(Reason.PERSON_CLOSED if person else Reason.UNKNOWN_PERSON)
    if person.role not in REFERRED_ROLES:
        return Refused(Reason.ROLE_NOT_BOOKED)
    verdict = may_want(preference)
    if isinstance(verdict, Refused):
        return verdict
    tx.waiting_list.put(Waiting(user_id, preference, now))
    return tx.waiting_list.get(user_id) or Refused(Reason.WAITING_UNKNOWN)


def leave(tx: Transaction, user_id: UserId, rules: BookingRules, now: datetime) -> bool:
    """Take somebody off the waiting list; what is being offered to them goes to the next. False: nobody waited."""
    tx.people.get(user_id)
    offer = tx.waiting_list.open_offer_to(user_id)
    gone = tx.waiting_list.leave(user_id)
    if offer is not None:
        decline(tx, user_id, offer.slot, rules, now)
    return gone


def set_priority(tx: Transaction, user_id: UserId, priority: int, by: UserId, now: datetime) -> Verdict:
    """Keep how urgently the team wants somebody seen; only a clinician says so, and nobody is shown it."""
    verdicts = (may_act(tx.people.get(by)), may_have_priority(priority))
    refused = next((verdict for verdict in verdicts if isinstance(verdict, Refused)), None)
    if refused is not None:
        return refused
    if not tx.waiting_list.set_priority(user_id, priority):
        return Refused(Reason.WAITING_UNKNOWN)
    tx.audit.append("waiting.priority", actor=by, subject=user_id, now=now)
    return Allowed()


def offer_next(tx: Transaction, slot: Slot, rules: BookingRules, now: datetime) -> Offer | None:
    """Offer a free slot to the next person who waits for one like it; None when nobody does, or no time is left.

    The slot's row is held already, and it has neither a booking nor an open offer.
    """
    times = find_offer_times(slot, rules, now)
    person = tx.waiting_list.next_for(slot, rules.open_at_most, now) if times else None
    if times is None or person is None:
        return None
    offer = tx.waiting_list.add_offer(slot.number, person, times)
    tx.outbox.add_all(booking_notices.offered(offer), now)
    return offer


def free(tx: Transaction, slot: Slot, had_by: UserId, rules: BookingRules, now: datetime) -> Offer | None:
    """Offer a slot that this person gave back; they are not asked about it again."""
    tx.waiting_list.given_back(slot.number, had_by, now)
    return offer_next(tx, slot, rules, now)


def present_offer(tx: Transaction, offer_id: OfferId, rules: BookingRules, now: datetime) -> Offer | None:
    """Say what is to be told now, right before it is sent; None when there is nothing to tell (any more).

    The hold counts from here, once. At night, after a standstill, the offer is put off to the morning. Somebody who
    may not book the slot any more is passed over.
    """
    offer = _held_offer(tx, offer_id)
    if offer is None or offer.told_at is not None:
        return offer if offer is not None and offer.holds(now) else None
    wanted = find_wanted(tx, offer.slot)
    times = find_offer_times(wanted.slot, rules, now) if wanted.slot else None
    verdict = may_book(wanted, find_booker(tx, offer.person, now), rules, now)
    if times is None or isinstance(verdict, Refused):
        _end(tx, offer, OfferOutcome.LAPSED, rules, now)
        return None
    if times.offered_at > now:
        later = replace(offer, offered_at=times.offered_at, until=times.until)
        tx.waiting_list.keep_offer(later)
        tx.outbox.add_all(booking_notices.offered(later), now)
        return None
    told = replace(offer, told_at=now, until=times.until)
    tx.waiting_list.keep_offer(told)
    tx.outbox.add(booking_notices.lapse(told), now)
    return told


def lapse_offer(tx: Transaction, offer_id: OfferId, rules: BookingRules, now: datetime) -> Offer | None:
    """End an offer whose time is over and return the next one; None when it is not over, or nobody else waits."""
    offer = _held_offer(tx, offer_id)
    if offer is None or offer.holds(now):
        return None
    return _end(tx, offer, OfferOutcome.LAPSED, rules, now)


def decline(tx: Transaction, user_id: UserId, number: SlotNumber, rules: BookingRules, now: datetime) -> Verdict:
    """Take a no for an answer; the slot is offered to the next at once."""
    tx.people.get(user_id)
    tx.slots.get(number)
    offer = tx.waiting_list.open_offer(number)
    if offer is None or offer.person != user_id:
        return Refused(Reason.OFFER_UNKNOWN)
    _end(tx, offer, OfferOutcome.DECLINED, rules, now)
    return Allowed()


def _held_offer(tx: Transaction, offer_id: OfferId) -> Offer | None:
    """Find an open offer and hold its person and its slot, in the order in which everybody holds them."""
    offer = tx.waiting_list.offer(offer_id)
    if offer is None:
        return None
    tx.people.get(offer.person)
    tx.slots.get(offer.slot)
    as_it_is_now = tx.waiting_list.offer(offer_id)
    return as_it_is_now if as_it_is_now is not None and as_it_is_now.ended_at is None else None


def _end(tx: Transaction, offer: Offer, outcome: OfferOutcome, rules: BookingRules, now: datetime) -> Offer | None:
    tx.waiting_list.end_offers([offer.slot], outcome, now)
    wanted = find_wanted(tx, offer.slot)
    return offer_next(tx, wanted.slot, rules, now) if wanted.slot is not None and wanted.booking is None else None
