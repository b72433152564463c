"""A freed slot finds the next person: by day, one at a time, and it is never lost."""

from datetime import datetime, timedelta

import pytest

from keyhouse.core.booking import Booking
from keyhouse.core.ids import OfferId, SlotNumber
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import Role
from keyhouse.core.slots import Mode, Preference
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.waiting_list import Offer, Waiting
from keyhouse.core.workflows import booking_offers
from keyhouse.core.workflows.booking_slots import withdraw_slots
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, NOW, person, user
from tests.support.therapy import ANY, DAY, HOUR, RULES, add, book, cancel, furnish, leaving, move, plan, utc

RIVER, CLOVER, FERN = (user(name) for name in ("river", "clover", "fern"))
HALF_AN_HOUR = timedelta(minutes=30)
ONE = SlotNumber(1)
NIGHT = utc(2027, 3, 29, 22, 30)
MORNING = utc(2027, 3, 30, 7)


@pytest.fixture
def house() -> MemoryStore:
    """River has slot 1, a week from now; clover and then fern wait for any slot."""
    store = MemoryStore()
    furnish(store, "river", "clover", "fern")
    add(store, plan(*[NOW + week * 7 * DAY for week in (1, 2)]))
    book(store, "river", 1)
    for hours, name in enumerate(("clover", "fern")):
        wait(store, name, NOW + hours * A_SECOND)
    return store


def wait(store: MemoryStore, name: str, now: datetime = NOW, preference: Preference = ANY) -> Waiting | Refused:
    """Join the waiting list."""
    with store.writing() as tx:
        return booking_offers.join(tx, user(name), preference, now)


def offered(store: MemoryStore, number: int = 1) -> Offer | None:
    """What is being offered of this slot."""
    with store.reading() as tx:
        return tx.waiting_list.open_offer(SlotNumber(number))


def present(store: MemoryStore, offer: Offer | None, now: datetime) -> Offer | None:
    """Make the message ready, as the bot does right before it sends it."""
    assert offer is not None
    with store.writing() as tx:
        return booking_offers.present_offer(tx, offer.id, RULES, now)


def lapse(store: MemoryStore, offer: Offer | None, now: datetime) -> Offer | None:
    """Look at a hold whose time is over."""
    assert offer is not None
    with store.writing() as tx:
        return booking_offers.lapse_offer(tx, offer.id, RULES, now)


def due(store: MemoryStore, kind: OutgoingKind) -> list[datetime]:
    """When the bot has to do what of this kind."""
    with store.reading() as tx:
        return [row.due_at for row in leaving(tx, kind)]


def test_a_freed_slot_is_offered_to_who_waits_for_longest_and_held(house: MemoryStore) -> None:
    cancel(house, "river", 1)

    offer = offered(house)

    assert offer is not None
    assert (offer.person, offer.offered_at, offer.until) == (CLOVER, NOW, NOW + HALF_AN_HOUR)
    assert (due(house, OutgoingKind.OFFER), due(house, OutgoingKind.OFFER_LAPSE)) == ([NOW], [NOW + HALF_AN_HOUR])
    assert book(house, "fern", 1) == Refused(Reason.SLOT_HELD)
    assert isinstance(book(house, "clover", 1), Booking)
    assert offered(house) is None


def test_a_slot_that_was_moved_away_from_is_offered_too(house: MemoryStore) -> None:
    move(house, "river", 1, 2)

    offer = offered(house)
    assert offer is not None
    assert offer.person == CLOVER


def test_at_night_nobody_is_asked_and_the_slot_is_kept_for_the_morning(house: MemoryStore) -> None:
    cancel(house, "river", 1, now=NIGHT)

    offer = offered(house)

    assert offer is not None
    assert (offer.offered_at, offer.until) == (MORNING, MORNING + HALF_AN_HOUR)
    assert due(house, OutgoingKind.OFFER) == [MORNING]
    assert book(house, "fern", 1, now=NIGHT + HOUR) == Refused(Reason.SLOT_HELD)
    assert isinstance(book(house, "clover", 1, now=NIGHT + HOUR), Booking)


def test_the_hold_counts_from_when_the_message_is_made_ready_and_once(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    offer = offered(house)

    told = present(house, offer, NOW + 5 * A_SECOND)
    again = present(house, offer, NOW + 20 * A_SECOND)

    assert told is not None
    assert (told.told_at, told.until) == (NOW + 5 * A_SECOND, NOW + 5 * A_SECOND + HALF_AN_HOUR)
    assert again == told
    assert lapse(house, offer, NOW + HALF_AN_HOUR) is None
    assert offered(house) == told


def test_after_a_standstill_the_first_still_has_the_whole_hold(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    noon = NOW + 2 * HOUR

    told = present(house, offered(house), noon)

    assert told is not None
    assert (told.person, told.until) == (CLOVER, noon + HALF_AN_HOUR)
    assert book(house, "fern", 1, now=noon) == Refused(Reason.SLOT_HELD)


def test_a_message_that_would_come_at_night_waits_for_the_morning(house: MemoryStore) -> None:
    cancel(house, "river", 1)

    assert present(house, offered(house), NIGHT) is None

    offer = offered(house)
    assert offer is not None
    assert (offer.person, offer.offered_at, offer.until) == (CLOVER, MORNING, MORNING + HALF_AN_HOUR)
    assert due(house, OutgoingKind.OFFER) == [NOW, MORNING]
    assert present(house, offer, MORNING) is not None


def test_when_nobody_answers_the_next_is_asked_and_then_it_is_open_to_all(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    first = present(house, offered(house), NOW)

    second = lapse(house, first, NOW + HALF_AN_HOUR)
    third = lapse(house, second, NOW + 2 * HALF_AN_HOUR)

    assert second is not None
    assert (second.person, third) == (FERN, None)
    assert offered(house) is None
    assert isinstance(book(house, "clover", 1, now=NOW + HOUR), Booking)


def test_at_the_last_moment_of_a_hold_others_may_book_also_when_nobody_has_looked_yet(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    offer = offered(house)

    before = book(house, "fern", 1, "$a", now=NOW + HALF_AN_HOUR - A_SECOND)
    after = book(house, "fern", 1, "$b", now=NOW + HALF_AN_HOUR)

    assert before == Refused(Reason.SLOT_HELD)
    assert isinstance(after, Booking)
    assert present(house, offer, NOW + HALF_AN_HOUR) is None
    assert lapse(house, offer, NOW + HALF_AN_HOUR) is None
    assert book(house, "clover", 1, now=NOW + HALF_AN_HOUR) == Refused(Reason.SLOT_TAKEN)


def test_who_declines_is_not_asked_again_about_this_slot(house: MemoryStore) -> None:
    cancel(house, "river", 1)

    with house.writing() as tx:
        assert booking_offers.decline(tx, CLOVER, ONE, RULES, NOW) == Allowed()
        assert booking_offers.decline(tx, CLOVER, ONE, RULES, NOW) == Refused(Reason.OFFER_UNKNOWN)

    second = offered(house)
    assert second is not None
    assert second.person == FERN
    assert lapse(house, second, NOW + HOUR) is None


def test_who_gave_it_back_is_not_asked_about_it(house: MemoryStore) -> None:
    wait(house, "river", NOW - DAY)
    cancel(house, "river", 1)

    offer = offered(house)
    assert offer is not None
    assert offer.person == CLOVER


def test_one_person_is_asked_about_one_slot_at_a_time(house: MemoryStore) -> None:
    book(house, "river", 2)
    cancel(house, "river", 1)
    cancel(house, "river", 2)

    first, second = offered(house, 1), offered(house, 2)

    assert first is not None
    assert second is not None
    assert (first.person, second.person) == (CLOVER, FERN)


def test_who_leaves_the_list_gives_the_offer_to_the_next(house: MemoryStore) -> None:
    cancel(house, "river", 1)

    with house.writing() as tx:
        assert booking_offers.leave(tx, CLOVER, RULES, NOW)
        assert not booking_offers.leave(tx, CLOVER, RULES, NOW)

    offer = offered(house)
    assert offer is not None
    assert offer.person == FERN


@pytest.mark.parametrize("mode", [Mode.ONLINE, Mode.IN_PERSON], ids=str)
def test_a_booking_ends_the_waiting_for_one_like_it(house: MemoryStore, mode: Mode) -> None:
    wait(house, "clover", preference=Preference(mode=mode))
    book(house, "clover", 2)

    with house.reading() as tx:
        assert (tx.waiting_list.get(CLOVER) is None) is (mode is Mode.ONLINE)


def test_who_may_no_longer_book_is_passed_over_when_the_message_is_made_ready(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    with house.writing() as tx:
        tx.people.update(person("clover", Role.STAFF))

    assert present(house, offered(house), NOW) is None

    offer = offered(house)
    assert offer is not None
    assert offer.person == FERN


def test_a_withdrawn_slot_is_offered_to_nobody(house: MemoryStore) -> None:
    cancel(house, "river", 1)
    offer = offered(house)
    with house.writing() as tx:
        withdraw_slots(tx, [ONE], "host", NOW)

    assert offered(house) is None
    assert present(house, offer, NOW) is None
    assert lapse(house, offer, NOW + HOUR) is None
    assert book(house, "clover", 1) == Refused(Reason.SLOT_WITHDRAWN)


def test_a_slot_that_begins_soon_is_open_to_all_at_once(house: MemoryStore) -> None:
    cancel(house, "river", 1, now=NOW + 7 * DAY - HALF_AN_HOUR + A_SECOND)

    assert offered(house) is None
    assert isinstance(book(house, "fern", 1, now=NOW + 7 * DAY - A_SECOND), Booking)


def test_an_offer_that_is_none_does_nothing(house: MemoryStore) -> None:
    with house.writing() as tx:
        assert booking_offers.present_offer(tx, OfferId(99), RULES, NOW) is None
        assert booking_offers.lapse_offer(tx, OfferId(99), RULES, NOW) is None
        assert booking_offers.decline(tx, FERN, ONE, RULES, NOW) == Refused(Reason.OFFER_UNKNOWN)


def test_only_a_clinician_sets_a_priority_and_nobody_reads_it(house: MemoryStore) -> None:
    def put(by: str, priority: int = 5, who: str = FERN) -> object:
        with house.writing() as tx:
            return booking_offers.set_priority(tx, user(who.strip("@").split(":")[0]), priority, user(by), NOW)

    assert put("clover") == Refused(Reason.NOT_THE_TEAM)
    assert put("dr-a", 10) == Refused(Reason.PRIORITY_UNKNOWN)
    assert put("dr-a", who=RIVER) == Refused(Reason.WAITING_UNKNOWN)
    assert put("dr-a") == Allowed()
    cancel(house, "river", 1)

    offer = offered(house)
    with house.reading() as tx:
        waiting = tx.waiting_list.get(FERN)
    assert offer is not None
    assert offer.person == FERN
    assert waiting == Waiting(FERN, ANY, NOW + A_SECOND)


@pytest.mark.parametrize(
    ("name", "preference", "reason"),
    [
        ("dr-a", ANY, Reason.ROLE_NOT_BOOKED),
        ("nobody", ANY, Reason.UNKNOWN_PERSON),
        ("river", Preference(weekdays=frozenset()), Reason.PREFERENCE_EMPTY),
    ],
    ids=["a clinician", "nobody", "never"],
)
def test_who_cannot_book_cannot_wait(house: MemoryStore, name: str, preference: Preference, reason: Reason) -> None:
    assert wait(house, name, preference=preference) == Refused(reason)
