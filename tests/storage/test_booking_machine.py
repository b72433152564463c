"""Every command in any order, in memory and on SQLite at once: both answer alike, and nothing is lost or doubled."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.ids import BookingNumber, EventId, OfferId, SlotNumber
from keyhouse.core.outgoing import Outgoing, OutgoingKind
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.reminders import BEFORE, ReminderMoment, find_reminder
from keyhouse.core.slots import Mode, Preference
from keyhouse.core.workflows import booking, booking_offers, booking_sessions
from keyhouse.core.workflows.booking_slots import Added, add_slots, withdraw_slots
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.memory import MemoryStore
from keyhouse.storage.store import SqlStore, open_store
from tests.support.household import KNOWN, NOW, user
from tests.support.therapy import ANY, DAY, DR, HOUR, RULES, furnish, leaving, plan

T = TypeVar("T")
NAMES = ("river", "clover", "fern")
HOUSE_RULES = replace(RULES, missed_within=timedelta(days=5))
MANY = settings(
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

people = st.sampled_from(NAMES)
numbers = st.integers(1, 9).map(SlotNumber)
hours_away = st.integers(1, 90)
preferences = st.builds(
    Preference,
    weekdays=st.sampled_from([frozenset(range(7)), frozenset({1, 2}), frozenset({3, 4, 5, 6, 0})]),
    from_minute=st.sampled_from([0, 600]),
    mode=st.sampled_from([None, Mode.ONLINE]),
)


class Bookings(RuleBasedStateMachine):
    """Two stores in one step, and what the tests remember: who had what, and since when."""

    template: ClassVar[Path]
    folder: ClassVar[Path]
    made: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Bookings.made += 1
        file = shutil.copy(self.template, self.folder / f"{Bookings.made}.db")
        self.kept: SqlStore = open_store(f"sqlite:///{file}", HouseKeys(*(bytes([n]) * 32 for n in range(3))))
        self.stores: tuple[Store, ...] = (MemoryStore(), self.kept)
        self.now, self.events = NOW, 0
        self.known: dict[BookingNumber, Booking] = {}
        self.set_at: dict[tuple[BookingNumber, int], object] = {}
        self.told: set[tuple[object, ...]] = set()
        for store in self.stores:
            furnish(store, *NAMES)

    def teardown(self) -> None:
        self.kept.close()

    def do(self, doing: Callable[[Transaction], T]) -> T:
        """Do something in both stores, which must answer alike."""
        answers = []
        for store in self.stores:
            with store.writing() as tx:
                answers.append(doing(tx))
        assert answers[0] == answers[1]
        return answers[0]

    def note(self, answer: object) -> None:
        """Remember what became of a booking."""
        if isinstance(answer, Booking):
            self.known[answer.number] = answer
            self.set_at.setdefault((answer.number, answer.sequence), self.now)

    def event(self) -> EventId:
        self.events += 1
        return EventId(f"${self.events}")

    @initialize(hours=st.lists(hours_away, min_size=3, max_size=5, unique=True))
    def begin(self, hours: list[int]) -> None:
        """River has a session, and the others wait for one like it."""
        for hour in hours:
            self.add(hour, "dr-a", 1)
        for number in range(1, len(hours)):
            self.book("river", SlotNumber(number))
        for name in ("fern", "clover"):
            self.join(name, ANY)
            self.now += timedelta(minutes=1)

    @rule(hour=hours_away, therapist=st.sampled_from(["dr-a", "dr-b"]), weeks=st.integers(1, 2))
    def add(self, hour: int, therapist: str, weeks: int) -> None:
        starts = [self.now + hour * HOUR / 2 + week * 7 * DAY for week in range(weeks)]
        wanted = plan(*starts, therapist=therapist)
        answer = self.do(lambda tx: _numbers(add_slots(tx, wanted, KNOWN, "host", HOUSE_RULES, self.now)))
        assert answer == [] or len(answer) == weeks

    @rule(number=numbers, sure=st.booleans())
    def withdraw(self, number: SlotNumber, sure: bool) -> None:
        answer = self.do(lambda tx: withdraw_slots(tx, [number], "host", self.now, even_if_booked=sure))
        if hasattr(answer, "affected") and answer.done:
            for ended in answer.affected:
                self.note(ended)

    @rule(name=people, number=numbers)
    def book(self, name: str, number: SlotNumber) -> None:
        event = self.event()
        answer = self.do(lambda tx: booking.book(tx, user(name), number, event, HOUSE_RULES, self.now))
        again = self.do(lambda tx: booking.book(tx, user(name), number, event, HOUSE_RULES, self.now))
        assert again == answer
        self.note(answer)

    @rule(name=people, number=numbers, to=numbers)
    def move(self, name: str, number: SlotNumber, to: SlotNumber) -> None:
        event = self.event()
        self.note(self.do(lambda tx: booking.move(tx, user(name), (number, to), event, HOUSE_RULES, self.now)))

    @precondition(lambda self: any(one.state is BookingState.BOOKED for one in self.known.values()))
    @rule(data=st.data(), to=numbers, cancels=st.booleans())
    def change_ones_own(self, data: st.DataObject, to: SlotNumber, cancels: bool) -> None:
        booked = sorted(n for n, one in self.known.items() if one.state is BookingState.BOOKED)
        mine = self.known[data.draw(st.sampled_from(booked))]
        event = self.event()
        if cancels:
            self.note(self.do(lambda tx: booking.cancel(tx, mine.person, mine.slot, event, HOUSE_RULES, self.now)))
        else:
            there = (mine.slot, to)
            self.note(self.do(lambda tx: booking.move(tx, mine.person, there, event, HOUSE_RULES, self.now)))

    @rule(name=people, preference=preferences)
    def join(self, name: str, preference: Preference) -> None:
        self.do(lambda tx: booking_offers.join(tx, user(name), preference, self.now))

    @rule(name=people)
    def leave(self, name: str) -> None:
        self.do(lambda tx: booking_offers.leave(tx, user(name), HOUSE_RULES, self.now))

    @precondition(lambda self: self._pending())
    @rule()
    def lose_a_hold(self) -> None:
        """Let a hold run out while the bot stands still, and somebody else be quicker than the next in turn."""
        self.now += HOUR
        with self.kept.reading() as tx:
            held = [one.slot.number for one in tx.slots.listed(ends_after=self.now, limit=99) if one.offer]
        for number in held[:1]:
            self.book("river", number)

    def _pending(self) -> bool:
        with self.kept.reading() as tx:
            return any(one.offer for one in tx.slots.listed(ends_after=self.now, limit=99))

    @rule(name=people, priority=st.integers(0, 2))
    def prioritise(self, name: str, priority: int) -> None:
        self.do(lambda tx: booking_offers.set_priority(tx, user(name), priority, DR, self.now))

    @rule(name=people, number=numbers)
    def decline(self, name: str, number: SlotNumber) -> None:
        self.do(lambda tx: booking_offers.decline(tx, user(name), number, HOUSE_RULES, self.now))

    @rule(number=numbers, came=st.booleans())
    def settle(self, number: SlotNumber, came: bool) -> None:
        if came:
            self.note(self.do(lambda tx: booking_sessions.mark_kept(tx, number, DR, self.now)))
        else:
            self.note(self.do(lambda tx: booking_sessions.mark_missed(tx, number, DR, HOUSE_RULES, self.now)))

    @rule(passes=st.sampled_from([timedelta(minutes=31), 3 * HOUR, 11 * HOUR, DAY]), stands_still=st.booleans())
    def wait(self, passes: timedelta, stands_still: bool) -> None:
        """Let time pass; the bot does what is due, unless it stands still and does it late."""
        self.now += passes
        if not stands_still:
            self.let_the_bot_work()

    @rule()
    def let_the_bot_work(self) -> None:
        while done := self.do(self._do_what_is_due):
            for one in done:
                assert one not in self.told
                self.told.add(one)

    def _do_what_is_due(self, tx: Transaction) -> list[tuple[object, ...]]:
        due = [row for row in leaving(tx) if row.due_at <= self.now]
        for row in due:
            if row.kind is OutgoingKind.OFFER:
                offer = booking_offers.present_offer(tx, _offer(row), HOUSE_RULES, self.now)
                assert offer is None or 8 <= self.now.astimezone(HOUSE_RULES.zone).hour < 21
            elif row.kind is OutgoingKind.OFFER_LAPSE:
                booking_offers.lapse_offer(tx, _offer(row), HOUSE_RULES, self.now)
            tx.outbox.done(row.id, self.now)
        return [_key(row) for row in due]

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        with self.stores[0].reading() as tx:
            open_in_memory = self._open_to(tx)
        with self.kept.reading() as tx:
            kept = {one.number: one for one in tx.bookings.listed(limit=999)}
            standing = tx.slots.listed(ends_after=self.now, limit=999)
            open_here = self._open_to(tx)
            reminders = leaving(tx, OutgoingKind.REMINDER)
        assert kept == self.known
        assert open_here == open_in_memory
        open_to = {number for numbers_of in open_here.values() for number in numbers_of}
        live = [one for one in kept.values() if one.state is not BookingState.CANCELLED]
        assert max(Counter(one.slot for one in live).values(), default=0) <= 1
        self._nobody_is_in_two_places([one for one in live if one.state is BookingState.BOOKED])
        for one in standing:
            is_to_come = one.slot.withdrawn_at is None and one.slot.starts_at > self.now
            assert ((one.booking is None) and is_to_come) == (one.slot.number in open_to)
            assert one.booking is None or one.offer is None
            assert one.slot.withdrawn_at is None or (one.booking, one.offer) == (None, None)
        blocks = [one.slot for one in standing if one.slot.withdrawn_at is None]
        for first, second in combinations(blocks, 2):
            apart = first.ends_at <= second.starts_at or second.ends_at <= first.starts_at
            assert apart or first.therapist != second.therapist
        self._reminders_are_those_of_what_is_booked(reminders)

    def _open_to(self, tx: Transaction) -> dict[str, list[SlotNumber]]:
        asked = booking.Asked()
        return {
            name: [slot.number for slot in booking.open_slots(tx, user(name), asked, self.now, 999)] for name in NAMES
        }

    def _nobody_is_in_two_places(self, booked: list[Booking]) -> None:
        for name in NAMES:
            theirs = sorted((one.starts_at, one.ends_at) for one in booked if one.person == user(name))
            assert sum(ends_at > self.now for _, ends_at in theirs) <= HOUSE_RULES.open_at_most
            assert all(before[1] <= after[0] for before, after in pairwise(theirs))

    def _reminders_are_those_of_what_is_booked(self, rows: list[Outgoing]) -> None:
        waiting = {
            _key(row)
            for row in rows
            if find_reminder(self.known[_number(row)], int(str(row.content["sequence"])), _moment(row), row.due_at)
        }
        expected = {
            ("reminder", one.number, one.sequence, moment.value)
            for one in self.known.values()
            for moment, before in BEFORE.items()
            if one.state is BookingState.BOOKED and one.starts_at - before > self.set_at[one.number, one.sequence]  # type: ignore[operator]
        }
        assert waiting == expected - self.told


def _numbers(answer: object) -> list[int]:
    return [slot.number for slot in answer.slots] if isinstance(answer, Added) else []


def _offer(row: Outgoing) -> OfferId:
    return OfferId(int(str(row.content["offer"])))


def _number(row: Outgoing) -> BookingNumber:
    return BookingNumber(int(str(row.content["booking"])))


def _moment(row: Outgoing) -> ReminderMoment:
    return ReminderMoment(str(row.content["moment"]))


def _key(row: Outgoing) -> tuple[object, ...]:
    if row.kind is OutgoingKind.REMINDER:
        return (row.kind.value, row.content["booking"], row.content["sequence"], row.content["moment"])
    return (row.kind.value, row.once)


def test_whatever_people_do_no_slot_is_lost_or_doubled(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bookings, "template", sqlite_template, raising=False)
    monkeypatch.setattr(Bookings, "folder", tmp_path, raising=False)

    run_state_machine_as_test(Bookings, settings=MANY)
