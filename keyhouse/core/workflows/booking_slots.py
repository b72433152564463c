"""What the team does with slots: add one or a series, take some away and see whom it concerns."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.booking import Booking, cancelled
from keyhouse.core.booking_ports import NewSlot
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.cases import may_act
from keyhouse.core.ids import Condition, SlotNumber, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.slots import Conflict, Slot, SlotPlan, by_wall_clock, find_conflicts, may_plan
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.waiting_list import OfferOutcome
from keyhouse.core.workflows import booking_notices
from keyhouse.core.workflows.booking_notices import About


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a plan: the new slots, or every conflict, and then nothing was added."""

    slots: tuple[Slot, ...]
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What became of a withdrawal. affected: bookings that are, or would be, cancelled.  done: False when asked first.

    Each affected person is told, with new times, by a decision of the booking bot.
    """

    slots: tuple[Slot, ...]
    affected: tuple[Booking, ...]
    done: bool


def add_slots(
    tx: Transaction, plan: SlotPlan, known: frozenset[Condition], by: str, rules: BookingRules, now: datetime
) -> Added | Refused:
    """Add every span of a plan, or none. by: the user id of who asks, or a word such as "host"."""
    verdicts = (_may_change(tx, by), may_plan(plan, tx.people.get(plan.therapist), known, now))
    refused = next((verdict for verdict in verdicts if isinstance(verdict, Refused)), None)
    if refused is not None:
        return refused
    blocks = [plan.blocked(span) for span in plan.spans]
    first, last = min(block.starts_at for block in blocks), max(block.ends_at for block in blocks)
    conflicts = find_conflicts(plan, tx.slots.taken(plan.therapist, first, last))
    if conflicts:
        return Added((), tuple(conflicts))
    new = [NewSlot(place, *by_wall_clock(span.starts_at, rules.zone)) for place, span in enumerate(plan.spans)]
    slots = tuple(tx.slots.add_all(plan, new))
    detail: dict[str, str | int] = {"slots": len(slots), "first": slots[0].number, "last": slots[-1].number}
    tx.audit.append("slot.added", actor=by, subject=plan.therapist, detail=detail, now=now)
    return Added(slots)


def withdraw_slots(
    tx: Transaction, numbers: Collection[SlotNumber], by: str, now: datetime, *, even_if_booked: bool = False
) -> Withdrawal | Refused:
    """Withdraw these slots, all or none; when some are booked, first only say which bookings would be cancelled."""
    verdict = _may_change(tx, by)
    if isinstance(verdict, Refused):
        return verdict
    slots = tuple(tx.slots.held(numbers))
    if not slots or len(slots) < len(set(numbers)):
        return Refused(Reason.SLOT_NOT_THERE)
    if any(slot.starts_at <= now for slot in slots):
        return Refused(Reason.SLOT_OVER)
    affected = tuple(tx.bookings.of_slots(numbers))
    if affected and not even_if_booked:
        return Withdrawal(slots, affected, done=False)
    tx.slots.withdraw(numbers, now)
    tx.waiting_list.end_offers(numbers, OfferOutcome.WITHDRAWN, now)
    ended = [cancelled(booking, now) for booking in affected]
    tx.bookings.keep(ended)
    tx.outbox.add_all([booking_notices.to_person(booking, About.WITHDRAWN, now) for booking in ended], now)
    detail: dict[str, str | int] = {"slots": len(slots), "bookings": len(ended)}
    tx.audit.append("slot.withdrawn", actor=by, detail=detail, now=now)
    return Withdrawal(tuple(tx.slots.held(numbers)), tuple(ended), done=True)


def _may_change(tx: Transaction, by: str) -> Verdict:
    return may_act(tx.people.get(UserId(by))) if by.startswith("@") else Allowed()
