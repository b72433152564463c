"""Slots, people who book them and the rules they live by, for tests of booking."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import BookingNumber, Condition, EventId, SlotNumber
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.slots import Mode, Preference, Slot, SlotPlan, Span, by_wall_clock
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows import booking
from keyhouse.core.workflows.booking_slots import Added, add_slots
from tests.support.household import ANOREXIA, KNOWN, NOW, care_room, desk, key, living_room, person, user

ANY = Preference()
LONDON = ZoneInfo("Europe/London")
RULES = BookingRules(LONDON)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIFTY_MIN = timedelta(minutes=50)
DR = user("dr-a")
FAR_AWAY = NOW + 800 * DAY


def span(starts_at: datetime, lasts: timedelta = FIFTY_MIN) -> Span:
    """A session that begins at this moment."""
    return Span(starts_at, starts_at + lasts)


def plan(
    *starts: datetime,
    therapist: str = "dr-a",
    conditions: Sequence[Condition] = (ANOREXIA,),
    mode: Mode = Mode.ONLINE,
    before: timedelta = timedelta(0),
    after: timedelta = timedelta(0),
) -> SlotPlan:
    """A plan of sessions of fifty minutes."""
    spans = tuple(span(start) for start in starts)
    return SlotPlan(user(therapist), frozenset(conditions), mode, spans, before, after)


def slot(number: int, starts_at: datetime, conditions: Sequence[Condition] = (ANOREXIA,)) -> Slot:
    """A kept slot of the therapist's, online, without buffers."""
    its = span(starts_at)
    opened = frozenset(conditions)
    clock = by_wall_clock(starts_at, LONDON)
    return Slot(SlotNumber(number), DR, its.starts_at, its.ends_at, opened, Mode.ONLINE, its, *clock)


def booked(number: int, of: Slot, by: str = "river", state: BookingState = BookingState.BOOKED) -> Booking:
    """A booking of this slot."""
    ended = None if state is BookingState.BOOKED else NOW
    times = (of.starts_at, of.ends_at, NOW)
    return Booking(BookingNumber(number), of.number, user(by), state, *times, ended_at=ended)


def furnish(store: Store, *names: str) -> None:
    """Put a care room, a living room, two therapists and these patients, each with a desk, into the house."""
    with store.writing() as tx:
        for scope in (care_room(), living_room(ANOREXIA)):
            tx.rooms.put(scope)
        for doctor in ("dr-a", "dr-b"):
            tx.people.add(person(doctor, Role.CLINICIAN))
        for name in names:
            tx.people.add(person(name))
            tx.people.grant(key(name, ANOREXIA))
            tx.rooms.put(desk(name))


def add(store: Store, wanted: SlotPlan, now: datetime = NOW) -> list[SlotNumber]:
    """Add the slots of a plan, which must be possible."""
    with store.writing() as tx:
        added = add_slots(tx, wanted, KNOWN, "host", RULES, now)
    assert isinstance(added, Added)
    assert added.conflicts == ()
    return [one.number for one in added.slots]


def book(
    store: Store, name: str, number: int, event: str = "", now: datetime = NOW, rules: BookingRules = RULES
) -> Booking | Refused:
    """Book as this person, by an event that is this one's own if none is named."""
    with store.writing() as tx:
        return booking.book(tx, user(name), SlotNumber(number), _event(event, "book", name, number), rules, now)


def cancel(store: Store, name: str, number: int, event: str = "", now: datetime = NOW) -> Booking | Refused:
    """Give a session back as this person."""
    with store.writing() as tx:
        return booking.cancel(tx, user(name), SlotNumber(number), _event(event, "cancel", name, number), RULES, now)


def move(store: Store, name: str, there: int, to: int, event: str = "", now: datetime = NOW) -> Booking | Refused:
    """Move a session as this person."""
    numbers = (SlotNumber(there), SlotNumber(to))
    with store.writing() as tx:
        return booking.move(tx, user(name), numbers, _event(event, "move", name, to), RULES, now)


def leaving(tx: Transaction, *kinds: OutgoingKind) -> list[Outgoing]:
    """What the booking bot has to do, ever."""
    return [row for row in tx.outbox.due(Worker.BOOKING, FAR_AWAY, 9999) if row.kind in (kinds or OutgoingKind)]


def utc(*moment: int) -> datetime:
    """A moment in UTC."""
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc, arg-type]


def _event(named: str, did: str, name: str, number: int) -> EventId:
    return EventId(f"${named or f'{did}-{name}-{number}'}")
