"""Calendar links, what they show and the week's figures are kept alike in memory, on SQLite and on PostgreSQL."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from keyhouse.core.booking import Booking, BookingState, cancelled, moved, settled
from keyhouse.core.calendars import Shown, shown_at
from keyhouse.core.ids import BookingNumber, SlotNumber
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.utilisation import Outcomes, TherapistWeek, Utilisation
from keyhouse.storage.errors import StoreConflict
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.support.household import A_SECOND, NOW, user
from tests.support.therapy import DAY, DR, FIFTY_MIN, HOUR, add, furnish, plan

RIVER, CLOVER = user("river"), user("clover")
SECRET = "a-canary-that-leads-to-a-calendar"


@pytest.fixture
def house(store: Store) -> Store:
    """A house with two therapists and six patients."""
    furnish(store, "river", "clover", "fern", "moss", "birch", "heath")
    return store


def _give(tx: Transaction, number: SlotNumber, who: str = "river") -> Booking:
    slot = tx.slots.get(number)
    assert slot is not None
    times = (slot.starts_at, slot.ends_at, NOW)
    return tx.bookings.add(Booking(BookingNumber(0), number, user(who), BookingState.BOOKED, *times), None)


def _of_river(store: Store, shown: Shown, limit: int = 9) -> Sequence[Booking]:
    with store.reading() as tx:
        mine, theirs = tx.bookings.of_person(RIVER, shown, limit), tx.bookings.with_therapist(DR, shown, limit)
    assert mine == theirs
    return mine


def test_a_secret_leads_to_one_persons_calendar_until_it_is_revoked(house: Store) -> None:
    with house.writing() as tx:
        tx.calendar_feeds.put(RIVER, SECRET, NOW)
        tx.calendar_feeds.put(CLOVER, "another", NOW)

    with house.writing() as tx:
        found = [tx.calendar_feeds.holder_of(secret) for secret in (SECRET, "another", "", "unknown")]
        was_open = [tx.calendar_feeds.revoke(RIVER, NOW) for _ in range(2)]
    with house.reading() as tx:
        after = [tx.calendar_feeds.holder_of(secret) for secret in (SECRET, "another")]
    assert found == [RIVER, CLOVER, None, None]
    assert (was_open, after) == ([True, False], [None, CLOVER])


def test_a_new_secret_ends_the_one_before_and_opens_what_was_revoked(house: Store) -> None:
    with house.writing() as tx:
        tx.calendar_feeds.put(RIVER, "first", NOW)
        tx.calendar_feeds.put(RIVER, "second", NOW)
    with house.reading() as tx:
        found = [tx.calendar_feeds.holder_of(secret) for secret in ("first", "second")]
    with house.writing() as tx:
        tx.calendar_feeds.revoke(RIVER, NOW)
        tx.calendar_feeds.put(RIVER, "third", NOW + HOUR)

    with house.reading() as tx:
        again = [tx.calendar_feeds.holder_of(secret) for secret in ("first", "second", "third")]
    assert (found, again) == ([None, RIVER], [None, None, RIVER])


def test_one_secret_never_leads_to_two_people(house: Store) -> None:
    with house.writing() as tx:
        tx.calendar_feeds.put(RIVER, SECRET, NOW)

    with pytest.raises(StoreConflict), house.writing() as tx:
        tx.calendar_feeds.put(CLOVER, SECRET, NOW)


def test_the_secret_itself_is_nowhere_in_the_database(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    furnish(store, "river")
    with store.writing() as tx:
        tx.calendar_feeds.put(RIVER, SECRET, NOW)
    store.close()

    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"@river" in kept
    assert SECRET.encode() not in kept


def test_a_link_outlives_a_new_seal(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    furnish(store, "river")
    with store.writing() as tx:
        tx.calendar_feeds.put(RIVER, SECRET, NOW)
    store.close()

    again = open_store(sqlite_url, house_keys.rotating().rotated())
    with again.reading() as tx:
        assert tx.calendar_feeds.holder_of(SECRET) == RIVER
    again.close()


def test_a_calendar_shows_what_its_holder_has_in_the_order_of_time(house: Store) -> None:
    one, two, other = add(house, plan(NOW + 2 * DAY, NOW + DAY, NOW + 3 * DAY))
    (elsewhere,) = add(house, plan(NOW + DAY, therapist="dr-b"))
    with house.writing() as tx:
        mine = [_give(tx, number) for number in (one, two)]
        clovers, with_b = _give(tx, other, "clover"), _give(tx, elsewhere, "clover")

    with house.reading() as tx:
        shown = shown_at(NOW)
        found = tx.bookings.of_person(RIVER, shown, 9), tx.bookings.with_therapist(DR, shown, 9)
        others = tx.bookings.of_person(CLOVER, shown, 9), tx.bookings.with_therapist(user("dr-b"), shown, 9)
        nobody = tx.bookings.of_person(DR, shown, 9), tx.bookings.with_therapist(RIVER, shown, 9)
        first = tx.bookings.of_person(RIVER, shown, 1), tx.bookings.with_therapist(DR, shown, 1)
    assert found == (mine, [*mine, clovers])
    assert others == ([with_b, clovers], [with_b])
    assert nobody == ([], [])
    assert first == (mine[:1], mine[:1])


@pytest.mark.parametrize(
    ("now", "is_shown"),
    [
        (NOW - 364 * DAY + A_SECOND, True),
        (NOW - 364 * DAY, False),
        (NOW + 31 * DAY + FIFTY_MIN - A_SECOND, True),
        (NOW + 31 * DAY + FIFTY_MIN, False),
    ],
)
def test_a_session_is_shown_from_a_year_before_until_thirty_days_after(
    house: Store, now: datetime, is_shown: bool
) -> None:
    (number,) = add(house, plan(NOW + DAY))
    with house.writing() as tx:
        given = _give(tx, number)

    assert _of_river(house, shown_at(now)) == ([given] if is_shown else [])


@pytest.mark.parametrize("state", [BookingState.KEPT, BookingState.MISSED])
def test_a_session_that_is_over_is_shown_whatever_became_of_it(house: Store, state: BookingState) -> None:
    (number,) = add(house, plan(NOW + DAY))
    with house.writing() as tx:
        over = settled(_give(tx, number), state, NOW + 2 * DAY)
        tx.bookings.keep([over])

    assert _of_river(house, shown_at(NOW + 29 * DAY)) == [over]


def test_a_cancelled_session_is_shown_for_thirty_days_also_when_its_slot_was_withdrawn(house: Store) -> None:
    (number,) = add(house, plan(NOW + 90 * DAY))
    with house.writing() as tx:
        gone = cancelled(_give(tx, number), NOW)
        tx.bookings.keep([gone])
        tx.slots.withdraw([number], NOW)

    assert _of_river(house, shown_at(NOW + 30 * DAY - A_SECOND)) == [gone]
    assert _of_river(house, shown_at(NOW + 30 * DAY)) == []


def test_a_moved_session_leaves_the_calendar_of_the_therapist_whom_it_left(house: Store) -> None:
    (here,) = add(house, plan(NOW + DAY))
    (there,) = add(house, plan(NOW + 2 * DAY, therapist="dr-b"))
    with house.writing() as tx:
        slot = tx.slots.get(there)
        assert slot is not None
        gone = moved(_give(tx, here), slot, late=False)
        tx.bookings.keep([gone])

    with house.reading() as tx:
        found = [tx.bookings.with_therapist(who, shown_at(NOW), 9) for who in (DR, user("dr-b"))]
    assert found == [[], [gone]]


def test_the_weeks_figures_count_slots_by_therapist(house: Store) -> None:
    numbers = add(house, plan(*[NOW + hour * HOUR for hour in range(1, 8)]))
    add(house, plan(NOW + HOUR, therapist="dr-b"))
    add(house, plan(NOW + 7 * DAY))
    with house.writing() as tx:
        given = [
            _give(tx, number, who) for number, who in zip(numbers, ("river", "clover", "fern", "moss"), strict=False)
        ]
        tx.bookings.keep([settled(given[0], BookingState.KEPT, NOW), settled(given[1], BookingState.MISSED, NOW)])
        tx.bookings.keep([cancelled(given[2], NOW, late=True), cancelled(given[3], NOW)])
        # Given back late by one, had by another: one slot, two people.
        _give(tx, numbers[2], "birch")
        _give(tx, numbers[4], "river")
        tx.slots.withdraw(numbers[6:], NOW)

    with house.reading() as tx:
        found = tx.bookings.used(NOW, NOW + 7 * DAY)
        nothing = tx.bookings.used(NOW - 7 * DAY, NOW)
    assert found == [
        TherapistWeek(DR, Utilisation(6, 4, Outcomes(kept=1, missed=1, cancelled_late=1), people=4)),
        TherapistWeek(user("dr-b"), Utilisation(1, 0, Outcomes(0, 0, 0), people=0)),
    ]
    assert nothing == []


def test_a_slot_counts_for_the_week_in_which_it_begins(house: Store) -> None:
    add(house, plan(NOW + 7 * DAY - A_SECOND, NOW + 14 * DAY))
    add(house, replace(plan(NOW + 7 * DAY), therapist=user("dr-b")))

    with house.reading() as tx:
        weeks = [tx.bookings.used(NOW + place * 7 * DAY, NOW + (place + 1) * 7 * DAY) for place in range(3)]
    assert [[week.therapist for week in one] for one in weeks] == [[DR], [user("dr-b")], [DR]]


def test_no_calendar_and_no_figure_walks_through_a_whole_table(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    furnish(store, "river")
    asked: list[tuple[str, object]] = []
    engine = store._engines.reading
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, bound, *_: asked.append((statement, bound)))
    with store.reading() as tx:
        tx.calendar_feeds.holder_of(SECRET)
        tx.bookings.of_person(RIVER, shown_at(NOW), 9)
        tx.bookings.with_therapist(DR, shown_at(NOW), 9)
        tx.bookings.used(NOW, NOW + 7 * DAY)
    store.close()

    steps = [_plan(sqlite_url, *one) for one in asked if one[0].startswith(("SELECT", "WITH"))]

    assert len(steps) == 4
    walks = [step for plan in steps for step in plan if step.startswith("SCAN")]
    # The last one goes through what it found of the week.
    assert walks == ["SCAN week"]
    expected = ["secret_hash=", "person=. AND ends_at>", "therapist=. AND starts_at>", "starts_at>. AND starts_at<"]
    assert [bool(re.search(way, " ".join(plan))) for way, plan in zip(expected, steps, strict=True)] == [True] * 4


def _plan(url: str, statement: str, bound: object) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound).all()  # type: ignore[arg-type]
    engine.dispose()
    return [str(step.detail) for step in found]
