"""What the workflows of booking need from outside. As in `ports`: in a writing transaction `get` of one row holds it.

Whoever changes a slot, its booking or its offers holds the slot's row first, and the person's row before that. Two
slots are held in the order of their numbers. So nobody waits in a circle.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from keyhouse.core.booking import Booking
from keyhouse.core.calendars import Shown
from keyhouse.core.ids import BookingNumber, EventId, OfferId, SlotNumber, UserId
from keyhouse.core.slots import Slot, SlotPlan, SlotSearch
from keyhouse.core.utilisation import TherapistWeek
from keyhouse.core.waiting_list import Offer, OfferOutcome, OfferTimes, Waiting


@dataclass(frozen=True, slots=True)
class NewSlot:
    """One span of a plan, with what a wall clock shows at its start."""

    place: int
    weekday: int
    minute: int


@dataclass(frozen=True, slots=True)
class SlotStanding:
    """A slot with its booking that is not cancelled and its open offer, if it has them."""

    slot: Slot
    booking: Booking | None
    offer: Offer | None


class Slots(Protocol):
    """Therapists' bookable spans of time."""

    def get(self, number: SlotNumber) -> Slot | None: ...
    def held(self, numbers: Collection[SlotNumber]) -> Sequence[Slot]:
        """Return these slots in the order of their numbers, and hold them all; unknown ones are left out."""
        ...

    def add_all(self, plan: SlotPlan, new: Sequence[NewSlot]) -> Sequence[Slot]:
        """Keep the spans of a plan; return the slots with their numbers, in the order of time."""
        ...

    def withdraw(self, numbers: Collection[SlotNumber], now: datetime) -> None:
        """Withdraw these slots; one that is withdrawn already keeps its moment."""
        ...

    def taken(self, therapist: UserId, starts_at: datetime, ends_at: datetime) -> Sequence[Slot]:
        """Slots of the therapist that are not withdrawn and whose blocks touch this time, in the order of time.

        A superset is fine; their conditions are left out.
        """
        ...

    def open_for(self, search: SlotSearch, limit: int, now: datetime) -> Sequence[Slot]:
        """Find open slots, the first to come first. Those held for the person who asks are among them."""
        ...

    def listed(
        self, *, ends_after: datetime, limit: int, therapist: UserId | None = None, after: Slot | None = None
    ) -> Sequence[SlotStanding]:
        """Slots in the order of time, also withdrawn and booked ones; after: the last one of the page before."""
        ...


class Bookings(Protocol):
    """Who has which slot. Of one slot at most one booking is not cancelled."""

    def get(self, number: BookingNumber) -> Booking | None: ...
    def of_slot(self, slot: SlotNumber) -> Booking | None:
        """Find the slot's booking that is not cancelled. Its own row is not held: the slot's is what counts."""
        ...

    def of_slots(self, slots: Collection[SlotNumber]) -> Sequence[Booking]:
        """The bookings of these slots that are booked, in the order of time."""
        ...

    def by_event(self, event_id: EventId) -> Booking | None:
        """Find the booking that this event made, moved or cancelled."""
        ...

    def upcoming(self, person: UserId, now: datetime) -> Sequence[Booking]:
        """The person's booked sessions that are not over, in the order of time."""
        ...

    def missed_since(self, person: UserId, since: datetime) -> int:
        """How many sessions that began after this moment the person missed."""
        ...

    def unsettled(self, ended_before: datetime, limit: int) -> Sequence[Booking]:
        """Booked sessions that ended before this moment, oldest first."""
        ...

    def add(self, booking: Booking, event_id: EventId | None) -> Booking:
        """Keep a new booking; its number is given here. StoreConflict when the slot has another one."""
        ...

    def note_event(self, event_id: EventId, number: BookingNumber) -> None:
        """Keep that this event moved or cancelled the booking."""
        ...

    def keep(self, bookings: Sequence[Booking]) -> None:
        """Keep these bookings as they are now; StoreConflict when a slot would have two."""
        ...

    def listed(self, *, limit: int, before: Booking | None = None) -> Sequence[Booking]:
        """All bookings, the last to come first; before: the last one of the page before."""
        ...

    def of_person(self, person: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What somebody booked, as far as calendars show it, in the order of time."""
        ...

    def with_therapist(self, therapist: UserId, shown: Shown, limit: int) -> Sequence[Booking]:
        """What was booked with somebody, as far as calendars show it, in the order of time."""
        ...

    def used(self, starts_from: datetime, starts_before: datetime) -> Sequence[TherapistWeek]:
        """What became of the slots that begin in this time, by therapist; who has none of them is left out."""
        ...


class CalendarFeeds(Protocol):
    """Secret links to people's own calendars, of which each has at most one. Only keyed hashes are kept."""

    def put(self, person: UserId, secret: str, now: datetime) -> None:
        """Keep that this secret leads to the person's calendar; an earlier one leads nowhere from now on."""
        ...

    def holder_of(self, secret: str) -> UserId | None:
        """Find whose calendar this secret leads to; None: nobody's, or it was revoked."""
        ...

    def revoke(self, person: UserId, now: datetime) -> bool:
        """Let the person's secret lead nowhere; False when there was none."""
        ...


class WaitingList(Protocol):
    """Who waits, and what is being offered. Of one slot, and to one person, at most one offer is open."""

    def get(self, person: UserId) -> Waiting | None: ...
    def put(self, waiting: Waiting) -> None:
        """Keep somebody's preference; whoever is there already keeps place and priority."""
        ...

    def leave(self, person: UserId) -> bool:
        """Forget that somebody waits; False when nobody of this name does."""
        ...

    def set_priority(self, person: UserId, priority: int) -> bool:
        """Keep how urgently the team wants this person seen; False when the person does not wait. Never read back."""
        ...

    def next_for(self, slot: Slot, open_at_most: int, now: datetime) -> UserId | None:
        """Find who is offered this slot: whoever would like it and may book it, by priority, then by how long.

        Nobody who was offered it before or gave it back, who has another open offer, too many sessions, or one at
        that time. One transaction at a time gets past this line.
        """
        ...

    def add_offer(self, slot: SlotNumber, person: UserId, times: OfferTimes) -> Offer:
        """Keep an open offer; its id is given here."""
        ...

    def given_back(self, slot: SlotNumber, person: UserId, now: datetime) -> None:
        """Keep that this person had the slot and is not offered it."""
        ...

    def offer(self, offer_id: OfferId) -> Offer | None:
        """Find an offer; its own row is not held: the slot's is what counts."""
        ...

    def open_offer(self, slot: SlotNumber) -> Offer | None: ...
    def open_offer_to(self, person: UserId) -> Offer | None: ...
    def keep_offer(self, offer: Offer) -> None:
        """Keep the offer as it is now."""
        ...

    def end_offers(self, slots: Collection[SlotNumber], outcome: OfferOutcome, now: datetime) -> None:
        """End the open offers of these slots."""
        ...
