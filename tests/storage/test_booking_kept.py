"""Slots, bookings and the waiting list are kept alike in memory, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.booking import Booking, BookingState, cancelled, moved, settled
from keyhouse.core.ids import BookingNumber, EventId, OfferId, SlotNumber
from keyhouse.core.people import PersonState, Role
from keyhouse.core.ports import Store
from keyhouse.core.slots import Mode, Preference, Slot, SlotSearch, Span
from keyhouse.core.waiting_list import OfferOutcome, OfferTimes, Waiting
from keyhouse.storage.errors import StoreConflict
from tests.support.household import A_SECOND, ANOREXIA, BULIMIA, NOW, PERINATAL, key, person, user
from tests.support.therapy import DAY, DR, HOUR, add, furnish, plan

RIVER, CLOVER, FERN = (user(name) for name in ("river", "clover", "fern"))


@pytest.fixture
def house(store: Store) -> Store:
    """A house with two therapists and three patients."""
    furnish(store, "river", "clover", "fern")
    return store


def _booking(number: int, person: str = "river", starts_at: datetime = NOW + DAY) -> Booking:
    times = (starts_at, starts_at + HOUR, NOW)
    return Booking(BookingNumber(0), SlotNumber(number), user(person), BookingState.BOOKED, *times)


def _open_for(store: Store, search: SlotSearch, limit: int = 99, now: datetime = NOW) -> list[int]:
    with store.reading() as tx:
        return [slot.number for slot in tx.slots.open_for(search, limit, now)]


def _search(**more: object) -> SlotSearch:
    return replace(SlotSearch(RIVER, frozenset({ANOREXIA, PERINATAL}), NOW), **more)  # type: ignore[arg-type]


def test_a_slot_comes_back_as_it_was_kept(house: Store) -> None:
    wanted = plan(
        NOW + DAY, conditions=(ANOREXIA, PERINATAL), mode=Mode.IN_PERSON, before=HOUR, after=timedelta(minutes=10)
    )

    (number,) = add(house, wanted)

    with house.reading() as tx:
        slot = tx.slots.get(number)
    blocked = Span(NOW + DAY - HOUR, NOW + DAY + timedelta(minutes=60))
    assert slot == Slot(
        number, DR, *_times(wanted.spans[0]), frozenset({ANOREXIA, PERINATAL}), Mode.IN_PERSON, blocked, 1, 11 * 60
    )


def _times(span: Span) -> tuple[datetime, datetime]:
    return span.starts_at, span.ends_at


def test_numbers_follow_the_order_of_time_and_are_never_given_again(house: Store) -> None:
    first = add(house, plan(NOW + 3 * DAY, NOW + DAY, NOW + 2 * DAY))
    with house.writing() as tx:
        tx.slots.withdraw(first, NOW)

    again = add(house, plan(NOW + DAY, NOW + 2 * DAY))

    with house.reading() as tx:
        begins = [tx.slots.get(number).starts_at for number in first]  # type: ignore[union-attr]
    assert begins == [NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY]
    assert first == sorted(first)
    assert min(again) > max(first)


def test_a_withdrawn_slot_keeps_its_moment_and_blocks_nothing(house: Store) -> None:
    one, other = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    with house.writing() as tx:
        tx.slots.withdraw([one], NOW)
        tx.slots.withdraw([one], NOW + HOUR)

    with house.reading() as tx:
        slot = tx.slots.get(one)
        taken = tx.slots.taken(DR, NOW, NOW + 9 * DAY)
        assert tx.slots.get(SlotNumber(999)) is None
    assert slot is not None
    assert slot.withdrawn_at == NOW
    assert [left.number for left in taken] == [other]


def test_slots_are_held_in_the_order_of_their_numbers(house: Store) -> None:
    numbers = add(house, plan(NOW + DAY, NOW + 2 * DAY))

    with house.writing() as tx:
        held = tx.slots.held([numbers[1], numbers[0], SlotNumber(999)])

    assert [slot.number for slot in held] == numbers
    assert held[0].conditions == {ANOREXIA}


def test_open_slots_are_those_of_ones_own_conditions_each_once_in_the_order_of_time(house: Store) -> None:
    (other,) = add(house, plan(NOW + DAY, conditions=(BULIMIA,)))
    (late,) = add(house, plan(NOW + 3 * DAY))
    (both,) = add(house, plan(NOW + 2 * DAY, conditions=(ANOREXIA, PERINATAL)))

    assert _open_for(house, _search()) == [both, late]
    assert _open_for(house, _search(conditions=frozenset({BULIMIA}))) == [other]
    assert _open_for(house, _search(conditions=frozenset())) == []


def test_what_is_withdrawn_booked_held_or_begun_is_not_open(house: Store) -> None:
    numbers = add(house, plan(*[NOW + day * DAY for day in range(1, 6)]))
    gone, booked, held, free, given_back = numbers
    with house.writing() as tx:
        tx.slots.withdraw([gone], NOW)
        tx.bookings.add(_booking(booked, "clover"), None)
        tx.waiting_list.add_offer(held, CLOVER, OfferTimes(NOW, NOW + HOUR))
        back = tx.bookings.add(_booking(given_back), None)
        tx.bookings.keep([cancelled(back, NOW)])

    assert _open_for(house, _search()) == [free, given_back]
    assert _open_for(house, _search(person=CLOVER)) == [held, free, given_back]
    assert _open_for(house, _search(), now=NOW + HOUR) == [held, free, given_back]
    assert _open_for(house, _search(), now=NOW + 4 * DAY) == [given_back]


def test_open_slots_are_asked_for_by_time_place_therapist_and_page(house: Store) -> None:
    starts = [NOW + day * DAY + hour * HOUR for day in (1, 2, 8) for hour in (0, 6)]
    numbers = add(house, plan(*starts))
    (in_person,) = add(house, plan(NOW + 1 * DAY, therapist="dr-b", mode=Mode.IN_PERSON))
    with house.reading() as tx:
        third = tx.slots.get(numbers[2])

    tuesdays = Preference(weekdays=frozenset({1}))
    after_four = Preference(weekdays=frozenset({1}), from_minute=16 * 60)
    assert _open_for(house, _search(preference=tuesdays)) == [numbers[0], in_person, numbers[1], *numbers[4:]]
    assert _open_for(house, _search(preference=after_four)) == [numbers[1], numbers[5]]
    assert _open_for(house, _search(preference=Preference(mode=Mode.IN_PERSON))) == [in_person]
    assert _open_for(house, _search(therapist=user("dr-b"))) == [in_person]
    assert _open_for(house, _search(starts_before=starts[2])) == [numbers[0], in_person, numbers[1]]
    assert _open_for(house, _search(starts_after=starts[2])) == numbers[3:]
    assert _open_for(house, _search(), limit=2) == [numbers[0], in_person]
    assert _open_for(house, _search(after=third), limit=2) == numbers[3:5]


def test_of_slots_that_begin_at_once_a_page_leaves_none_out(house: Store) -> None:
    (one,) = add(house, plan(NOW + DAY))
    (two,) = add(house, plan(NOW + DAY, therapist="dr-b"))
    with house.reading() as tx:
        first = tx.slots.get(one)

    assert _open_for(house, _search(), limit=1) == [one]
    assert _open_for(house, _search(after=first), limit=1) == [two]


def test_listed_slots_show_what_stands_on_them(house: Store) -> None:
    numbers = add(house, plan(*[NOW + day * DAY for day in (1, 2, 3)]))
    with house.writing() as tx:
        booked = tx.bookings.add(_booking(numbers[0]), None)
        offer = tx.waiting_list.add_offer(numbers[1], CLOVER, OfferTimes(NOW, NOW + HOUR))
        ended = tx.waiting_list.add_offer(numbers[2], FERN, OfferTimes(NOW, NOW + HOUR))
        tx.waiting_list.end_offers([ended.slot], OfferOutcome.LAPSED, NOW)
        tx.slots.withdraw([numbers[2]], NOW)

    with house.reading() as tx:
        listed = tx.slots.listed(ends_after=NOW, limit=9)
        page = tx.slots.listed(ends_after=NOW, limit=1, after=listed[0].slot)
        later = tx.slots.listed(ends_after=NOW + 2 * DAY, limit=9)
        others = tx.slots.listed(ends_after=NOW, limit=9, therapist=user("dr-b"))
    assert [(one.slot.number, one.booking, one.offer) for one in listed] == [
        (numbers[0], booked, None),
        (numbers[1], None, offer),
        (numbers[2], None, None),
    ]
    assert (page, later, others) == (listed[1:2], listed[1:], [])


def test_a_booking_comes_back_and_the_events_that_changed_it_lead_to_it(house: Store) -> None:
    here, there = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    with house.writing() as tx:
        slot = tx.slots.get(there)
        assert slot is not None
        first = tx.bookings.add(_booking(here), EventId("$book"))
        changed = moved(first, slot, late=True)
        tx.bookings.keep([changed])
        tx.bookings.note_event(EventId("$move"), first.number)

    with house.reading() as tx:
        found = [tx.bookings.by_event(EventId(event)) for event in ("$book", "$move", "$other")]
        kept = (tx.bookings.get(first.number), tx.bookings.of_slot(there), tx.bookings.of_slot(here))
        upcoming = tx.bookings.upcoming(RIVER, NOW)
    assert found == [changed, changed, None]
    assert kept == (changed, changed, None)
    assert (changed.sequence, changed.late, upcoming) == (1, True, [changed])


@pytest.mark.parametrize("ending", ["booked", "kept", "missed", "cancelled"])
def test_a_slot_has_one_booking_that_is_not_cancelled(house: Store, ending: str) -> None:
    (number,) = add(house, plan(NOW + DAY))
    state = BookingState(ending)
    with house.writing() as tx:
        first = tx.bookings.add(_booking(number), None)
        if state is not BookingState.BOOKED:
            tx.bookings.keep([settled(first, state, NOW)])

    if state is BookingState.CANCELLED:
        with house.writing() as tx:
            second = tx.bookings.add(_booking(number, "clover"), None)
            assert tx.bookings.of_slot(number) == second
    else:
        with pytest.raises(StoreConflict), house.writing() as tx:
            tx.bookings.add(_booking(number, "clover"), None)


def test_of_two_bookings_none_is_moved_onto_the_other(house: Store) -> None:
    one, two = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    with house.writing() as tx:
        first = tx.bookings.add(_booking(one), None)
        tx.bookings.add(_booking(two, "clover"), None)

        slot = tx.slots.get(two)
        assert slot is not None

    with pytest.raises(StoreConflict), house.writing() as tx:
        tx.bookings.keep([moved(first, slot, late=False)])


def test_an_event_does_one_thing(house: Store) -> None:
    one, two = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    with house.writing() as tx:
        tx.bookings.add(_booking(one), EventId("$book"))

    with pytest.raises(StoreConflict), house.writing() as tx:
        tx.bookings.add(_booking(two, "clover"), EventId("$book"))


def test_upcoming_are_booked_ones_until_their_end(house: Store) -> None:
    numbers = add(house, plan(*[NOW + day * DAY for day in (1, 2, 3)]))
    with house.writing() as tx:
        kept = [tx.bookings.add(_booking(number, starts_at=NOW + number * DAY), None) for number in numbers]
        tx.bookings.keep([cancelled(kept[1], NOW)])

    with house.reading() as tx:
        assert [one.number for one in tx.bookings.upcoming(RIVER, NOW)] == [kept[0].number, kept[2].number]
        assert tx.bookings.upcoming(RIVER, kept[0].ends_at - A_SECOND)[0] == kept[0]
        assert tx.bookings.upcoming(RIVER, kept[0].ends_at) == [kept[2]]
        assert tx.bookings.upcoming(CLOVER, NOW) == []
        assert tx.bookings.of_slots(numbers) == [kept[0], kept[2]]
        assert [one.number for one in tx.bookings.unsettled(kept[0].ends_at + A_SECOND, 9)] == [kept[0].number]
        assert tx.bookings.unsettled(kept[0].ends_at, 9) == []


def test_missed_sessions_are_counted_from_a_moment_on(house: Store) -> None:
    numbers = add(house, plan(*[NOW + day * DAY for day in (1, 2, 3)]))
    with house.writing() as tx:
        kept = [tx.bookings.add(_booking(number, starts_at=NOW + number * DAY), None) for number in numbers]
        tx.bookings.keep([settled(one, BookingState.MISSED, NOW) for one in kept[:2]])

    with house.reading() as tx:
        starts_at = kept[0].starts_at
        assert tx.bookings.missed_since(RIVER, starts_at - A_SECOND) == 2
        assert tx.bookings.missed_since(RIVER, starts_at) == 1
        assert tx.bookings.missed_since(CLOVER, NOW) == 0


def test_bookings_are_listed_page_by_page_the_last_to_come_first(house: Store) -> None:
    numbers = add(house, plan(*[NOW + day * DAY for day in (1, 2, 3)]))
    with house.writing() as tx:
        kept = [tx.bookings.add(_booking(number, starts_at=NOW + number * DAY), None) for number in numbers]

    with house.reading() as tx:
        assert tx.bookings.listed(limit=2) == [kept[2], kept[1]]
        assert tx.bookings.listed(limit=2, before=kept[1]) == [kept[0]]


def _wait(store: Store, name: str, since: datetime = NOW, **preference: object) -> None:
    with store.writing() as tx:
        tx.waiting_list.put(Waiting(user(name), Preference(**preference), since))  # type: ignore[arg-type]


def _next(store: Store, number: int, open_at_most: int = 2, now: datetime = NOW) -> str | None:
    with store.writing() as tx:
        slot = tx.slots.get(SlotNumber(number))
        assert slot is not None
        return tx.waiting_list.next_for(slot, open_at_most, now)


def test_who_waits_for_longest_is_next_and_who_cannot_wait_before_all(house: Store) -> None:
    (number,) = add(house, plan(NOW + DAY))
    for hours, name in enumerate(("fern", "river", "clover")):
        _wait(house, name, NOW + hours * HOUR)

    by_time = _next(house, number)
    with house.writing() as tx:
        assert tx.waiting_list.set_priority(CLOVER, 3)
        assert not tx.waiting_list.set_priority(DR, 3)
    by_priority = _next(house, number)

    assert (by_time, by_priority) == (FERN, CLOVER)


def test_who_wants_something_else_keeps_place_and_priority(house: Store) -> None:
    (number,) = add(house, plan(NOW + DAY))
    _wait(house, "river", NOW)
    _wait(house, "clover", NOW + HOUR)
    with house.writing() as tx:
        tx.waiting_list.set_priority(RIVER, 1)

    _wait(house, "river", NOW + 5 * HOUR, mode=Mode.ONLINE)

    with house.reading() as tx:
        assert tx.waiting_list.get(RIVER) == Waiting(RIVER, Preference(mode=Mode.ONLINE), NOW)
    assert _next(house, number) == RIVER


def test_who_has_left_the_list_begins_anew(house: Store) -> None:
    (number,) = add(house, plan(NOW + DAY))
    _wait(house, "river", NOW)
    with house.writing() as tx:
        tx.waiting_list.set_priority(RIVER, 5)
        assert tx.waiting_list.leave(RIVER)
        assert not tx.waiting_list.leave(RIVER)
    _wait(house, "clover", NOW + HOUR)
    _wait(house, "river", NOW + 2 * HOUR)

    assert _next(house, number) == CLOVER


@pytest.mark.parametrize(
    ("preference", "asked"),
    [
        ({}, True),
        ({"weekdays": frozenset({1, 3})}, True),
        ({"weekdays": frozenset({0, 2, 3, 4, 5, 6})}, False),
        ({"from_minute": 660, "until_minute": 661}, True),
        ({"from_minute": 661}, False),
        ({"until_minute": 660}, False),
        ({"mode": Mode.ONLINE}, True),
        ({"mode": Mode.IN_PERSON}, False),
    ],
    ids=str,
)
def test_a_slot_is_offered_to_who_would_like_it(house: Store, preference: dict[str, object], asked: bool) -> None:
    (number,) = add(house, plan(NOW + DAY))
    _wait(house, "river", **preference)

    assert _next(house, number) == (RIVER if asked else None)


def test_nobody_is_asked_who_could_not_book_it(house: Store) -> None:
    one, two = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    (same_time,) = add(house, plan(NOW + DAY, therapist="dr-b"))
    _wait(house, "river")

    def asked_when(change: object) -> bool:
        """Whether river is asked, in a transaction that is undone."""
        found: list[object] = []

        class _Undone(Exception):
            pass

        def look() -> None:
            with house.writing() as tx:
                change(tx)  # type: ignore[operator]
                slot = tx.slots.get(one)
                assert slot is not None
                found.append(tx.waiting_list.next_for(slot, 2, NOW))
                raise _Undone

        with pytest.raises(_Undone):
            look()
        return found == [RIVER]

    closed = person("river", state=PersonState.CLOSED)
    times = OfferTimes(NOW, NOW + HOUR)
    assert asked_when(lambda tx: None)
    assert asked_when(lambda tx: tx.bookings.add(_booking(two, starts_at=NOW + 2 * DAY), None))
    assert not asked_when(lambda tx: tx.bookings.add(_booking(same_time), None))
    assert not asked_when(
        lambda tx: [tx.bookings.add(_booking(n, starts_at=NOW + 2 * DAY), None) for n in (two, same_time)]
    )
    assert not asked_when(lambda tx: tx.people.revoke(RIVER, ANOREXIA, NOW))
    assert asked_when(lambda tx: (tx.people.revoke(RIVER, ANOREXIA, NOW), _grant(tx, NOW + A_SECOND)))
    assert not asked_when(lambda tx: (tx.people.revoke(RIVER, ANOREXIA, NOW), _grant(tx, NOW)))
    assert not asked_when(lambda tx: tx.people.update(closed))
    assert not asked_when(lambda tx: tx.people.update(person("river", Role.STAFF)))
    assert not asked_when(lambda tx: tx.waiting_list.add_offer(two, RIVER, times))
    assert not asked_when(lambda tx: tx.waiting_list.given_back(one, RIVER, NOW))
    assert asked_when(lambda tx: tx.waiting_list.given_back(two, RIVER, NOW))


def _grant(tx: object, expires_at: datetime) -> None:
    granted = replace(key("river", ANOREXIA), granted_at=NOW - HOUR, expires_at=expires_at)
    tx.people.grant(granted)  # type: ignore[attr-defined]


def test_an_offer_comes_back_and_ends(house: Store) -> None:
    (number,) = add(house, plan(NOW + DAY))
    with house.writing() as tx:
        offer = tx.waiting_list.add_offer(number, RIVER, OfferTimes(NOW, NOW + HOUR))
        told = replace(offer, told_at=NOW + A_SECOND, until=NOW + 2 * HOUR)
        tx.waiting_list.keep_offer(told)
        found = (
            tx.waiting_list.offer(offer.id),
            tx.waiting_list.open_offer(number),
            tx.waiting_list.open_offer_to(RIVER),
        )
        tx.waiting_list.end_offers([number], OfferOutcome.DECLINED, NOW + HOUR)

    with house.reading() as tx:
        ended = tx.waiting_list.offer(offer.id)
        assert tx.waiting_list.open_offer(number) is None
        assert tx.waiting_list.open_offer_to(RIVER) is None
        assert tx.waiting_list.offer(OfferId(999)) is None
    assert found == (told, told, told)
    assert ended == replace(told, ended_at=NOW + HOUR, outcome=OfferOutcome.DECLINED)


@pytest.mark.parametrize(("other", "who"), [(0, CLOVER), (1, RIVER)], ids=["one slot", "one person"])
def test_one_offer_at_a_time_is_open(house: Store, other: int, who: str) -> None:
    numbers = add(house, plan(NOW + DAY, NOW + 2 * DAY))
    times = OfferTimes(NOW, NOW + HOUR)
    with house.writing() as tx:
        tx.waiting_list.add_offer(numbers[0], RIVER, times)

    with pytest.raises(StoreConflict), house.writing() as tx:
        tx.waiting_list.add_offer(numbers[other], who, times)  # type: ignore[arg-type]
    with house.writing() as tx:
        tx.waiting_list.end_offers([numbers[0]], OfferOutcome.LAPSED, NOW)
        tx.waiting_list.add_offer(numbers[other], who, times)  # type: ignore[arg-type]
