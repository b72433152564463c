"""Slots, bookings and the waiting list, in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from keyhouse.core.booking import Booker, Booking, BookingState, Wanted, may_book
from keyhouse.core.booking_ports import NewSlot, SlotStanding
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.calendars import Shown
from keyhouse.core.ids import BookingNumber, EventId, OfferId, SlotNumber, UserId
from keyhouse.core.people import held
from keyhouse.core.slots import Slot, SlotPlan, SlotSearch
from keyhouse.core.utilisation import Outcomes, TherapistWeek, Utilisation
from keyhouse.core.verdict import Allowed
from keyhouse.core.waiting_list import Offer, OfferOutcome, OfferTimes, Waiting
from keyhouse.storage.memory.shelves import Shelves, only_once

_CANCELLED = BookingState.CANCELLED


class MemorySlots:
    """Therapists' bookable spans of time."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, number: SlotNumber) -> Slot | None:
        """Find a slot by its number."""
        return self._shelves.slots.get(number)

    def held(self, numbers: Collection[SlotNumber]) -> Sequence[Slot]:
        """Return these slots in the order of their numbers."""
        return [slot for number in sorted(numbers) if (slot := self.get(number)) is not None]

    def add_all(self, plan: SlotPlan, new: Sequence[NewSlot]) -> Sequence[Slot]:
        """Keep the spans of a plan; return the slots with their numbers, in the order of time."""
        in_order = sorted(new, key=lambda one: plan.spans[one.place].starts_at)
        added = [self._numbered(plan, one, place) for place, one in enumerate(in_order, len(self._shelves.slots) + 1)]
        self._shelves.slots.update({slot.number: slot for slot in added})
        return added

    def withdraw(self, numbers: Collection[SlotNumber], now: datetime) -> None:
        """Withdraw these slots; one that is withdrawn already keeps its moment."""
        for slot in self.held(numbers):
            self._shelves.slots[slot.number] = replace(slot, withdrawn_at=slot.withdrawn_at or now)

    def taken(self, therapist: UserId, starts_at: datetime, ends_at: datetime) -> Sequence[Slot]:
        """Slots of the therapist that are not withdrawn and whose blocks touch this time, in the order of time."""
        theirs = (slot for slot in self._in_order() if slot.therapist == therapist and slot.withdrawn_at is None)
        return [slot for slot in theirs if slot.blocked.starts_at <= ends_at and slot.blocked.ends_at >= starts_at]

    def open_for(self, search: SlotSearch, limit: int, now: datetime) -> Sequence[Slot]:
        """Find open slots, the first to come first."""
        found = (slot for slot in self._in_order() if slot.conditions & search.conditions and _asked(slot, search, now))
        return [slot for slot in found if self._is_free_for(slot, search.person, now)][:limit]

    def listed(
        self, *, ends_after: datetime, limit: int, therapist: UserId | None = None, after: Slot | None = None
    ) -> Sequence[SlotStanding]:
        """Slots in the order of time, with what stands on them."""
        slots = [slot for slot in self._in_order() if slot.ends_at > ends_after and _is_after(slot, after)]
        theirs = [slot for slot in slots if therapist in (None, slot.therapist)][:limit]
        bookings, offers = MemoryBookings(self._shelves), MemoryWaitingList(self._shelves)
        return [SlotStanding(slot, bookings.of_slot(slot.number), offers.open_offer(slot.number)) for slot in theirs]

    def _numbered(self, plan: SlotPlan, new: NewSlot, number: int) -> Slot:
        span = plan.spans[new.place]
        return Slot(
            SlotNumber(number),
            plan.therapist,
            span.starts_at,
            span.ends_at,
            plan.conditions,
            plan.mode,
            plan.blocked(span),
            new.weekday,
            new.minute,
        )

    def _in_order(self) -> list[Slot]:
        return sorted(self._shelves.slots.values(), key=lambda slot: (slot.starts_at, slot.number))

    def _is_free_for(self, slot: Slot, person: UserId, now: datetime) -> bool:
        offer = MemoryWaitingList(self._shelves).open_offer(slot.number)
        others = offer is not None and offer.person != person and offer.holds(now)
        return not others and MemoryBookings(self._shelves).of_slot(slot.number) is None


def _asked(slot: Slot, search: SlotSearch, now: datetime) -> bool:
    soon_enough = search.starts_before is None or slot.starts_at < search.starts_before
    in_time = slot.starts_at > max(search.starts_after, now) and soon_enough and _is_after(slot, search.after)
    standing = slot.withdrawn_at is None and search.therapist in (None, slot.therapist)
    return in_time and standing and search.preference.fits(slot)


def _is_after(slot: Slot, after: Slot | None) -> bool:
    return after is None or (slot.starts_at, slot.number) > (after.starts_at, after.number)


class MemoryBookings:
    """Who has which slot."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, number: BookingNumber) -> Booking | None:
        """Find a booking by its number."""
        return self._shelves.bookings.get(number)

    def of_slot(self, slot: SlotNumber) -> Booking | None:
        """Find the slot's booking that is not cancelled."""
        return next(iter(self._that(lambda one: one.slot == slot and one.state is not BookingState.CANCELLED)), None)

    def of_slots(self, slots: Collection[SlotNumber]) -> Sequence[Booking]:
        """The bookings of these slots that are booked, in the order of time."""
        return self._that(lambda one: one.slot in slots and one.state is BookingState.BOOKED)

    def by_event(self, event_id: EventId) -> Booking | None:
        """Find the booking that this event made, moved or cancelled."""
        number = self._shelves.booking_events.get(event_id)
        return None if number is None else self.get(number)

    def upcoming(self, person: UserId, now: datetime) -> Sequence[Booking]:
        """The person's booked sessions that are not over, in the order of time."""
        return self._that(lambda one: one.person == person and one.state is BookingState.BOOKED and one.ends_at > now)

    def missed_since(self, person: UserId, since: datetime) -> int:
        """How many sessions that began after this moment the person missed."""
        missed = self._that(lambda one: one.person == person and one.state is BookingState.MISSED)
        return sum(one.starts_at > since for one in missed)

    def unsettled(self, ended_before: datetime, limit: int) -> Sequence[Booking]:
        """Booked sessions that ended before this moment, oldest first."""
        over = self._that(lambda one: one.state is BookingState.BOOKED and one.ends_at < ended_before)
        return sorted(over, key=lambda one: one.ends_at)[:limit]

    def add(self, new: Booking, event_id: EventId | None) -> Booking:
        """Keep a new booking; its number is given here."""
        numbered = replace(new, number=BookingNumber(len(self._shelves.bookings) + 1))
        self.keep([numbered])
        if event_id is not None:
            self.note_event(event_id, numbered.number)
        return numbered

    def note_event(self, event_id: EventId, number: BookingNumber) -> None:
        """Keep that this event moved or cancelled the booking."""
        only_once(event_id in self._shelves.booking_events)
        self._shelves.booking_events[event_id] = number

    def keep(self, bookings: Sequence[Booking]) -> None:
        """Keep these bookings as they are now."""
        for changed in bookings:
            other = self.of_slot(changed.slot)
            stands = changed.state is not BookingState.CANCELLED
            only_once(stands and other is not None and other.number != changed.number)
            self._shelves.bookings[changed.number] = changed

    def listed(self, *, limit: int, before: Booking | None = None) -> Sequence[Booking]:
        """All bookings, the last to come first."""
        last_first = self._that(lambda one: before is None or _place(one) < _place(before))[::-1]
        return last_first[:limit]

    def of_person(self, person: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What somebody booked, as far as calendars show it, in the order of time."""
        return self._that(lambda one: one.person == person and shown.holds(one))[:limit]

    def with_therapist(self, therapist: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What was booked with somebody, as far as calendars show it, in the order of time."""
        slots = self._shelves.slots
        return self._that(lambda one: slots[one.slot].therapist == therapist and shown.holds(one))[:limit]

    def used(self, starts_from: datetime, starts_before: datetime) -> Sequence[TherapistWeek]:
        """What became of the slots that begin in this time, by therapist."""
        slots = [slot for slot in self._shelves.slots.values() if starts_from <= slot.starts_at < starts_before]
        theirs = {therapist: [slot for slot in slots if slot.therapist == therapist] for therapist in _owners(slots)}
        return [TherapistWeek(therapist, self._used(theirs[therapist])) for therapist in sorted(theirs)]

    def _used(self, slots: Sequence[Slot]) -> Utilisation:
        numbers = {slot.number for slot in slots}
        bookings = self._that(lambda one: one.slot in numbers and (one.state is not BookingState.CANCELLED or one.late))
        states = [one.state for one in bookings]
        kept, missed, late = (states.count(state) for state in (BookingState.KEPT, BookingState.MISSED, _CANCELLED))
        offered = sum(slot.withdrawn_at is None for slot in slots)
        people = len({one.person for one in bookings})
        return Utilisation(offered, len(bookings) - late, Outcomes(kept, missed, late), people)

    def _that(self, fits: Callable[[Booking], bool]) -> list[Booking]:
        return sorted((one for one in self._shelves.bookings.values() if fits(one)), key=_place)


def _owners(slots: Sequence[Slot]) -> set[UserId]:
    return {slot.therapist for slot in slots}


def _place(booking: Booking) -> tuple[datetime, int]:
    return booking.starts_at, booking.number


class MemoryWaitingList:
    """Who waits, and what is being offered."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, person: UserId) -> Waiting | None:
        """Find what somebody waits for."""
        return self._shelves.waiting.get(person)

    def put(self, new: Waiting) -> None:
        """Keep somebody's preference; whoever is there already keeps place and priority."""
        before = self.get(new.person)
        self._shelves.waiting[new.person] = replace(new, since=before.since if before else new.since)

    def leave(self, person: UserId) -> bool:
        """Forget that somebody waits."""
        self._shelves.priorities.pop(person, None)
        return self._shelves.waiting.pop(person, None) is not None

    def set_priority(self, person: UserId, priority: int) -> bool:
        """Keep how urgently the team wants this person seen."""
        if self.get(person) is None:
            return False
        self._shelves.priorities[person] = priority
        return True

    def next_for(self, slot: Slot, open_at_most: int, now: datetime) -> UserId | None:
        """Find who is offered this slot, by priority, then by how long."""
        rules = BookingRules(UTC, open_at_most=open_at_most)
        in_order = sorted(self._shelves.waiting.values(), key=lambda one: (-self._priority(one), one.since, one.person))
        fitting = (one.person for one in in_order if one.preference.fits(slot) and self._not_asked(slot, one.person))
        return next((person for person in fitting if self._may_have(slot, person, rules, now)), None)

    def add_offer(self, slot: SlotNumber, person: UserId, times: OfferTimes) -> Offer:
        """Keep an open offer; its id is given here."""
        only_once(self.open_offer(slot) is not None or self.open_offer_to(person) is not None)
        offer = Offer(OfferId(len(self._shelves.offers) + 1), slot, person, times.offered_at, times.until)
        self.keep_offer(offer)
        return offer

    def given_back(self, slot: SlotNumber, person: UserId, now: datetime) -> None:
        """Keep that this person had the slot and is not offered it."""
        number = OfferId(len(self._shelves.offers) + 1)
        self.keep_offer(Offer(number, slot, person, now, now, None, now, OfferOutcome.GIVEN_BACK))

    def offer(self, offer_id: OfferId) -> Offer | None:
        """Find an offer."""
        return self._shelves.offers.get(offer_id)

    def open_offer(self, slot: SlotNumber) -> Offer | None:
        """Find the open offer of a slot."""
        return next((one for one in self._open() if one.slot == slot), None)

    def open_offer_to(self, person: UserId) -> Offer | None:
        """Find what is being offered to somebody."""
        return next((one for one in self._open() if one.person == person), None)

    def keep_offer(self, offer: Offer) -> None:
        """Keep the offer as it is now."""
        self._shelves.offers[offer.id] = offer

    def end_offers(self, slots: Collection[SlotNumber], outcome: OfferOutcome, now: datetime) -> None:
        """End the open offers of these slots."""
        for offer in self._open():
            if offer.slot in slots:
                self.keep_offer(replace(offer, ended_at=now, outcome=outcome))

    def _open(self) -> list[Offer]:
        return [offer for offer in self._shelves.offers.values() if offer.ended_at is None]

    def _priority(self, one: Waiting) -> int:
        return self._shelves.priorities.get(one.person, 0)

    def _not_asked(self, slot: Slot, person: UserId) -> bool:
        asked = any((offer.slot, offer.person) == (slot.number, person) for offer in self._shelves.offers.values())
        return not asked and self.open_offer_to(person) is None

    def _may_have(self, slot: Slot, person: UserId, rules: BookingRules, now: datetime) -> bool:
        keys = [key for key in self._shelves.keys.values() if key.person == person]
        upcoming = MemoryBookings(self._shelves).upcoming(person, now)
        booker = Booker(self._shelves.people.get(person), held(keys, now), upcoming)
        return isinstance(may_book(Wanted(slot, None, None), booker, rules, now), Allowed)
