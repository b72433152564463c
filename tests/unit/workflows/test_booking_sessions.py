"""What became of a session: a missed one is met with care, the second one with a gentle case."""

from datetime import datetime

import pytest

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.cases import Case
from keyhouse.core.ids import SlotNumber, UserId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import PersonState
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.booking_sessions import keep_what_is_over, mark_kept, mark_missed
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, NOW, desk, user
from tests.support.therapy import DAY, DR, HOUR, RULES, add, book, cancel, furnish, leaving, plan

RIVER = user("river")
LATER = NOW + 30 * DAY


@pytest.fixture
def house() -> MemoryStore:
    """River has slots 1 and 2, a day and two from now; slot 3 comes 91 days after the first, slot 4 a day before."""
    store = MemoryStore()
    furnish(store, "river")
    add(store, plan(*[NOW + days * DAY for days in (1, 2, 90, 92)]))
    book(store, "river", 1)
    book(store, "river", 2)
    return store


def missed(store: MemoryStore, number: int, now: datetime = LATER, by: UserId = DR) -> Booking | Refused:
    """Say that nobody came."""
    with store.writing() as tx:
        return mark_missed(tx, SlotNumber(number), by, RULES, now)


def cases(store: MemoryStore) -> list[Case]:
    """All cases."""
    with store.reading() as tx:
        return list(tx.cases.listed(only_open=False, limit=9))


def told(store: MemoryStore) -> list[object]:
    """What the booking bot tells people about missed sessions."""
    with store.reading() as tx:
        return [row.content["about"] for row in leaving(tx, OutgoingKind.BOOKING_NOTICE)]


def test_the_first_time_somebody_is_told_that_they_were_missed(house: MemoryStore) -> None:
    booking = missed(house, 1)

    assert isinstance(booking, Booking)
    assert (booking.state, booking.ended_at) == (BookingState.MISSED, LATER)
    assert (told(house), cases(house)) == (["missed"], [])


def test_the_second_time_the_team_gets_a_gentle_case_and_nobody_is_barred(house: MemoryStore) -> None:
    missed(house, 1)
    missed(house, 2)

    (case,) = cases(house)

    assert (case.author, case.urgency, len(case.alerts)) == (RIVER, Urgency.WATCH, 1)
    assert (case.alerts[0].category, case.alerts[0].room_id) == ("missed_sessions", desk("river").room_id)
    with house.reading() as tx:
        kinds = {row.kind for row in tx.outbox.due(Worker.RISK_MONITOR, LATER, 99)}
        person = tx.people.get(RIVER)
        assert tx.audit.verify().ok
    assert kinds == {OutgoingKind.CARE_CARD}
    assert told(house) == ["missed", "missed"]
    assert person is not None
    assert person.state is PersonState.ACTIVE
    assert isinstance(book(house, "river", 3, now=LATER), Booking)


@pytest.mark.parametrize(("second", "gentle"), [(3, True), (4, False)], ids=["after 89 days", "after 91 days"])
def test_what_was_missed_long_ago_does_not_count(house: MemoryStore, second: int, gentle: bool) -> None:
    missed(house, 1)
    cancel(house, "river", 2)
    then = NOW + (90 if second == 3 else 92) * DAY
    book(house, "river", second, now=LATER)

    missed(house, second, then)

    assert (len(cases(house)) == 1) is gentle


def test_saying_it_twice_changes_nothing(house: MemoryStore) -> None:
    first = missed(house, 1)

    assert missed(house, 1, LATER + HOUR) == first
    assert (told(house), cases(house)) == (["missed"], [])


def test_what_was_marked_by_mistake_is_put_right(house: MemoryStore) -> None:
    missed(house, 1)
    with house.writing() as tx:
        kept = mark_kept(tx, SlotNumber(1), DR, LATER)
        assert mark_kept(tx, SlotNumber(1), DR, LATER + HOUR) == kept
    missed(house, 2)

    assert isinstance(kept, Booking)
    assert kept.state is BookingState.KEPT
    assert cases(house) == []


@pytest.mark.parametrize(
    ("number", "by", "now", "reason"),
    [
        (1, RIVER, LATER, Reason.NOT_THE_TEAM),
        (1, DR, NOW + DAY - A_SECOND, Reason.BOOKING_NOT_BEGUN),
        (3, DR, NOW + 200 * DAY, Reason.SLOT_NOT_BOOKED),
        (9, DR, LATER, Reason.SLOT_NOT_BOOKED),
    ],
    ids=["a patient", "not begun", "not booked", "no such slot"],
)
def test_what_cannot_be_said_changes_nothing(
    house: MemoryStore, number: int, by: UserId, now: datetime, reason: Reason
) -> None:
    assert missed(house, number, now, by) == Refused(reason)
    assert isinstance(missed(house, 1, NOW + DAY), Booking)


def test_what_nobody_spoke_about_for_a_week_was_kept(house: MemoryStore) -> None:
    with house.writing() as tx:
        before = keep_what_is_over(tx, RULES, NOW + DAY + HOUR * 5 / 6 + 7 * DAY)
        first = keep_what_is_over(tx, RULES, NOW + DAY + HOUR * 5 / 6 + 7 * DAY + A_SECOND)
        rest = [keep_what_is_over(tx, RULES, LATER, limit=1) for _ in range(2)]

    with house.reading() as tx:
        states = [booking.state for booking in tx.bookings.listed(limit=9)]
    assert (before, first, rest) == (0, 1, [1, 0])
    assert states == [BookingState.KEPT, BookingState.KEPT]
