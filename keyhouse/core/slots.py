"""A therapist's bookable spans of time: which may be added, which stand in each other's way, in what state each is."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from keyhouse.core.ids import Condition, SlotNumber, UserId
from keyhouse.core.people import TEAM_ROLES, Person, PersonState
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

MOST_AT_ONCE = 200
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=8)
LONGEST_BUFFER = timedelta(hours=4)
FURTHEST = timedelta(days=2 * 366)
LONGEST_BLOCK = LONGEST + 2 * LONGEST_BUFFER
"""A slot with its buffers is never longer."""

EVERY_DAY = frozenset(range(7))
WHOLE_DAY_MIN = 24 * 60


class Mode(StrEnum):
    """Where a session is held."""

    ONLINE = "online"
    IN_PERSON = "in_person"


class SlotState(StrEnum):
    """What may be done with a slot now; worked out, never kept."""

    OPEN = "open"
    HELD = "held"
    BOOKED = "booked"
    WITHDRAWN = "withdrawn"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment to a later one, both UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """Slots that somebody wants to add, all or none. conditions: whose keys open them.

    before, after: buffer times, in which the therapist has no other slot either.
    """

    therapist: UserId
    conditions: frozenset[Condition]
    mode: Mode
    spans: tuple[Span, ...]
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)

    def blocked(self, span: Span) -> Span:
        """Return the time that this span takes from the therapist, with its buffers."""
        return Span(span.starts_at - self.before, span.ends_at + self.after)


@dataclass(frozen=True, slots=True)
class Slot:
    """A kept slot. number: what people type; never given twice.  blocked: with its buffers.

    weekday, minute: of the start by the wall clock, Monday is 0, minutes since midnight.
    """

    number: SlotNumber
    therapist: UserId
    starts_at: datetime
    ends_at: datetime
    conditions: frozenset[Condition]
    mode: Mode
    blocked: Span
    weekday: int
    minute: int
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preference:
    """When somebody would like to come. from_minute, until_minute: of the start by the wall clock, the last excluded.

    weekdays: Monday is 0.  mode: None is both.
    """

    weekdays: frozenset[int] = EVERY_DAY
    from_minute: int = 0
    until_minute: int = WHOLE_DAY_MIN
    mode: Mode | None = None

    def fits(self, slot: Slot) -> bool:
        """Say whether this slot is what somebody would like."""
        in_time = slot.weekday in self.weekdays and self.from_minute <= slot.minute < self.until_minute
        return in_time and self.mode in (None, slot.mode)


ANY_TIME = Preference()


@dataclass(frozen=True, slots=True)
class SlotSearch:
    """Which open slots are asked for. conditions: the person's held ones; empty finds nothing.

    starts_after, starts_before: UTC, both excluded.  after: the last one of the page before.
    """

    person: UserId
    conditions: frozenset[Condition]
    starts_after: datetime
    starts_before: datetime | None = None
    preference: Preference = ANY_TIME
    therapist: UserId | None = None
    after: Slot | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A wanted span that cannot be added. taken_by: the slot in its way; None: another span of the same plan."""

    wanted: Span
    taken_by: Slot | None


def may_plan(plan: SlotPlan, therapist: Person | None, known: frozenset[Condition], now: datetime) -> Verdict:
    """Decide whether slots like these may be added at all; whether they stand in each other's way is asked apart."""
    if therapist is None or therapist.role not in TEAM_ROLES or therapist.state is not PersonState.ACTIVE:
        return Refused(Reason.NOT_A_THERAPIST)
    if not plan.conditions:
        return Refused(Reason.CONDITION_MISSING)
    if plan.conditions - known:
        return Refused(Reason.CONDITION_UNKNOWN)
    return _may_be_when(plan, now)


def _may_be_when(plan: SlotPlan, now: datetime) -> Verdict:
    if not 1 <= len(plan.spans) <= MOST_AT_ONCE:
        return Refused(Reason.SERIES_TOO_LONG if plan.spans else Reason.SERIES_EMPTY)
    lengths = (span.ends_at - span.starts_at for span in plan.spans)
    buffers = (plan.before, plan.after)
    fitting = all(SHORTEST <= length <= LONGEST for length in lengths)
    if not fitting or not all(timedelta(0) <= buffer <= LONGEST_BUFFER for buffer in buffers):
        return Refused(Reason.SLOT_LENGTH)
    if any(span.starts_at <= now for span in plan.spans):
        return Refused(Reason.TIME_PAST)
    far = any(span.starts_at > now + FURTHEST for span in plan.spans)
    return Refused(Reason.TIME_TOO_FAR) if far else Allowed()


def find_conflicts(plan: SlotPlan, taken: Sequence[Slot]) -> list[Conflict]:
    """Find every wanted span that stands in the way of a kept slot or of an earlier span, in the order of time.

    taken: the therapist's slots that are not withdrawn, which never overlap. Blocks that only touch are no conflict.
    """
    blocks = sorted((slot.blocked.starts_at, slot.blocked.ends_at, slot.number, slot) for slot in taken)
    begins, ends = [block[0] for block in blocks], [block[1] for block in blocks]
    conflicts: list[Conflict] = []
    last: Span | None = None
    for span in sorted(plan.spans, key=lambda span: span.starts_at):
        wanted = plan.blocked(span)
        in_the_way = blocks[bisect_right(ends, wanted.starts_at) : bisect_left(begins, wanted.ends_at)]
        conflicts += [Conflict(span, block[3]) for block in in_the_way]
        if last is not None and wanted.starts_at < last.ends_at:
            conflicts.append(Conflict(span, None))
        last = wanted if last is None or wanted.ends_at > last.ends_at else last
    return conflicts


def by_wall_clock(moment: datetime, zone: tzinfo) -> tuple[int, int]:
    """Return weekday, Monday is 0, and minutes since midnight that are shown in this zone."""
    local = moment.astimezone(zone)
    return local.weekday(), local.hour * 60 + local.minute


def may_want(preference: Preference) -> Verdict:
    """Decide whether any slot could be what somebody would like."""
    minutes = 0 <= preference.from_minute < preference.until_minute <= WHOLE_DAY_MIN
    possible = preference.weekdays and preference.weekdays <= EVERY_DAY and minutes
    return Allowed() if possible else Refused(Reason.PREFERENCE_EMPTY)


def state_of(slot: Slot, *, booked: bool, held_until: datetime | None, now: datetime) -> SlotState:
    """Say in what state a slot is. held_until: of its open offer, None without one; in its last moment it is over.

    A booked slot is booked until its end; an unbooked one is over when it has begun, because nobody can book it.
    """
    if slot.withdrawn_at is not None:
        return SlotState.WITHDRAWN
    if now >= (slot.ends_at if booked else slot.starts_at):
        return SlotState.OVER
    if booked:
        return SlotState.BOOKED
    return SlotState.HELD if held_until is not None and now < held_until else SlotState.OPEN
