"""Book, move, cancel: what is kept, what is told, what is refused."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.ids import BookingNumber, SlotNumber
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import PersonState, Role
from keyhouse.core.reminders import Reminder, ReminderMoment
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.booking import Asked, give_back_all, mine, new_times, open_slots, reminder_to_tell
from keyhouse.core.workflows.booking_offers import join
from keyhouse.core.workflows.booking_slots import Added, Withdrawal, add_slots, withdraw_slots
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, ANOREXIA, BULIMIA, KNOWN, NOW, key, person, user
from tests.support.therapy import ANY, DAY, DR, HOUR, RULES, add, book, cancel, furnish, leaving, move, plan

RIVER, CLOVER = user("river"), user("clover")
REMINDER, NOTICE, TOLD = OutgoingKind.REMINDER, OutgoingKind.BOOKING_NOTICE, OutgoingKind.THERAPIST_NOTICE


@pytest.fixture
def house() -> MemoryStore:
    """A house with two therapists, two patients and slots 1 to 4, a week apart from each other, at eleven in London."""
    store = MemoryStore()
    furnish(store, "river", "clover")
    add(store, plan(*[NOW + week * 7 * DAY for week in (1, 2, 3, 4)]))
    return store


def reminders(store: MemoryStore) -> list[tuple[int, int, str]]:
    """Every reminder that would still be told at its moment: booking, sequence, which."""
    with store.reading() as tx:
        told = []
        for row in leaving(tx, REMINDER):
            number, sequence, which = (row.content[word] for word in ("booking", "sequence", "moment"))
            moment = ReminderMoment(str(which))
            if reminder_to_tell(tx, BookingNumber(number), sequence, moment, row.due_at):  # type: ignore[arg-type]
                told.append((number, sequence, str(which)))
        return told  # type: ignore[return-value]


def test_a_booked_slot_is_kept_with_its_reminders_and_noted_without_a_condition(house: MemoryStore) -> None:
    booking = book(house, "river", 2)

    assert isinstance(booking, Booking)
    assert (booking.slot, booking.person, booking.state) == (2, RIVER, BookingState.BOOKED)
    assert reminders(house) == [(booking.number, 0, "two_days"), (booking.number, 0, "two_hours")]
    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == [booking]
        due = [row.due_at for row in leaving(tx, REMINDER)]
        assert tx.audit.verify().ok
    assert due == [booking.starts_at - 48 * HOUR, booking.starts_at - 2 * HOUR]


def test_the_same_message_again_answers_the_same_booking(house: MemoryStore) -> None:
    first = book(house, "river", 2, "$one")

    again = book(house, "river", 2, "$one")
    for_another_slot = book(house, "river", 3, "$one")

    assert first == again == for_another_slot
    assert len(reminders(house)) == 2


def test_the_same_message_again_answers_what_became_of_its_booking(house: MemoryStore) -> None:
    book(house, "river", 2, "$one")
    cancelled = cancel(house, "river", 2, "$two")
    taken = book(house, "clover", 2, "$three")

    assert book(house, "river", 2, "$one") == cancelled
    assert cancel(house, "river", 2, "$two") == cancelled
    assert isinstance(taken, Booking)
    assert taken.person == CLOVER


def test_somebody_elses_message_does_nothing(house: MemoryStore) -> None:
    book(house, "river", 2, "$one")

    assert book(house, "clover", 3, "$one") == Refused(Reason.BOOKING_UNKNOWN)
    assert book(house, "clover", 3, "$two") != Refused(Reason.BOOKING_UNKNOWN)


def test_of_two_people_the_first_has_the_slot(house: MemoryStore) -> None:
    first, second = book(house, "river", 2), book(house, "clover", 2)

    assert isinstance(first, Booking)
    assert second == Refused(Reason.SLOT_TAKEN)
    assert book(house, "river", 2, "$more") == Refused(Reason.SLOT_YOURS)


def test_the_cap_counts_what_is_still_to_come(house: MemoryStore) -> None:
    book(house, "river", 1)
    book(house, "river", 2)

    assert book(house, "river", 3, now=NOW) == Refused(Reason.BOOKINGS_FULL)
    assert isinstance(book(house, "river", 3, now=NOW + 8 * DAY), Booking)


@pytest.mark.parametrize("number", [9, 2**40], ids=["unknown", "absurd"])
def test_a_number_that_is_none_is_refused(house: MemoryStore, number: int) -> None:
    assert book(house, "river", number) == Refused(Reason.SLOT_UNKNOWN)
    assert cancel(house, "river", number) == Refused(Reason.BOOKING_UNKNOWN)
    assert move(house, "river", number, 2) == Refused(Reason.BOOKING_UNKNOWN)


def test_a_slot_of_another_condition_is_as_unknown_as_none(house: MemoryStore) -> None:
    (other,) = add(house, plan(NOW + 9 * DAY, conditions=(BULIMIA,)))

    before = book(house, "river", other)
    with house.writing() as tx:
        tx.people.grant(key("river", BULIMIA))

    assert before == Refused(Reason.SLOT_UNKNOWN)
    assert isinstance(book(house, "river", other, "$again"), Booking)


def test_whose_key_has_run_out_books_nothing_but_keeps_what_is_booked(house: MemoryStore) -> None:
    booking = book(house, "river", 2)
    with house.writing() as tx:
        tx.people.revoke(RIVER, ANOREXIA, NOW)

    assert book(house, "river", 3) == Refused(Reason.SLOT_UNKNOWN)
    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == [booking]
        assert open_slots(tx, RIVER, Asked(), NOW) == []
    assert isinstance(cancel(house, "river", 2), Booking)


def test_a_moved_booking_is_the_same_one_elsewhere_with_new_reminders(house: MemoryStore) -> None:
    booking = book(house, "river", 2)
    assert isinstance(booking, Booking)

    moved = move(house, "river", 2, 3)

    assert isinstance(moved, Booking)
    assert (moved.number, moved.slot, moved.sequence, moved.late) == (booking.number, 3, 1, False)
    assert reminders(house) == [(booking.number, 1, "two_days"), (booking.number, 1, "two_hours")]
    assert isinstance(book(house, "clover", 2), Booking)
    assert move(house, "river", 2, 3) == moved


@pytest.mark.parametrize(
    ("to", "reason"), [(3, Reason.SLOT_TAKEN), (2, Reason.SLOT_YOURS), (9, Reason.SLOT_UNKNOWN)], ids=str
)
def test_a_move_that_is_refused_leaves_the_booking_where_it_was(house: MemoryStore, to: int, reason: Reason) -> None:
    booking = book(house, "river", 2)
    book(house, "clover", 3)
    before = reminders(house)

    assert move(house, "river", 2, to) == Refused(reason)

    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == [booking]
    assert reminders(house) == before


def test_nobody_moves_or_cancels_what_is_somebody_elses(house: MemoryStore) -> None:
    booking = book(house, "river", 2)

    assert move(house, "clover", 2, 3) == Refused(Reason.BOOKING_UNKNOWN)
    assert cancel(house, "clover", 2) == Refused(Reason.BOOKING_UNKNOWN)
    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == [booking]


@pytest.mark.parametrize(
    ("left", "late"), [(24 * HOUR, False), (24 * HOUR - A_SECOND, True), (A_SECOND, True)], ids=str
)
def test_inside_the_cut_off_a_session_is_given_back_as_late_and_the_therapist_is_told(
    house: MemoryStore, left: timedelta, late: bool
) -> None:
    booking = book(house, "river", 2)
    assert isinstance(booking, Booking)

    ended = cancel(house, "river", 2, now=booking.starts_at - left)

    assert isinstance(ended, Booking)
    assert (ended.state, ended.late, ended.sequence) == (BookingState.CANCELLED, late, 1)
    with house.reading() as tx:
        told = leaving(tx, TOLD)
    assert [(row.content["therapist"], row.content["about"]) for row in told] == [(DR, "late_cancel")] * late
    assert reminders(house) == []


def test_a_late_move_is_told_to_whose_slot_it_was(house: MemoryStore) -> None:
    booking = book(house, "river", 1)
    assert isinstance(booking, Booking)

    moved = move(house, "river", 1, 2, now=booking.starts_at - HOUR)

    assert isinstance(moved, Booking)
    assert moved.late
    with house.reading() as tx:
        (row,) = leaving(tx, TOLD)
    assert (row.content["slot"], row.content["about"]) == (1, "late_move")


@pytest.mark.parametrize("left", [timedelta(0), -HOUR], ids=str)
def test_what_has_begun_stays_as_it_is(house: MemoryStore, left: timedelta) -> None:
    booking = book(house, "river", 1)
    assert isinstance(booking, Booking)
    then = booking.starts_at - left

    expected = Refused(Reason.BOOKING_BEGUN)
    assert (cancel(house, "river", 1, now=then), move(house, "river", 1, 2, now=then)) == (expected, expected)


def test_a_reminder_says_what_it_is_about(house: MemoryStore) -> None:
    booking = book(house, "river", 1)
    assert isinstance(booking, Booking)

    with house.reading() as tx:
        now = booking.starts_at - 2 * HOUR
        reminder = reminder_to_tell(tx, booking.number, 0, ReminderMoment.TWO_HOURS, now)

    assert reminder == Reminder(booking, ReminderMoment.TWO_HOURS, 2 * HOUR, is_late=False)


def test_somebody_who_leaves_gives_everything_back(house: MemoryStore) -> None:
    book(house, "river", 1)
    book(house, "river", 2)
    with house.writing() as tx:
        join(tx, RIVER, ANY, NOW)
        join(tx, CLOVER, ANY, NOW)
        assert give_back_all(tx, RIVER, RULES, NOW) == 2
        assert give_back_all(tx, RIVER, RULES, NOW) == 0

    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == []
        offer = tx.waiting_list.open_offer(SlotNumber(1))
        assert tx.waiting_list.get(RIVER) is None
        assert tx.audit.verify().ok
    assert offer is not None
    assert offer.person == CLOVER


def _withdraw(store: MemoryStore, *numbers: int, sure: bool = False, by: str = "host") -> Withdrawal | Refused:
    with store.writing() as tx:
        return withdraw_slots(tx, {SlotNumber(number) for number in numbers}, by, NOW, even_if_booked=sure)


def test_a_withdrawal_first_says_whom_it_concerns(house: MemoryStore) -> None:
    booking = book(house, "river", 2)

    asked = _withdraw(house, 1, 2)

    assert isinstance(asked, Withdrawal)
    assert (asked.done, asked.affected) == (False, (booking,))
    with house.reading() as tx:
        assert mine(tx, RIVER, NOW) == [booking]
        assert leaving(tx, NOTICE) == []


def test_a_withdrawn_session_is_cancelled_with_a_notice_and_new_times(house: MemoryStore) -> None:
    booking = book(house, "river", 2)
    add(house, plan(NOW + 9 * DAY, therapist="dr-b"))
    assert isinstance(booking, Booking)

    done = _withdraw(house, 1, 2, sure=True)

    assert isinstance(done, Withdrawal)
    (ended,) = done.affected
    assert (done.done, ended.state, ended.sequence, ended.late) == (True, BookingState.CANCELLED, 1, False)
    assert all(slot.withdrawn_at == NOW for slot in done.slots)
    with house.reading() as tx:
        (notice,) = leaving(tx, NOTICE)
        offered = [slot.number for slot in new_times(tx, ended, NOW)]
    assert (notice.content["person"], notice.content["about"]) == (RIVER, "withdrawn")
    assert offered == [3, 4, 5]
    assert reminders(house) == []
    assert book(house, "clover", 2) == Refused(Reason.SLOT_WITHDRAWN)


@pytest.mark.parametrize(
    ("numbers", "by", "reason"),
    [
        ((1, 9), "host", Reason.SLOT_NOT_THERE),
        ((), "host", Reason.SLOT_NOT_THERE),
        ((1,), RIVER, Reason.NOT_THE_TEAM),
        ((1,), "@nobody:keyhouse.test", Reason.NOT_THE_TEAM),
    ],
    ids=["one unknown", "none", "a patient", "nobody"],
)
def test_a_withdrawal_that_cannot_be_changes_nothing(
    house: MemoryStore, numbers: tuple[int, ...], by: str, reason: Reason
) -> None:
    assert _withdraw(house, *numbers, by=by) == Refused(reason)
    assert isinstance(_withdraw(house, 1, by=DR), Withdrawal)


def test_what_has_begun_is_not_withdrawn(house: MemoryStore) -> None:
    with house.writing() as tx:
        assert withdraw_slots(tx, [SlotNumber(1)], "host", NOW + 7 * DAY) == Refused(Reason.SLOT_OVER)


def _plan(store: MemoryStore, *starts: datetime, by: str = "host") -> Added | Refused:
    with store.writing() as tx:
        return add_slots(tx, plan(*starts), KNOWN, by, RULES, NOW)


def test_a_series_is_added_whole_or_not_at_all_and_every_conflict_is_listed(house: MemoryStore) -> None:
    starts = [NOW + week * 7 * DAY + HOUR / 2 for week in range(1, 8)]

    refused = _plan(house, *starts)
    later = _plan(house, *[start + HOUR for start in starts])

    assert isinstance(refused, Added)
    assert (refused.slots, [one.taken_by.number for one in refused.conflicts if one.taken_by]) == ((), [1, 2, 3, 4])
    assert isinstance(later, Added)
    assert [slot.number for slot in later.slots] == list(range(5, 12))


def test_slots_are_added_by_the_team_alone(house: MemoryStore) -> None:
    assert _plan(house, NOW + DAY, by=RIVER) == Refused(Reason.NOT_THE_TEAM)
    assert _plan(house, NOW, by=DR) == Refused(Reason.TIME_PAST)
    assert isinstance(_plan(house, NOW + DAY, by=DR), Added)


def test_two_therapists_may_work_at_the_same_time(house: MemoryStore) -> None:
    assert len(add(house, plan(NOW + 7 * DAY, therapist="dr-b"))) == 1


@pytest.mark.parametrize("state", [PersonState.PAUSED, PersonState.CLOSED], ids=str)
def test_a_pause_does_not_cut_therapy_and_a_closed_account_books_nothing(
    house: MemoryStore, state: PersonState
) -> None:
    with house.writing() as tx:
        tx.people.update(person("river", state=state))

    assert isinstance(book(house, "river", 1), Booking if state is PersonState.PAUSED else Refused)


def test_the_team_books_nothing_for_itself(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.update(replace(person("river"), role=Role.CLINICIAN))

    assert book(house, "river", 1) == Refused(Reason.ROLE_NOT_BOOKED)
