"""Many people, few slots: every slot at most once, and everybody gets an answer."""

import random
import secrets
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import pytest

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.ids import EventId, SlotNumber
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.ports import Store
from keyhouse.core.slots import Slot
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import booking, booking_offers
from keyhouse.core.workflows.booking_sessions import mark_missed
from keyhouse.core.workflows.booking_slots import Added, Withdrawal, add_slots, withdraw_slots
from keyhouse.storage.errors import StoreConflict
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from tests.support.at_once import at_once
from tests.support.household import KNOWN, NOW, user
from tests.support.therapy import ANY, DAY, DR, HOUR, RULES, add, book, cancel, furnish, leaving, move, plan

SIDE_BY_SIDE = 40
BOOKERS = [f"p{number}" for number in range(200)]


def _all(doings: list[Callable[[], object]]) -> list[object]:
    """Do everything, many side by side; an exception of one of them is raised."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return [one.result(300) for one in [pool.submit(doing) for doing in doings]]


def _kept(store: Store) -> list[Booking]:
    with store.reading() as tx:
        return list(tx.bookings.listed(limit=9999))


def _check(store: Store) -> list[Booking]:
    """Look whether a slot, or somebody's time, is taken twice; return what is booked."""
    booked = [one for one in _kept(store) if one.state is BookingState.BOOKED]
    assert max(Counter(one.slot for one in booked).values(), default=0) <= 1
    for somebody in {one.person for one in booked}:
        theirs = sorted((one.starts_at, one.ends_at) for one in booked if one.person == somebody)
        assert len(theirs) <= RULES.open_at_most
        assert all(before[1] <= after[0] for before, after in pairwise(theirs))
    with store.reading() as tx:
        assert tx.audit.verify().ok
    return booked


def test_four_hundred_attempts_by_two_hundred_people_on_twenty_slots(sql_store: SqlStore) -> None:
    furnish(sql_store, *BOOKERS)
    add(sql_store, plan(*[NOW + day * DAY for day in range(1, 21)]))
    draw = random.Random(4)
    wanted = [(name, draw.randint(1, 20), f"${name}-{turn}") for turn in range(2) for name in BOOKERS]

    answers = _all([partial(book, sql_store, *one) for one in wanted])

    given = [answer for answer in answers if isinstance(answer, Booking)]
    reasons = {answer.reason for answer in answers if isinstance(answer, Refused)}
    booked = _check(sql_store)
    assert len(answers) == 400
    assert len(booked) == len(given) == 20
    assert reasons <= {Reason.SLOT_TAKEN, Reason.SLOT_YOURS, Reason.BOOKINGS_FULL}


def test_two_hundred_want_one_slot_from_two_processes_worth_of_stores(database_url: str, house_keys: HouseKeys) -> None:
    stores = [open_store(database_url, house_keys) for _ in range(2)]
    furnish(stores[0], *BOOKERS)
    add(stores[0], plan(NOW + DAY))

    answers = _all([partial(book, stores[place % 2], name, 1) for place, name in enumerate(BOOKERS)])

    assert sum(isinstance(answer, Booking) for answer in answers) == 1
    assert answers.count(Refused(Reason.SLOT_TAKEN)) == 199
    assert len(_check(stores[0])) == 1
    for store in stores:
        store.close()


def test_when_one_message_arrives_twenty_times_at_once_there_is_one_booking(sql_store: SqlStore) -> None:
    furnish(sql_store, "river")
    add(sql_store, plan(NOW + DAY))

    answers = _all([partial(book, sql_store, "river", 1, "$one")] * 20)

    assert answers == [answers[0]] * 20
    assert isinstance(answers[0], Booking)
    with sql_store.reading() as tx:
        assert len(leaving(tx, OutgoingKind.REMINDER)) == 1


def test_when_one_person_books_many_slots_at_once_the_cap_holds(sql_store: SqlStore) -> None:
    furnish(sql_store, "river")
    add(sql_store, plan(*[NOW + day * DAY for day in range(1, 11)]))

    answers = _all([partial(book, sql_store, "river", number) for number in range(1, 11)])

    assert sum(isinstance(answer, Booking) for answer in answers) == 2
    assert answers.count(Refused(Reason.BOOKINGS_FULL)) == 8


def test_when_one_person_books_two_therapists_of_one_hour_at_once_there_is_one_session(sql_store: SqlStore) -> None:
    furnish(sql_store, "river")
    numbers = [*add(sql_store, plan(NOW + DAY)), *add(sql_store, plan(NOW + DAY + HOUR / 2, therapist="dr-b"))]

    answers = _all([partial(book, sql_store, "river", number) for number in numbers])

    assert sum(isinstance(answer, Booking) for answer in answers) == 1
    assert Refused(Reason.BOOKING_OVERLAPS) in answers


def test_when_people_change_places_at_once_nobody_loses_a_session(sql_store: SqlStore) -> None:
    names = [f"p{number}" for number in range(1, 9)]
    furnish(sql_store, *names)
    add(sql_store, plan(*[NOW + day * DAY for day in range(1, 11)]))
    for number, name in enumerate(names, 1):
        book(sql_store, name, number)
    draw = random.Random(5)

    def wander(name: str) -> None:
        for turn in range(12):
            with sql_store.reading() as tx:
                (mine,) = booking.mine(tx, user(name), NOW)
            move(sql_store, name, mine.slot, draw.randint(1, 10), f"${name}-{turn}")

    _all([partial(wander, name) for name in names])

    booked = _check(sql_store)
    assert {one.person for one in booked} == {user(name) for name in names}
    assert len(booked) == len(_kept(sql_store)) == 8


def test_when_one_therapist_plans_one_hour_twenty_times_at_once_there_is_one_slot(sql_store: SqlStore) -> None:
    furnish(sql_store)
    wanted = [plan(NOW + DAY + place * HOUR / 30) for place in range(20)]

    results = at_once(sql_store, *[lambda tx, one=one: add_slots(tx, one, KNOWN, "host", RULES, NOW) for one in wanted])

    assert sum(isinstance(result, Added) and not result.conflicts for result in results) == 1
    assert all(isinstance(result, Added) for result in results)
    with sql_store.reading() as tx:
        assert len(tx.slots.listed(ends_after=NOW, limit=99)) == 1


def test_when_a_slot_is_booked_and_withdrawn_at_once_nobody_sits_in_front_of_a_closed_door(sql_store: SqlStore) -> None:
    furnish(sql_store, *BOOKERS[:30])
    numbers = add(sql_store, plan(*[NOW + day * DAY for day in range(1, 31)]))

    def withdraw(number: SlotNumber) -> object:
        with sql_store.writing() as tx:
            return withdraw_slots(tx, [number], "host", NOW, even_if_booked=True)

    doings: list[Callable[[], object]] = []
    for name, number in zip(BOOKERS, numbers, strict=False):
        doings += [partial(book, sql_store, name, number), partial(withdraw, number)]
    answers = _all(doings)

    assert sum(isinstance(answer, Withdrawal) for answer in answers) == 30
    assert _check(sql_store) == []
    with sql_store.reading() as tx:
        told = leaving(tx, OutgoingKind.BOOKING_NOTICE)
    assert len(told) == len(_kept(sql_store)) == sum(isinstance(answer, Booking) for answer in answers)


def test_when_many_slots_are_freed_at_once_each_is_offered_to_somebody_else(sql_store: SqlStore) -> None:
    leavers, waiters = BOOKERS[:20], BOOKERS[20:40]
    furnish(sql_store, *leavers, *waiters)
    add(sql_store, plan(*[NOW + day * DAY for day in range(1, 21)]))
    for number, name in enumerate(leavers, 1):
        book(sql_store, name, number)
    with sql_store.writing() as tx:
        for name in waiters:
            booking_offers.join(tx, user(name), ANY, NOW)

    _all([partial(cancel, sql_store, name, number) for number, name in enumerate(leavers, 1)])

    with sql_store.reading() as tx:
        standing = tx.slots.listed(ends_after=NOW, limit=99)
    asked = [one.offer.person for one in standing if one.offer]
    assert sorted(asked) == sorted(user(name) for name in waiters)


def test_when_offers_lapse_are_declined_taken_and_snatched_at_once_no_slot_is_lost(sql_store: SqlStore) -> None:
    names = BOOKERS[:24]
    furnish(sql_store, *names)
    numbers = add(sql_store, plan(*[NOW + day * DAY for day in range(1, 13)]))
    for number, name in zip(numbers, names, strict=False):
        book(sql_store, name, number)
    with sql_store.writing() as tx:
        for name in names[12:]:
            booking_offers.join(tx, user(name), ANY, NOW)
    for number, name in zip(numbers, names, strict=False):
        cancel(sql_store, name, number)
    with sql_store.reading() as tx:
        offers = [one.offer for one in tx.slots.listed(ends_after=NOW, limit=99) if one.offer]
    then = NOW + HOUR

    def do(what: Callable[..., object], *words: object) -> object:
        with sql_store.writing() as tx:
            return what(tx, *words)

    doings: list[Callable[[], object]] = []
    for offer in offers:
        event = EventId(f"${secrets.token_hex(4)}")
        doings += [
            partial(do, booking_offers.present_offer, offer.id, RULES, then),
            partial(do, booking_offers.lapse_offer, offer.id, RULES, then),
            partial(do, booking_offers.decline, offer.person, offer.slot, RULES, then),
            partial(do, booking_offers.leave, offer.person, RULES, then),
            partial(do, booking.book, offer.person, offer.slot, event, RULES, then),
            partial(book, sql_store, names[offer.slot - 1], offer.slot, f"$again-{offer.slot}", then),
        ]
    random.Random(6).shuffle(doings)
    _all(doings)

    _check(sql_store)
    _nothing_is_lost(sql_store, numbers, names)


def _nothing_is_lost(store: Store, numbers: list[SlotNumber], names: list[str]) -> None:
    """When every hold is over each slot is booked, or open to whoever asks."""
    much_later = NOW + 3 * HOUR
    with store.reading() as tx:
        booked = {one.slot for one in tx.bookings.of_slots(numbers)}
        open_now: list[Slot] = [
            *booking.open_slots(tx, user(names[-1]), booking.Asked(), much_later, 99),
        ]
    assert booked | {slot.number for slot in open_now} == set(numbers)


def test_when_somebody_is_marked_as_missed_and_books_at_once_nothing_waits_in_a_circle(sql_store: SqlStore) -> None:
    names = BOOKERS[:10]
    furnish(sql_store, *names)
    add(sql_store, plan(*[NOW + hour * HOUR for hour in range(1, 31)]))
    for number, name in enumerate(names, 1):
        book(sql_store, name, number)
        book(sql_store, name, number + 10)
    then = NOW + 21 * HOUR

    def miss(number: int) -> object:
        with sql_store.writing() as tx:
            return mark_missed(tx, SlotNumber(number), DR, RULES, then)

    doings: list[Callable[[], object]] = [partial(miss, number) for number in range(1, 21)]
    doings += [partial(book, sql_store, name, 20 + place, now=then) for place, name in enumerate(names, 1)]
    answers = _all(doings)

    assert sum(isinstance(answer, Booking) for answer in answers) >= 29
    with sql_store.reading() as tx:
        assert len(tx.cases.listed(only_open=True, limit=99)) == 10


@pytest.mark.parametrize("number", [2**31, 2**40], ids=str)
def test_an_absurd_number_is_an_unknown_one(store: Store, number: int) -> None:
    furnish(store, "river")

    assert book(store, "river", number) == Refused(Reason.SLOT_UNKNOWN)
    assert cancel(store, "river", number) == Refused(Reason.BOOKING_UNKNOWN)
    assert move(store, "river", number, number + 1) == Refused(Reason.BOOKING_UNKNOWN)


def test_what_gets_past_the_rules_is_stopped_by_the_database(sql_store: SqlStore) -> None:
    furnish(sql_store, "river", "clover")
    add(sql_store, plan(NOW + DAY))
    given = book(sql_store, "river", 1)
    assert isinstance(given, Booking)

    with pytest.raises(StoreConflict), sql_store.writing() as tx:
        tx.bookings.add(given, None)
    assert _check(sql_store) == [given]
