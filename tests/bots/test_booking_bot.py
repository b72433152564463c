"""The booking bot with a real Synapse and an independent client: questions and taps, and what it tells by itself."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bots.booking.bot import Booking
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import NotYet
from bots.runtime.received import Message, Reaction
from bots.runtime.surroundings import Surroundings
from keyhouse.core.booking import BookingState
from keyhouse.core.ids import EventId, RoomId, SlotNumber, UserId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows import booking, booking_offers, booking_sessions
from keyhouse.core.workflows.booking_slots import withdraw_slots
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.memory import MemoryStore
from tests.bots.conftest import People
from tests.bots.living import LivingBot
from tests.support.booking_bot import CONDITIONS
from tests.support.client import Client
from tests.support.household import ANOREXIA, NOW, care_room, desk, person
from tests.support.therapy import ANY, DAY, DR, HOUR, RULES, add, plan

FROM_THE_HOUSE = "A message for you from the house."


class BookingHouse:
    """A house kept in memory, of which a running bot is the booking bot; slots 1, 2 and 3 are tomorrow and later."""

    def __init__(self, bot: LivingBot) -> None:
        self.bot, self.now, self.store = bot, NOW, MemoryStore()
        self.ledger = Ledger(self.store, Worker.BOOKING, self.clock)
        settings = HouseSettings(
            server_name=bot.user_id.partition(":")[2],
            homeserver="http://127.0.0.1:1",
            front_door="http://127.0.0.1:1",
            database="sqlite:///nowhere.db",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, bot.client.sending, UserId(bot.user_id), self.clock)
        self.booking = Booking(around, RULES, CONDITIONS)
        with self.store.writing() as tx:
            tx.people.add(person("dr-a", Role.CLINICIAN))
        self.slots = add(self.store, plan(*(NOW + number * DAY for number in (1, 2, 3))))

    def clock(self) -> datetime:
        """What the house takes for now."""
        return self.now

    async def moves_in(self, client: Client, name: str) -> str:
        """Give somebody a desk with the bot in it; its room."""
        user_id, room = UserId(client.user_id), RoomId(await self.bot.join(client))

        def keep(tx: Transaction) -> None:
            tx.people.add(Person(user_id, Role.PATIENT, PersonState.ACTIVE, name, NOW, 1))
            tx.people.grant(Key(user_id, ANOREXIA, "test", NOW))
            tx.rooms.put(replace(desk(name), room_id=room, members=frozenset({user_id})))

        await self.ledger.write(keep)
        return room

    async def books(self, client: Client, slot: int) -> None:
        """Have somebody booked."""
        numbers = (UserId(client.user_id), SlotNumber(slot), EventId(f"$book-{client.user_id}-{slot}"))
        await self.ledger.write(lambda tx: booking.book(tx, *numbers, RULES, self.now))

    async def waits(self, client: Client) -> None:
        """Put somebody on the waiting list."""
        await self.ledger.write(lambda tx: booking_offers.join(tx, UserId(client.user_id), ANY, self.now))

    async def gives_back(self, client: Client, slot: int) -> None:
        """Have somebody give a session back."""
        numbers = (UserId(client.user_id), SlotNumber(slot), EventId(f"$cancel-{client.user_id}-{slot}"))
        await self.ledger.write(lambda tx: booking.cancel(tx, *numbers, RULES, self.now))

    async def do(self) -> list[OutgoingKind]:
        """Do everything that is due; of which kinds it was."""
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.BOOKING, self.now, 99))
        for row in rows:
            await self.booking.do(row)
            await self.ledger.write(lambda tx, done=row: tx.outbox.done(done.id, self.now))  # type: ignore[misc]
        return [row.kind for row in rows]

    async def hears(self, client: Client, room: str, text: str) -> None:
        """Let somebody write, and hand it to the bot as the stream brings it."""
        sent = await client.send(room, text)
        await self.booking.received(await self.bot.seen.event(sent, Message))

    async def taps(self, client: Client, room: str, event_id: str, key: str) -> None:
        """Let somebody react, and hand the reaction to the bot as the stream brings it."""
        reaction = await client.react(room, event_id, key)
        await self.booking.received(await self.bot.seen.event(reaction, Reaction))

    def booked(self) -> dict[int, str]:
        """Who has which slot."""
        with self.store.reading() as tx:
            found = tx.bookings.listed(limit=9)
        return {one.slot: one.person for one in found if one.state is BookingState.BOOKED}


@pytest_asyncio.fixture(loop_scope="session")
async def house(bot: LivingBot) -> AsyncIterator[BookingHouse]:
    """A house of which this bot is the booking bot."""
    house = BookingHouse(bot)
    yield house
    house.ledger.close()


async def test_plain_words_and_a_tick_book_a_session(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.hears(river, room, "tomorrow after 9")
    await house.do()
    question = await river.wait_message(room, contains="Nothing is booked yet")
    offered = await river.wait_message(room, type="m.reaction", sender=house.bot.user_id)

    await house.taps(river, room, question.event_id, "👍")
    before = house.booked()
    await house.taps(river, room, question.event_id, "✅\ufe0f")
    await house.do()
    answer = await river.wait_message(room, contains="Booked: 1 · Tuesday 30 March, 11:00 to 11:50, online")

    assert question.body.startswith("I understood: Tuesday 30 March, from 09:00.")
    assert offered.content["m.relates_to"]["key"] == "✅"
    assert (before, house.booked()) == ({}, {1: river.user_id})
    assert answer.content["m.relates_to"]["m.in_reply_to"]["event_id"] == question.event_id


async def test_a_cross_under_the_question_books_nothing(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.hears(river, room, "tomorrow after 9")
    await house.do()
    question = await river.wait_message(room, contains="Nothing is booked yet")

    await house.taps(river, room, question.event_id, "❌")
    await house.do()

    await river.wait_message(room, contains="All right, nothing is booked by it")
    assert house.booked() == {}


async def test_a_reminder_rings_the_person_and_is_sent_once(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.books(river, 1)
    house.now = NOW + DAY - 2 * HOUR

    done = [await house.do(), await house.do()]
    reminder = await river.wait_message(room, contains="You have something booked at 11:00 with the team")

    assert done == [[OutgoingKind.REMINDER], []]
    assert reminder.body.startswith(FROM_THE_HOUSE)
    assert (reminder.content["msgtype"], reminder.content["m.mentions"]) == ("m.text", {"user_ids": [river.user_id]})


async def test_what_was_given_back_is_reminded_of_no_more(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.books(river, 1)
    await house.books(river, 2)
    await house.gives_back(river, 1)
    house.now = NOW + 2 * DAY - 2 * HOUR

    await house.do()

    # The reminder of the second session is the twin: when it is there, the first one's would be.
    reminder = await river.wait_message(room, contains="You have something booked")
    assert "!cancel 2" in reminder.body
    assert not [seen for seen in await river.events(room) if "!cancel 1" in seen.body]


async def test_what_becomes_free_is_offered_and_taken_by_a_tap(house: BookingHouse, person: People) -> None:
    river, clover = await person(), await person()
    room = await house.moves_in(river, "river")
    await house.moves_in(clover, "clover")
    await house.books(clover, 1)
    await house.waits(river)
    await house.gives_back(clover, 1)
    await house.do()
    offer = await river.wait_message(room, contains="A time with the team has become free")

    await house.taps(river, room, offer.event_id, "✅")
    await house.do()

    await river.wait_message(room, contains="Booked: 1")
    assert offer.body.startswith(FROM_THE_HOUSE)
    assert "kept for you until 11:30" in offer.body
    assert house.booked() == {1: river.user_id}


@pytest.mark.parametrize("how", ["a cross", "no answer"])
async def test_what_is_declined_or_not_answered_goes_to_the_next(house: BookingHouse, person: People, how: str) -> None:
    river, willow, clover = await person(), await person(), await person()
    rooms = [await house.moves_in(each, name) for each, name in ((river, "river"), (willow, "willow"))]
    await house.moves_in(clover, "clover")
    await house.books(clover, 1)
    await house.waits(river)
    house.now += timedelta(seconds=1)
    await house.waits(willow)
    await house.gives_back(clover, 1)
    await house.do()
    offer = await river.wait_message(rooms[0], contains="A time with the team has become free")

    if how == "a cross":
        await house.taps(river, rooms[0], offer.event_id, "❌")
    else:
        house.now += timedelta(minutes=31)
    for _ in range(3):
        await house.do()

    await willow.wait_message(rooms[1], contains="A time with the team has become free")
    assert house.booked() == {}


async def test_who_loses_a_session_reads_of_new_times(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.books(river, 1)

    await house.ledger.write(lambda tx: withdraw_slots(tx, [SlotNumber(1)], DR, NOW, even_if_booked=True))
    await house.do()
    told = await river.wait_message(room, contains="cannot take place")

    assert told.body.startswith(FROM_THE_HOUSE)
    assert "2 · Wednesday 31 March, 11:00 to 11:50, online" in told.body


async def test_who_missed_a_session_is_told_kindly(house: BookingHouse, person: People) -> None:
    river = await person()
    room = await house.moves_in(river, "river")
    await house.books(river, 1)
    house.now = NOW + DAY + HOUR

    await house.ledger.write(lambda tx: booking_sessions.mark_missed(tx, SlotNumber(1), DR, RULES, house.now))
    await house.do()

    await river.wait_message(room, contains="We missed you on Tuesday 30 March at 11:00. You are not in trouble")


async def test_a_therapist_is_told_in_the_care_room_under_the_persons_name_in_the_house(
    house: BookingHouse, person: People
) -> None:
    river, doctor = await person(), await person()
    await house.moves_in(river, "river-clover")
    room = RoomId(await house.bot.join(doctor))

    def keep(tx: Transaction) -> None:
        tx.rooms.put(replace(care_room(), room_id=room))
        tx.memberships.observe([Membership(room, DR, MembershipState.JOINED, NOW)])

    await house.ledger.write(keep)
    await house.books(river, 1)
    house.now = NOW + HOUR
    await house.gives_back(river, 1)
    await house.do()

    told = await doctor.wait_message(room, contains="river-clover gave back slot 1, Tuesday 30 March, 11:00 to 11:50")
    assert told.content["m.mentions"] == {"user_ids": [DR]}
    assert "anorexia" not in told.body


async def test_without_a_desk_a_message_waits_and_who_has_left_gets_none(house: BookingHouse, person: People) -> None:
    river = await person()
    await house.moves_in(river, "river")
    await house.books(river, 1)
    user_id = UserId(river.user_id)
    # A desk that is nobody's any more, as after a restored backup.
    await house.ledger.write(lambda tx: tx.rooms.put(replace(tx.rooms.desk_of(user_id), members=frozenset())))  # type: ignore[type-var]
    house.now = NOW + DAY - HOUR

    with pytest.raises(NotYet):
        await house.do()
    await house.ledger.write(
        lambda tx: tx.people.update(replace(tx.people.get(user_id), state=PersonState.CLOSED))  # type: ignore[type-var]
    )
    assert await house.do() == [OutgoingKind.REMINDER]
