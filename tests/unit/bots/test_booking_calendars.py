"""`!calendar` at a desk and in the care room, over a store in memory."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bots.runtime.words import notice
from keyhouse.core.people import PersonState
from keyhouse.core.workflows.calendars import sessions_shown
from tests.support.booking_bot import AtTheDesks
from tests.support.household import NOW, person
from tests.support.therapy import DAY, add, book, plan

LINK = re.compile(r"http://f/calendar/([0-9a-f]{64})\.ics")


@pytest_asyncio.fixture(loop_scope="session")
async def desks() -> AsyncIterator[AtTheDesks]:
    """A house in which river has booked a session with the therapist dr-a."""
    desks = AtTheDesks()
    add(desks.store, plan(NOW + DAY))
    book(desks.store, "river", 1)
    yield desks
    desks.ledger.close()


def secret_in(answer: str) -> str:
    """The secret of the link in an answer."""
    (secret,) = LINK.findall(answer)
    return str(secret)


def shown(desks: AtTheDesks, secret: str) -> list[int] | None:
    """The slots that a link shows; None when it leads nowhere."""
    with desks.store.reading() as tx:
        sessions = sessions_shown(tx, secret, NOW)
    return None if sessions is None else [one.slot for one in sessions]


@pytest.mark.parametrize("typed", ["!calendar", "! Calendar", "!calendar new", "!CALENDAR on"])
async def test_a_person_gets_a_link_to_their_own_sessions_and_is_told_who_can_read_it(
    desks: AtTheDesks, typed: str
) -> None:
    answer = await desks.says(typed)

    assert shown(desks, secret_in(answer)) == [1]
    assert "Whoever has this link sees your times." in answer
    assert "where somebody else reads your phone" in answer
    assert "with its number in place of N:\nhttp://f/calendar/" in answer
    assert "everybody in this room" not in answer


async def test_a_clinician_gets_one_in_the_care_room_and_is_told_that_the_room_has_it(desks: AtTheDesks) -> None:
    answer = await desks.writes("!calendar")

    assert shown(desks, secret_in(answer)) == [1]
    assert "everybody in this room has it now" in answer
    assert shown(desks, secret_in(await desks.writes("!calendar", "dr-b"))) == []


async def test_a_new_link_ends_the_one_before(desks: AtTheDesks) -> None:
    first, second = [secret_in(await desks.says("!calendar")) for _ in range(2)]

    assert (shown(desks, first), shown(desks, second)) == (None, [1])


async def test_the_same_message_again_makes_no_other_link(desks: AtTheDesks) -> None:
    secret = secret_in(await desks.says("!calendar", event="$once"))
    await desks.says("!calendar", event="$once")

    assert shown(desks, secret) == [1]


@pytest.mark.parametrize("typed", ["!calendar off", "!calendar OFF", "! calendar stop"])
async def test_a_link_is_ended(desks: AtTheDesks, typed: str) -> None:
    secret = secret_in(await desks.says("!calendar"))

    assert (await desks.says(typed)).startswith("Your calendar link is ended")
    assert shown(desks, secret) is None
    assert (await desks.says(typed)).startswith("You had no calendar link.")


async def test_ending_ones_own_link_leaves_everybody_elses(desks: AtTheDesks) -> None:
    mine, therapists = secret_in(await desks.says("!calendar")), secret_in(await desks.writes("!calendar"))

    await desks.writes("!calendar off")

    assert (shown(desks, mine), shown(desks, therapists)) == ([1], None)


async def test_another_word_changes_nothing_and_is_answered_with_what_there_is(desks: AtTheDesks) -> None:
    secret = secret_in(await desks.says("!calendar"))

    answer = await desks.says("!calendar tuesday")

    assert answer == "`!calendar` gives you a new link for your calendar, and `!calendar off` ends it."
    assert shown(desks, secret) == [1]


async def test_whose_account_is_closed_gets_none(desks: AtTheDesks) -> None:
    with desks.store.writing() as tx:
        tx.people.update(person("river", state=PersonState.CLOSED))

    answer = await desks.says("!calendar")

    assert answer.startswith("This account has been closed.")
    assert LINK.findall(answer) == []


async def test_the_link_can_be_copied_from_the_plain_words_and_from_the_formatted_ones(desks: AtTheDesks) -> None:
    answer = await desks.says("!calendar")

    content = notice(answer)

    secret = secret_in(answer)
    for words in (content["body"], content["formatted_body"]):
        assert f"http://f/calendar/{secret}.ics" in words
        assert f"http://f/calendar/{secret}/N.ics" in words
