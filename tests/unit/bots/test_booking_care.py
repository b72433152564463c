"""Slots and sessions in the care room: what is answered, over a store in memory. It is Monday 29 March 2027."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import Role
from keyhouse.core.slots import Mode
from tests.support.booking_bot import AtTheDesks
from tests.support.household import ANOREXIA, BULIMIA, NOW, PERINATAL, person, user
from tests.support.therapy import DAY, HOUR, add, book, leaving, plan, utc


@pytest_asyncio.fixture(loop_scope="session")
async def desks() -> AsyncIterator[AtTheDesks]:
    """A house without slots."""
    desks = AtTheDesks()
    yield desks
    desks.ledger.close()


@pytest.mark.parametrize(
    "typed",
    [
        '!slots add --at "2027-04-06 16:00" --minutes 50',
        "!slots add —at “2027-04-06 16:00” —minutes 50",
        "!slots add 2027-04-06 16:00 50 minutes",
        "!Slots Add 2027-04-06T16:00",
    ],
)
async def test_a_slot_is_added_in_the_words_of_the_command_line_or_without_dashes(
    desks: AtTheDesks, typed: str
) -> None:
    assert await desks.writes(typed) == (
        "Added 1 slot:\n\n- **1** · Tuesday 6 April, 16:00 to 16:50, online\n\n`!slots withdraw 1` takes number 1 away."
    )
    with desks.store.reading() as tx:
        (standing,) = tx.slots.listed(ends_after=NOW, limit=9)
    assert standing.slot.therapist == user("dr-a")
    # Whom the service of this care room looks after.
    assert standing.slot.conditions == {ANOREXIA, BULIMIA}


async def test_everything_can_be_said_about_a_series(desks: AtTheDesks) -> None:
    answer = await desks.writes(
        "!slots add 2027-10-18 09:00 30 weekly until 2027-11-15 except 2027-11-01, 2027-11-08 in person "
        "condition perinatal therapist dr-b before 10 after 5"
    )

    assert answer.startswith("Added 3 slots:")
    with desks.store.reading() as tx:
        slots = [one.slot for one in tx.slots.listed(ends_after=NOW, limit=9)]
    assert [one.starts_at for one in slots] == [utc(2027, 10, 18, 8), utc(2027, 10, 25, 8), utc(2027, 11, 15, 9)]
    assert {(one.therapist, one.mode, one.conditions) for one in slots} == {
        (user("dr-b"), Mode.IN_PERSON, frozenset({PERINATAL}))
    }
    assert slots[0].blocked.starts_at == utc(2027, 10, 18, 7, 50)
    assert slots[0].blocked.ends_at == utc(2027, 10, 18, 8, 35)


REFUSED = {
    "": "Please say when the session begins",
    "tuesday": "I do not understand “tuesday”.",
    "2027-04-06": "'2027-04-06' is not a time",
    "2027-04-06 16:00 weekly": "a weekly series needs an end",
    "2027-04-06 16:00 until 2027-05-01": "`until` and `except` belong to a weekly series.",
    "2027-04-06 16:00 weekly until": "Something is missing after “until”.",
    "2027-04-06 16:00 before ten": "“ten” is not a number of minutes.",
    '2027-04-06 "16:00': "A quotation mark is missing.",
    "2028-03-26 01:30": "26 March 2028, 01:30 does not exist",
    "2027-10-31 01:30": "31 October 2027, 01:30 happens twice",
    "2020-04-06 16:00": "This time is past.",
    "2027-04-06 16:00 condition gout": "No such condition",
    "2027-04-06 16:00 therapist nobody": "Slots belong to an active clinician's account.",
    "2027-04-06 16:00 weekly until 2099-01-01": "At most 200 slots are added at once.",
}


@pytest.mark.parametrize("words", REFUSED)
async def test_what_cannot_be_added_is_refused_in_one_sentence_and_nothing_is_added(
    desks: AtTheDesks, words: str
) -> None:
    answer = await desks.writes(f"!slots add {words}")

    assert answer.startswith(REFUSED[words])
    with desks.store.reading() as tx:
        assert tx.slots.listed(ends_after=NOW, limit=9) == []


async def test_every_conflict_of_a_series_is_listed(desks: AtTheDesks) -> None:
    await desks.writes("!slots add 2027-04-06 16:00 weekly until 2027-04-20")

    answer = await desks.writes("!slots add 2027-04-06 16:30 weekly until 2027-04-27")

    assert answer.startswith("Nothing was added; leave these out with `except`, or choose another time:")
    assert answer.count("is in the way, with its buffers") == 3
    assert "- Tuesday 6 April at 16:30: slot 1, Tuesday 6 April at 16:00, is in the way, with its buffers" in answer


@pytest.mark.parametrize("typed", ["!slots", "!slots mine"])
async def test_a_therapist_sees_the_own_slots_and_who_booked_them(desks: AtTheDesks, typed: str) -> None:
    add(desks.store, plan(NOW + DAY, NOW + 2 * DAY))
    add(desks.store, plan(NOW + DAY, therapist="dr-b"))
    book(desks.store, "river", 1)

    assert await desks.writes(typed) == (
        "**Your slots**\n\n"
        "- **1** · Tuesday 30 March, 11:00 to 11:50, online: booked by river\n"
        "- **2** · Wednesday 31 March, 11:00 to 11:50, online: open"
    )


async def test_a_therapist_without_slots_reads_how_to_add_one(desks: AtTheDesks) -> None:
    assert "`!slots add 2027-03-29 10:00" in await desks.writes("!slots mine")
    assert "`!slots add 2027-03-29 10:00" in await desks.writes("!slots please")


async def test_withdrawing_says_first_whom_it_concerns_and_then_tells_them(desks: AtTheDesks) -> None:
    add(desks.store, plan(NOW + DAY, NOW + 2 * DAY))
    book(desks.store, "river", 1)

    first, free = await desks.writes("!slots withdraw 1 2"), await desks.says("!slots", "clover")
    second = await desks.writes("!slots withdraw 1, 2 yes")

    assert first == (
        "Nothing was changed, because these are booked:\n\n- 1: Tuesday 30 March at 11:00, river\n\n"
        "Write `!slots withdraw 1 2 yes` to cancel these sessions: each person is told, with new times."
    )
    assert "**2**" in free
    assert second.startswith("Withdrawn: 1 2.")
    with desks.store.reading() as tx:
        assert [row.content["about"] for row in leaving(tx, OutgoingKind.BOOKING_NOTICE)] == ["withdrawn"]


@pytest.mark.parametrize("typed", ["!slots withdraw", "!slots withdraw the first", "!slots withdraw yes"])
async def test_withdrawing_needs_numbers(desks: AtTheDesks, typed: str) -> None:
    assert (await desks.writes(typed)).startswith("Please say which slots by their numbers")


async def test_a_missed_session_is_marked_and_put_right(desks: AtTheDesks) -> None:
    add(desks.store, plan(NOW + HOUR))
    book(desks.store, "river", 1)
    early = await desks.writes("!missed 1")
    desks.now = NOW + 2 * HOUR

    missed, kept = await desks.writes("!missed 1"), await desks.writes("!kept 1")

    assert early.startswith("This session has not begun yet.")
    assert missed.startswith("Slot 1, Monday 29 March at 12:00, is marked as missed.")
    assert kept.startswith("Slot 1, Monday 29 March at 12:00, is marked as kept.")
    assert (await desks.writes("!missed")).startswith("Please say which slot by its number, for example `!missed 3`")


async def test_somebody_on_the_waiting_list_is_to_be_seen_sooner(desks: AtTheDesks) -> None:
    early = await desks.writes("!slots priority river 5")
    await desks.says("!waitlist")

    assert early.startswith("This person is not on the waiting list.")
    assert (await desks.writes("!slots priority River 5")).startswith("Kept.")
    assert (await desks.writes("!slots priority river 55")).startswith("A priority is a number from 0")
    assert (await desks.writes("!slots priority river")).startswith("Please write the name and a number")


async def test_who_is_not_of_the_team_changes_nothing_even_in_the_care_room(desks: AtTheDesks) -> None:
    add(desks.store, plan(NOW + timedelta(hours=1)))
    with desks.store.writing() as tx:
        tx.people.add(person("guard", Role.GUARDIAN))

    for typed in ("!slots add 2027-04-06 16:00", "!slots withdraw 1", "!missed 1", "!slots priority river 5"):
        assert (await desks.says(typed, "guard", "!care")).startswith("Only the team can do this.")
