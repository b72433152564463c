"""Booking at a desk: what is answered, over a store in memory. It is Monday 29 March 2027, 11:00 in London."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.slots import Mode
from keyhouse.core.workflows import booking_offers
from tests.support.booking_bot import AtTheDesks
from tests.support.household import AN_HOUR, BULIMIA, NOW, PERINATAL, user
from tests.support.therapy import ANY, DAY, RULES, add, book, cancel, leaving, plan, utc

TUESDAY = utc(2027, 4, 6, 15)


@pytest_asyncio.fixture(loop_scope="session")
async def desks() -> AsyncIterator[AtTheDesks]:
    """A house with slot 1 on Tuesday 6 April at 16:00 and slot 2, in person, two days later."""
    desks = AtTheDesks()
    add(desks.store, plan(TUESDAY))
    add(desks.store, plan(TUESDAY + 2 * DAY, therapist="dr-b", mode=Mode.IN_PERSON))
    yield desks
    desks.ledger.close()


async def test_what_is_free_is_listed_by_number_in_london_times_with_the_next_step(desks: AtTheDesks) -> None:
    assert await desks.says("!slots") == (
        "**Free, at any time**\n\n"
        "- **1** · Tuesday 6 April, 16:00 to 16:50, online\n"
        "- **2** · Thursday 8 April, 16:00 to 16:50, in person\n\n"
        "Write `!book 1` to take number 1."
    )


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("!slots tuesday after 3", {"**1**"}),
        ("! SLOTS thursdays", {"**2**"}),
        ("!slots in person", {"**2**"}),
        ("!slots next week", {"**1**", "**2**"}),
        ("!slots any time", {"**1**", "**2**"}),
    ],
)
async def test_only_what_fits_the_words_is_listed(desks: AtTheDesks, typed: str, numbers: set[str]) -> None:
    answer = await desks.says(typed)

    assert answer.startswith("**Free, ")
    assert {number for number in ("**1**", "**2**") if number in answer} == numbers


async def test_where_nothing_fits_the_nearest_others_are_named(desks: AtTheDesks) -> None:
    answer = await desks.says("!slots saturday mornings")

    assert answer.startswith("I understood: on Saturdays, before 12:00. Nothing is free then.")
    assert "- **1** · Tuesday 6 April, 16:00 to 16:50, online" in answer
    assert "`!waitlist`" in answer


@pytest.mark.parametrize("typed", ["!slots whenever the moon is full", "!book easter", "!waitlist soon"])
async def test_what_is_not_understood_is_answered_with_how_to_say_it(desks: AtTheDesks, typed: str) -> None:
    assert (await desks.says(typed)).startswith("I do not understand this time. Please say it like `tuesday after 4`")


async def test_a_long_list_goes_on_where_it_ended(desks: AtTheDesks) -> None:
    add(desks.store, plan(*(TUESDAY + number * 7 * DAY for number in range(1, 12))))

    first = await desks.says("!slots tuesdays")
    last_shown = first.rpartition("more ")[2].partition("`")[0]
    second = await desks.says(f"!slots tuesdays more {last_shown}")

    assert f"`!slots tuesdays more {last_shown}` shows them" in first
    assert second.count("· Tuesday") == 4
    assert not {line for line in first.splitlines() if line.startswith("- ")} & set(second.splitlines())


async def test_slots_of_another_condition_are_nowhere_to_be_seen(desks: AtTheDesks) -> None:
    (other,) = add(desks.store, plan(NOW + DAY, conditions=(BULIMIA, PERINATAL)))

    assert f"**{other}**" not in await desks.says("!slots")
    for typed in (f"!book {other}", f"!slots more {other}", "!book 999"):
        assert await desks.says(typed) == "No session with this number is open to you. `!slots` shows what is."


@pytest.mark.parametrize("typed", ["!book 1", "!book1", "! Book #1", "!book slot 1.", "!yes 1"])
async def test_a_session_is_booked_by_its_number_however_a_phone_wrote_it(desks: AtTheDesks, typed: str) -> None:
    assert await desks.says(typed) == (
        "Booked: **1** · Tuesday 6 April, 16:00 to 16:50, online. We will remind you two days and two hours before. "
        "`!cancel 1` gives it back, and `!move 1 N` moves it to number N."
    )


async def test_a_time_behind_book_is_no_number(desks: AtTheDesks) -> None:
    answer = await desks.says("!book tuesday after 2")

    assert answer.startswith("I understood: on Tuesdays, from 14:00. This one is free:")
    assert "nothing booked" in await desks.says("!mine")


async def test_the_same_event_again_books_and_answers_nothing_again(desks: AtTheDesks) -> None:
    first = await desks.says("!book 1", event="$once")
    await desks.says("!book 1", event="$once")

    with desks.store.reading() as tx:
        assert len(tx.bookings.listed(limit=9)) == 1
        assert len(leaving(tx, OutgoingKind.ANSWER)) == 1
    assert first.startswith("Booked: ")


async def test_of_two_people_the_second_is_told_plainly(desks: AtTheDesks) -> None:
    await desks.says("!book 1", "clover")

    assert (await desks.says("!book 1")).startswith("Somebody else has just taken this session.")


async def test_what_is_mine_is_listed_with_what_can_be_done(desks: AtTheDesks) -> None:
    await desks.says("!book 2")
    await desks.says("!waitlist mornings")

    assert await desks.says("!mine") == (
        "**You have booked**\n\n"
        "- **2** · Thursday 8 April, 16:00 to 16:50, in person\n\n"
        "`!cancel 2` gives number 2 back, and `!move 2 N` moves it to number N.\n\n"
        "You are on the waiting list: before 12:00. `!waitlist leave` takes you off it."
    )


@pytest.mark.parametrize("typed", ["!move 1 2", "!move 1 to 2", "!move #1 -> #2", "!move 1,2"])
async def test_a_session_is_moved(desks: AtTheDesks, typed: str) -> None:
    await desks.says("!book 1")

    answer = await desks.says(typed)

    assert answer.startswith("Moved: **2** · Thursday 8 April, 16:00 to 16:50, in person.")
    assert "therapist" not in answer


async def test_a_move_that_cannot_be_leaves_the_session_as_it_is(desks: AtTheDesks) -> None:
    await desks.says("!book 1")
    await desks.says("!book 2", "clover")

    assert (await desks.says("!move 1 2")).endswith("Your session stays as it is.")
    assert "**1**" in await desks.says("!mine")


async def test_a_session_is_given_back_in_time_without_any_word_about_it(desks: AtTheDesks) -> None:
    await desks.says("!book 1")
    desks.now = TUESDAY - DAY

    assert await desks.says("!cancel 1") == (
        "Given back: **1** · Tuesday 6 April, 16:00 to 16:50, online. `!slots` shows other times."
    )


async def test_inside_the_cut_off_it_is_given_back_kindly_and_the_therapist_is_told(desks: AtTheDesks) -> None:
    await desks.says("!book 1")
    desks.now = TUESDAY - DAY + timedelta(seconds=1)

    answer = await desks.says("!cancel 1")

    assert "It was less than 24 hours before, so your therapist is told that you cannot come; nothing follows" in answer
    with desks.store.reading() as tx:
        assert [row.content["about"] for row in leaving(tx, OutgoingKind.THERAPIST_NOTICE)] == ["late_cancel"]


@pytest.mark.parametrize("typed", ["!cancel 1", "!move 1 2"])
async def test_somebody_elses_session_is_as_unknown_as_none(desks: AtTheDesks, typed: str) -> None:
    before = await desks.says(typed)
    await desks.says("!book 1", "clover")

    assert await desks.says(typed) == before
    assert before.startswith("You have no session with this number.")


@pytest.mark.parametrize(
    ("typed", "asks"),
    [
        ("!book", "!book 3"),
        ("!cancel", "!cancel 3"),
        ("!move 3", "!move 3 7"),
        ("!yes", "!yes 3"),
        ("!no thanks", "!no 3"),
    ],
)
async def test_a_command_without_its_number_asks_for_it(desks: AtTheDesks, typed: str, asks: str) -> None:
    answer = await desks.says(typed)

    assert answer.startswith("Please say which one by its number")
    assert f"`{asks}`" in answer


async def test_plain_words_are_said_back_and_nothing_is_booked_before_a_yes(desks: AtTheDesks) -> None:
    row = await desks.answers("Tuesday after 3, please")
    before = await desks.says("!mine")

    answer = await desks.says("!yes")

    assert row is not None
    assert str(row.content["markdown"]).startswith(
        "I understood: on Tuesdays, from 15:00. This one is free:\n\n"
        "**1** · Tuesday 6 April, 16:00 to 16:50, online\n\n"
        "Tap ✅ or write `!yes` to book it. Nothing is booked yet."
    )
    assert (row.content["about"], row.content["taps"]) == ({"slot": 1}, ["✅", "❌"])
    assert before.startswith("You have nothing booked.")
    assert answer.startswith("Booked: **1**")


async def test_a_yes_is_for_what_was_asked_last_and_only_for_an_hour(desks: AtTheDesks) -> None:
    await desks.says("tuesday after 3")
    await desks.says("thursday after 3")
    assert (await desks.says("!yes", "clover")).startswith("Please say which one by its number")

    desks.now = NOW + AN_HOUR + timedelta(seconds=1)

    assert (await desks.says("!yes")).startswith("Please say which one by its number")
    desks.now = NOW + AN_HOUR
    assert (await desks.says("!yes")).startswith("Booked: **2**")


async def test_a_no_forgets_what_was_asked(desks: AtTheDesks) -> None:
    await desks.says("tuesday after 3")

    assert await desks.says("!no") == "All right, nothing is booked by it. `!slots` shows other times."
    assert (await desks.says("!yes")).startswith("Please say which one by its number")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"body": "help"}, id="a word for help"),
        pytest.param({"body": "call me"}, id="a wish to be called"),
        pytest.param({"body": "good morning"}, id="talk"),
        pytest.param({"body": "!rules"}, id="another bot's command"),
        pytest.param({"body": "!help"}, id="help, which the concierge answers"),
        pytest.param({"body": "!bok 1"}, id="mistyped, which the concierge answers"),
        pytest.param({"body": "* !book 1", "m.new_content": {"body": "!book 1"}}, id="an edit"),
        pytest.param({"body": "!book 1", "room": "!living-anorexia"}, id="elsewhere"),
        pytest.param({"body": "!book 1", "room": "!desk-clover"}, id="at somebody else's desk"),
        pytest.param({"body": "tuesday after 3", "who": "dr-a", "room": "!care"}, id="talk in the care room"),
        pytest.param({"body": {"not": "words"}}, id="a body that is none"),
    ],
)
async def test_what_is_not_for_booking_is_left_alone(desks: AtTheDesks, more: dict[str, Any]) -> None:
    assert await desks.says(**more) == ""


async def test_the_waiting_list_is_joined_changed_and_left(desks: AtTheDesks) -> None:
    joined, changed = await desks.says("!waitlist"), await desks.says("!waitlist tuesdays after 4 online")
    left, again = await desks.says("!waitlist leave"), await desks.says("!waitlist leave")

    assert joined.startswith("You are on the waiting list: at any time.")
    assert changed.startswith("You are on the waiting list: on Tuesdays, from 16:00, online.")
    assert left == "You are no longer on the waiting list. `!waitlist` puts you on it again."
    assert again.startswith("You were not on the waiting list.")


async def test_the_waiting_list_knows_no_dates(desks: AtTheDesks) -> None:
    assert (await desks.says("!waitlist 6 april")).startswith("The waiting list knows days of the week")


def offered(desks: AtTheDesks) -> None:
    """Have slot 1 given back by clover, while river waits, and tell river of it."""
    book(desks.store, "clover", 1)
    with desks.store.writing() as tx:
        booking_offers.join(tx, user("river"), ANY, NOW)
    cancel(desks.store, "clover", 1)
    with desks.store.writing() as tx:
        (row,) = leaving(tx, OutgoingKind.OFFER)
        booking_offers.present_offer(tx, row.content["offer"], RULES, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("typed", ["!yes", "!yes 1", "!book 1"])
async def test_what_is_offered_is_taken_with_or_without_its_number(desks: AtTheDesks, typed: str) -> None:
    offered(desks)

    mine = await desks.says("!mine")

    assert "Kept for you until 11:30: **1** · Tuesday 6 April, 16:00 to 16:50, online. `!yes 1` takes it" in mine
    assert (await desks.says(typed)).startswith("Booked: **1**")


@pytest.mark.parametrize("typed", ["!no", "!no 1"])
async def test_what_is_offered_is_declined_and_the_person_stays_on_the_list(desks: AtTheDesks, typed: str) -> None:
    offered(desks)

    assert (await desks.says(typed)).startswith("All right, it goes to somebody else. You stay on the waiting list")
    assert "Kept for you" not in await desks.says("!mine")
    assert "You are on the waiting list: at any time." in await desks.says("!mine")


async def test_a_yes_between_an_offer_and_a_question_asks_which(desks: AtTheDesks) -> None:
    offered(desks)
    await desks.says("thursday after 3")

    assert (await desks.says("!yes")).startswith("Please say which one by its number")


async def test_what_is_long_over_is_kept_as_kept(desks: AtTheDesks) -> None:
    await desks.says("!book 1")
    desks.now = TUESDAY + 8 * DAY

    await desks.bot.keep_what_is_over()

    assert desks.bot.counters["sessions_kept"] == 1
    with desks.store.reading() as tx:
        assert [one.state.value for one in tx.bookings.listed(limit=9)] == ["kept"]
