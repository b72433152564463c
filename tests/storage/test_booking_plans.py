"""Ten thousand open slots, and no look at booking walks through all of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, event

from keyhouse.core.booking import Booking, settled
from keyhouse.core.booking import BookingState as State
from keyhouse.core.ids import EventId, SlotNumber
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.slots import Preference, SlotSearch, Span
from keyhouse.core.workflows import booking, booking_offers
from keyhouse.core.workflows.booking_sessions import keep_what_is_over, mark_missed
from keyhouse.core.workflows.booking_slots import add_slots, withdraw_slots
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from tests.support.household import ANOREXIA, BULIMIA, KNOWN, NOW, PERINATAL, user
from tests.support.therapy import ANY, DAY, DR, HOUR, RULES, add, book, furnish, plan

RIVER, CLOVER = user("river"), user("clover")
Asked = list[tuple[str, object]]

# The list of those who wait is walked in its own order and left at the first who fits.
IN_ORDER = (
    r"SCAN waiting USING( COVERING)? INDEX ix_waiting_order|SCAN (\(|first|anon|CONSTANT|\d+-ROW|heartbeat|alarm)"
)


@pytest.fixture
def asked() -> Iterator[Asked]:
    """Every statement that is run from here on, with what was bound to it."""
    statements: Asked = []

    def note(_connection: object, _cursor: object, statement: str, bound: object, *_more: object) -> None:
        statements.append((statement, bound))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def _fill(store: Store, count: int = 10_000) -> None:
    """Add many slots, 200 at a time, of two therapists and three conditions."""
    furnish(store, "river", "clover")
    length = timedelta(minutes=30)
    with store.writing() as tx:
        for place in range(0, count, 200):
            starts = [NOW + HOUR + (place + more) * length for more in range(200)]
            spans = tuple(Span(start, start + length) for start in starts)
            opened = frozenset({(ANOREXIA, BULIMIA, PERINATAL)[place // 200 % 3]})
            wanted = replace(plan(NOW + DAY), spans=spans, conditions=opened)
            add_slots(tx, wanted, KNOWN, "host", RULES, NOW)


def _use(store: Store) -> None:
    """Do everything that is done about booking."""
    with store.writing() as tx:
        _book(tx)
    with store.writing() as tx:
        booking_offers.join(tx, CLOVER, ANY, NOW)
        booking_offers.set_priority(tx, CLOVER, 2, DR, NOW)
        booking.cancel(tx, RIVER, SlotNumber(5), EventId("$4"), RULES, NOW)
        offer = tx.waiting_list.open_offer(SlotNumber(5))
        assert offer is not None
        booking_offers.present_offer(tx, offer.id, RULES, NOW)
        booking_offers.decline(tx, CLOVER, offer.slot, RULES, NOW)
        booking_offers.lapse_offer(tx, offer.id, RULES, NOW)
        booking_offers.leave(tx, CLOVER, RULES, NOW)
        withdraw_slots(tx, [SlotNumber(7), SlotNumber(8)], "host", NOW, even_if_booked=True)
        mark_missed(tx, SlotNumber(1), DR, RULES, NOW + DAY)
        keep_what_is_over(tx, RULES, NOW + 99 * DAY)
        booking.give_back_all(tx, RIVER, RULES, NOW)
    with store.reading() as tx:
        _look(tx)


def _book(tx: Transaction) -> None:
    booking.book(tx, RIVER, SlotNumber(1), EventId("$1"), RULES, NOW)
    booking.book(tx, RIVER, SlotNumber(3), EventId("$2"), RULES, NOW)
    booking.move(tx, RIVER, (SlotNumber(3), SlotNumber(5)), EventId("$3"), RULES, NOW)


def _look(tx: Transaction) -> None:
    everything = frozenset({ANOREXIA, BULIMIA})
    first = tx.slots.open_for(SlotSearch(RIVER, everything, NOW), 8, NOW)
    search = SlotSearch(RIVER, everything, NOW, NOW + 9 * DAY, Preference(frozenset({1}), 600, 900), DR, first[-1])
    tx.slots.open_for(search, 8, NOW)
    tx.slots.listed(ends_after=NOW, limit=9, after=first[-1])
    tx.slots.listed(ends_after=NOW, limit=9, therapist=DR)
    kept = tx.bookings.listed(limit=9)
    tx.bookings.listed(limit=9, before=kept[0])
    tx.bookings.of_slots([SlotNumber(1), SlotNumber(2)])
    tx.bookings.missed_since(RIVER, NOW)


def test_nothing_about_booking_walks_through_a_whole_table(
    sqlite_url: str, house_keys: HouseKeys, asked: Asked
) -> None:
    store = open_store(sqlite_url, house_keys)
    _fill(store, 400)
    asked.clear()
    _use(store)
    store.close()
    tables = r"(slot|slot_condition|booking|booking_event|waiting|slot_offer)\b"
    statements = [one for one in asked if re.match(rf"(SELECT|UPDATE|DELETE)[\s\S]*(FROM|UPDATE) {tables}", one[0])]

    walks = [step for one in statements for step in _plan(sqlite_url, *one) if _is_walk(step)]

    assert len(statements) > 60
    assert walks == []


def _is_walk(step: str) -> bool:
    by_index = "USING INDEX ix_slot_starts_at_number" in step or "USING INDEX ix_booking_starts_at_number" in step
    return step.startswith("SCAN ") and not re.match(IN_ORDER, step) and not by_index


def test_a_walk_through_all_slots_would_be_seen(sqlite_url: str) -> None:
    assert [_is_walk(step) for step in _plan(sqlite_url, "SELECT * FROM slot WHERE mode = ?", ("online",))] == [True]


def _plan(url: str, statement: str, bound: object) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = bound[0] if isinstance(bound, list) else bound
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", rows).all()
    engine.dispose()
    return [str(step.detail) for step in plan]


def test_the_next_open_slots_of_each_condition_are_found_along_one_index_without_sorting(
    sqlite_url: str, house_keys: HouseKeys, asked: Asked
) -> None:
    store = open_store(sqlite_url, house_keys)
    _fill(store, 400)
    asked.clear()
    with store.reading() as tx:
        booking.open_slots(tx, RIVER, booking.Asked(), NOW)
    store.close()
    (query,) = [one for one in asked if "slot_condition" in one[0] and "LIMIT" in one[0]]

    steps = _plan(sqlite_url, *query)

    along = [
        step for step in steps if "ix_slot_condition_condition_starts_at_slot (condition=? AND starts_at>?" in step
    ]
    assert len(along) == 1
    assert any("uq_booking_slot" in step for step in steps)
    assert any("uq_slot_offer_slot" in step for step in steps)


def test_a_page_of_ten_thousand_open_slots_takes_as_many_questions_as_one_of_ten(
    sql_store: SqlStore, asked: Asked
) -> None:
    _fill(sql_store)
    asked.clear()

    with sql_store.reading() as tx:
        first = booking.open_slots(tx, RIVER, booking.Asked(), NOW)
        second = booking.open_slots(tx, RIVER, booking.Asked(after=first[-1]), NOW)

    assert [slot.number for slot in [*first, *second]] == list(range(1, 17))
    assert len([one for one in asked if "SELECT" in one[0] and "slot" in one[0]]) == 4


def test_two_hundred_slots_are_added_and_withdrawn_in_a_handful_of_statements(
    sql_store: SqlStore, asked: Asked
) -> None:
    furnish(sql_store, *[f"p{number}" for number in range(20)])
    asked.clear()
    numbers = add(sql_store, plan(*[NOW + day * DAY for day in range(1, 201)]))
    adding = len(asked)
    for number in range(20):
        book(sql_store, f"p{number}", number + 1)
    asked.clear()

    with sql_store.writing() as tx:
        withdraw_slots(tx, numbers, "host", NOW, even_if_booked=True)

    assert adding < 20
    assert len(asked) < 25


def test_many_sessions_are_settled_in_a_handful_of_statements(sql_store: SqlStore, asked: Asked) -> None:
    furnish(sql_store, *[f"p{number}" for number in range(50)])
    add(sql_store, plan(*[NOW + day * DAY for day in range(1, 51)]))
    given = [book(sql_store, f"p{number}", number + 1) for number in range(50)]
    asked.clear()

    with sql_store.writing() as tx:
        settled_now = keep_what_is_over(tx, RULES, NOW + 99 * DAY)

    assert settled_now == 50
    assert len(asked) < 10
    with sql_store.reading() as tx:
        first = given[0]
        assert isinstance(first, Booking)
        assert tx.bookings.get(first.number) == settled(first, State.KEPT, NOW + 99 * DAY)
