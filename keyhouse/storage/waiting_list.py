"""Who waits for a slot, and what is being offered."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update

from keyhouse.core.ids import OfferId, SlotNumber, UserId
from keyhouse.core.people import REFERRED_ROLES, PersonState
from keyhouse.core.slots import Mode, Preference, Slot
from keyhouse.core.waiting_list import Offer, OfferOutcome, OfferTimes, Waiting
from keyhouse.storage.bookings import BOOKED
from keyhouse.storage.tables import booking, person, person_key, slot_condition, slot_offer, waiting
from keyhouse.storage.work import Work

OPEN = slot_offer.c.ended_at.is_(None)
_ONE_CHOICE_AT_A_TIME = 0x6B65796A


class SqlWaitingList:
    """Keeps who waits in the table `waiting`, and offers in `slot_offer`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, who: UserId) -> Waiting | None:
        """Find what somebody waits for."""
        row = self._work.one(select(waiting).where(waiting.c.person == who))
        return None if row is None else Waiting(UserId(row.person), _preference(row._mapping), row.since)

    def put(self, new: Waiting) -> None:
        """Keep somebody's preference; whoever is there already keeps place and priority."""
        values = _preferred(new.preference)
        insert = self._work.insert(waiting).values(person=new.person, since=new.since, priority=0, **values)
        self._work.change(insert.on_conflict_do_update(index_elements=[waiting.c.person], set_=values))

    def leave(self, who: UserId) -> bool:
        """Forget that somebody waits."""
        return self._work.change(delete(waiting).where(waiting.c.person == who)) > 0

    def set_priority(self, who: UserId, priority: int) -> bool:
        """Keep how urgently the team wants this person seen."""
        return self._work.change(update(waiting).where(waiting.c.person == who).values(priority=priority)) > 0

    def next_for(self, slot: Slot, open_at_most: int, now: datetime) -> UserId | None:
        """Find who is offered this slot, in one query along the order of the list."""
        self._work.one_at_a_time(_ONE_CHOICE_AT_A_TIME)
        living = (person.c.state != PersonState.CLOSED.value, person.c.role.in_(sorted(REFERRED_ROLES)))
        query = select(waiting.c.person).join(person, person.c.user_id == waiting.c.person).where(*living)
        query = query.where(*_would_like(slot), _has_key(slot, now), *_not_asked(slot))
        query = query.where(*_has_room(slot, open_at_most, now))
        found = self._work.scalar(query.order_by(*_IN_ORDER).limit(1))
        return None if found is None else UserId(found)

    def add_offer(self, slot: SlotNumber, who: UserId, times: OfferTimes) -> Offer:
        """Keep an open offer; its id is given here."""
        new = Offer(OfferId(0), slot, who, times.offered_at, times.until)
        offer_id = self._work.added(slot_offer.insert().values(**_values(new)).returning(slot_offer.c.id))
        return replace(new, id=OfferId(offer_id))

    def given_back(self, slot: SlotNumber, who: UserId, now: datetime) -> None:
        """Keep that this person had the slot and is not offered it."""
        ended = Offer(OfferId(0), slot, who, now, now, None, now, OfferOutcome.GIVEN_BACK)
        self._work.change(slot_offer.insert().values(**_values(ended)))

    def offer(self, offer_id: OfferId) -> Offer | None:
        """Find an offer."""
        return self._one(select(slot_offer).where(slot_offer.c.id == offer_id))

    def open_offer(self, slot: SlotNumber) -> Offer | None:
        """Find the open offer of a slot."""
        return self._one(select(slot_offer).where(slot_offer.c.slot == slot, OPEN))

    def open_offer_to(self, who: UserId) -> Offer | None:
        """Find what is being offered to somebody."""
        return self._one(select(slot_offer).where(slot_offer.c.person == who, OPEN))

    def keep_offer(self, offer: Offer) -> None:
        """Keep the offer as it is now."""
        self._work.change(update(slot_offer).where(slot_offer.c.id == offer.id).values(**_values(offer)))

    def end_offers(self, slots: Collection[SlotNumber], outcome: OfferOutcome, now: datetime) -> None:
        """End the open offers of these slots."""
        theirs = update(slot_offer).where(slot_offer.c.slot.in_(sorted(slots)), OPEN)
        self._work.change(theirs.values(ended_at=now, outcome=outcome.value))

    def _one(self, query: Select[Any]) -> Offer | None:
        rows = self._work.all(query)
        return as_offer(rows[0]._mapping) if rows else None


_IN_ORDER = (waiting.c.priority.desc(), waiting.c.since, waiting.c.person)


def _would_like(slot: Slot) -> tuple[ColumnElement[bool], ...]:
    day = waiting.c.weekdays.op("&")(1 << slot.weekday) != 0
    in_time = (waiting.c.from_minute <= slot.minute, waiting.c.until_minute > slot.minute)
    return day, *in_time, or_(waiting.c.mode.is_(None), waiting.c.mode == slot.mode.value)


def _has_key(slot: Slot, now: datetime) -> ColumnElement[bool]:
    good = (person_key.c.revoked_at.is_(None), or_(person_key.c.expires_at.is_(None), person_key.c.expires_at > now))
    opens = (slot_condition.c.slot == slot.number, slot_condition.c.condition == person_key.c.condition)
    joined = select(person_key.c.id).join(slot_condition, opens[1])
    return joined.where(person_key.c.person == waiting.c.person, *good, opens[0]).exists()


def _not_asked(slot: Slot) -> tuple[ColumnElement[bool], ...]:
    asked = select(slot_offer.c.id).where(slot_offer.c.person == waiting.c.person)
    return ~asked.where(slot_offer.c.slot == slot.number).exists(), ~asked.where(OPEN).exists()


def _has_room(slot: Slot, open_at_most: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    theirs = (booking.c.person == waiting.c.person, BOOKED, booking.c.ends_at > now)
    count = select(func.count()).select_from(booking).where(*theirs).scalar_subquery()
    overlap = (booking.c.starts_at < slot.ends_at, booking.c.ends_at > slot.starts_at)
    return count < open_at_most, ~select(booking.c.number).where(*theirs, *overlap).exists()


def _preferred(preference: Preference) -> dict[str, Any]:
    return {
        "weekdays": sum(1 << day for day in preference.weekdays),
        "from_minute": preference.from_minute,
        "until_minute": preference.until_minute,
        "mode": preference.mode.value if preference.mode else None,
    }


def _preference(columns: Mapping[Any, Any]) -> Preference:
    days = frozenset(day for day in range(7) if columns["weekdays"] >> day & 1)
    mode = Mode(columns["mode"]) if columns["mode"] else None
    return Preference(days, columns["from_minute"], columns["until_minute"], mode)


def as_offer(columns: Mapping[Any, Any], prefix: str = "") -> Offer:
    """Read an offer from the columns of a row; prefix: before the name of each."""
    outcome = columns[f"{prefix}outcome"]
    return Offer(
        id=OfferId(columns[f"{prefix}id"]),
        slot=SlotNumber(columns[f"{prefix}slot"]),
        person=UserId(columns[f"{prefix}person"]),
        offered_at=columns[f"{prefix}offered_at"],
        until=columns[f"{prefix}until_at"],
        told_at=columns[f"{prefix}told_at"],
        ended_at=columns[f"{prefix}ended_at"],
        outcome=OfferOutcome(outcome) if outcome else None,
    )


def _values(of: Offer) -> dict[str, Any]:
    return {
        "slot": of.slot,
        "person": of.person,
        "offered_at": of.offered_at,
        "until_at": of.until,
        "told_at": of.told_at,
        "ended_at": of.ended_at,
        "outcome": of.outcome.value if of.outcome else None,
    }
