"""Therapists' bookable spans of time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, true, union, update

from keyhouse.core.booking_ports import NewSlot, SlotStanding
from keyhouse.core.ids import Condition, SlotNumber, UserId
from keyhouse.core.slots import LONGEST_BLOCK, Mode, Preference, Slot, SlotPlan, SlotSearch, Span
from keyhouse.storage.bookings import NOT_CANCELLED, as_booking
from keyhouse.storage.tables import booking, slot, slot_condition, slot_offer
from keyhouse.storage.waiting_list import OPEN, as_offer
from keyhouse.storage.work import Work

_IN_ORDER = (slot.c.starts_at, slot.c.number)
_BOOKING, _OFFER = "booking_", "offer_"


class SqlSlots:
    """Keeps slots in the table `slot`, and whose keys open them in `slot_condition`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, number: SlotNumber) -> Slot | None:
        """Find a slot by its number."""
        row = self._work.one(select(slot).where(slot.c.number == number))
        return self._slots([row])[0] if row else None

    def held(self, numbers: Collection[SlotNumber]) -> Sequence[Slot]:
        """Return these slots in the order of their numbers, and hold them all."""
        query = select(slot).where(slot.c.number.in_(sorted(numbers))).order_by(slot.c.number)
        return self._slots(self._work.all(query.with_for_update(key_share=True)))

    def add_all(self, plan: SlotPlan, new: Sequence[NewSlot]) -> Sequence[Slot]:
        """Keep the spans of a plan; return the slots with their numbers, in the order of time."""
        in_order = sorted(new, key=lambda one: plan.spans[one.place].starts_at)
        self._work.change(slot.insert(), [_values(plan, one) for one in in_order])
        begins = [plan.blocked(plan.spans[one.place]).starts_at for one in in_order]
        # Their numbers are found by their times, which no other slot of the therapist has.
        added = self._of(plan.therapist, begins[0], begins[-1], slot.c.blocked_from.in_(begins))
        opened = [
            {"slot": row.number, "condition": condition, "starts_at": row.starts_at}
            for row in added
            for condition in sorted(plan.conditions)
        ]
        self._work.change(slot_condition.insert(), opened)
        return [_slot(row, plan.conditions) for row in added]

    def withdraw(self, numbers: Collection[SlotNumber], now: datetime) -> None:
        """Withdraw these slots; one that is withdrawn already keeps its moment."""
        standing = (slot.c.number.in_(sorted(numbers)), slot.c.withdrawn_at.is_(None))
        self._work.change(update(slot).where(*standing).values(withdrawn_at=now))

    def taken(self, therapist: UserId, starts_at: datetime, ends_at: datetime) -> Sequence[Slot]:
        """Slots of the therapist that are not withdrawn and whose blocks touch this time, in the order of time."""
        touching = slot.c.blocked_until >= starts_at
        rows = self._of(therapist, starts_at - LONGEST_BLOCK, ends_at, touching)
        return [_slot(row, frozenset()) for row in rows]

    def open_for(self, search: SlotSearch, limit: int, now: datetime) -> Sequence[Slot]:
        """Find open slots, the first to come first: of each condition the first ones, then the first of all."""
        if not search.conditions:
            return []
        heads = (_heads(search, condition, limit, now).subquery() for condition in sorted(search.conditions))
        first = union(*(select(head) for head in heads)).order_by("starts_at", "slot").limit(limit).subquery()
        query = select(slot).join(first, first.c.slot == slot.c.number).order_by(*_IN_ORDER)
        return self._slots(self._work.all(query))

    def listed(
        self, *, ends_after: datetime, limit: int, therapist: UserId | None = None, after: Slot | None = None
    ) -> Sequence[SlotStanding]:
        """Slots in the order of time, with what stands on them, in two queries."""
        query = _with_standing().where(*_ends_after(ends_after), _later(slot.c.starts_at, slot.c.number, after))
        chosen = query if therapist is None else query.where(slot.c.therapist == therapist)
        rows = self._work.all(chosen.order_by(*_IN_ORDER).limit(limit))
        return [_standing(row, kept) for row, kept in zip(rows, self._slots(rows), strict=True)]

    def _of(
        self, therapist: UserId, earliest: datetime, latest: datetime, which: ColumnElement[bool]
    ) -> Sequence[Row[Any]]:
        its = (slot.c.therapist == therapist, slot.c.withdrawn_at.is_(None))
        within = (slot.c.blocked_from >= earliest, slot.c.blocked_from <= latest)
        return self._work.all(select(slot).where(*its, *within, which).order_by(slot.c.blocked_from))

    def _slots(self, rows: Sequence[Row[Any]]) -> list[Slot]:
        """Add to each slot its conditions, with one query for all of them."""
        if not rows:
            return []
        query = select(slot_condition.c.slot, slot_condition.c.condition)
        conditions: Mapping[int, set[Condition]] = defaultdict(set)
        for row in self._work.all(query.where(slot_condition.c.slot.in_([row.number for row in rows]))):
            conditions[row.slot].add(Condition(row.condition))
        return [_slot(row, frozenset(conditions[row.number])) for row in rows]


def _heads(search: SlotSearch, condition: Condition, limit: int, now: datetime) -> Select[Any]:
    """Return the first open slots of one condition, along the index that has them in the order of time."""
    its, opens = slot_condition.c, (slot_condition.c.condition == condition)
    query = select(its.starts_at, its.slot).join(slot, slot.c.number == its.slot).where(opens)
    times = [its.starts_at > max(search.starts_after, now), _later(its.starts_at, its.slot, search.after)]
    if search.starts_before is not None:
        times.append(its.starts_at < search.starts_before)
    wanted = [*_fitting(search.preference), slot.c.withdrawn_at.is_(None)]
    if search.therapist is not None:
        wanted.append(slot.c.therapist == search.therapist)
    booked = select(booking.c.number).where(booking.c.slot == its.slot, NOT_CANCELLED).exists()
    others = (slot_offer.c.until_at > now, slot_offer.c.person != search.person)
    held = select(slot_offer.c.id).where(slot_offer.c.slot == its.slot, OPEN, *others).exists()
    return query.where(*times, *wanted, ~booked, ~held).order_by(its.starts_at, its.slot).limit(limit)


def _fitting(preference: Preference) -> list[ColumnElement[bool]]:
    in_time = (slot.c.minute >= preference.from_minute, slot.c.minute < preference.until_minute)
    fitting = [slot.c.weekday.in_(sorted(preference.weekdays)), *in_time]
    return fitting if preference.mode is None else [*fitting, slot.c.mode == preference.mode.value]


def _later(starts_at: Any, number: Any, after: Slot | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    at_once = and_(starts_at == after.starts_at, number > after.number)
    # The first half alone would be enough, but the databases find no way along the index from an "or".
    return and_(starts_at >= after.starts_at, or_(starts_at > after.starts_at, at_once))


def _ends_after(moment: datetime) -> tuple[ColumnElement[bool], ...]:
    return slot.c.starts_at > moment - LONGEST_BLOCK, slot.c.ends_at > moment


def _with_standing() -> Select[Any]:
    bookings = [column.label(f"{_BOOKING}{column.name}") for column in booking.c]
    offers = [column.label(f"{_OFFER}{column.name}") for column in slot_offer.c]
    with_booking = slot.outerjoin(booking, and_(booking.c.slot == slot.c.number, NOT_CANCELLED))
    joined = with_booking.outerjoin(slot_offer, and_(slot_offer.c.slot == slot.c.number, OPEN))
    return select(slot, *bookings, *offers).select_from(joined)


def _standing(row: Row[Any], kept: Slot) -> SlotStanding:
    columns = row._mapping
    its_booking = as_booking(columns, _BOOKING) if columns[f"{_BOOKING}number"] is not None else None
    its_offer = as_offer(columns, _OFFER) if columns[f"{_OFFER}id"] is not None else None
    return SlotStanding(kept, its_booking, its_offer)


def _values(plan: SlotPlan, new: NewSlot) -> dict[str, Any]:
    span = plan.spans[new.place]
    blocked = plan.blocked(span)
    return {
        "therapist": plan.therapist,
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
        "mode": plan.mode.value,
        "blocked_from": blocked.starts_at,
        "blocked_until": blocked.ends_at,
        "weekday": new.weekday,
        "minute": new.minute,
    }


def _slot(row: Row[Any], conditions: frozenset[Condition]) -> Slot:
    return Slot(
        number=SlotNumber(row.number),
        therapist=UserId(row.therapist),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        conditions=conditions,
        mode=Mode(row.mode),
        blocked=Span(row.blocked_from, row.blocked_until),
        weekday=row.weekday,
        minute=row.minute,
        withdrawn_at=row.withdrawn_at,
    )
