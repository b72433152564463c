"""A message that cannot be read: its key is waited for, a human hears of it, and it is read at last."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bots.runtime.client import HouseClient
from bots.runtime.homeserver import path
from bots.runtime.received import Message, Undecryptable
from bots.runtime.unread import NEVER_COMING, UNREADABLE_AFTER
from keyhouse.core.outgoing import Worker
from tests.bots.conftest import People
from tests.bots.late import Late, unreadable
from tests.bots.living import LivingBot, enrolled, living
from tests.support.synapse import RunningSynapse

A_SECOND, AN_HOUR = timedelta(seconds=1), timedelta(hours=1)


class Clock:
    """A time of day that a test sets."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The time of the bot of the directory."""
    return Clock()


@pytest_asyncio.fixture(loop_scope="session")
async def writer(synapse: RunningSynapse, tmp_path: Path) -> AsyncIterator[LivingBot]:
    """Whose room keys come late."""
    await enrolled(synapse, tmp_path / "writer")
    async with living(tmp_path / "writer") as running:
        yield running


async def late(bot: LivingBot, writer: LivingBot, person: People) -> Late:
    """Put the writer into a room with the bot."""
    alice = await person()
    room = await bot.join(alice)
    await alice.invite(room, writer.user_id)
    await writer.client.sending.join(room)
    return Late(writer, room)


async def test_a_message_that_stays_unread_is_alarmed_about_once_and_read_when_its_key_comes(
    directory: Path, clock: Clock, writer: LivingBot, person: People
) -> None:
    async with living(directory, clock) as bot:
        author = await late(bot, writer, person)
        sent = await author.write("too late")
        await unreadable(bot, sent)
        clock.now += UNREADABLE_AFTER - A_SECOND
        other = await author.write("too late as well")
        await unreadable(bot, other)
        assert bot.seen.alarmed == []

        clock.now += A_SECOND
        await bot.seen.until(lambda: bot.seen.alarmed)
        await bot.ledger.alarm(sent, lambda tx: None)
        await author.give_key(bot.user_id)
        await bot.seen.event(other)

        assert {event.event_id for event in bot.seen.alarmed} == {sent}
        assert (await bot.seen.event(sent)).content["body"] == "too late"


async def test_over_restarts_the_minute_goes_on_and_the_key_is_still_waited_for(
    directory: Path, clock: Clock, writer: LivingBot, person: People
) -> None:
    async with living(directory, clock) as bot:
        author = await late(bot, writer, person)
        sent = await author.write("before the restart")
        await unreadable(bot, sent)
    clock.now += UNREADABLE_AFTER

    async with living(directory, clock) as bot:
        await bot.seen.until(lambda: bot.seen.alarmed)
        await bot.ledger.alarm(sent, lambda tx: None)
        await author.give_key(bot.user_id)
        assert (await bot.seen.event(sent)).content["body"] == "before the restart"
    async with living(directory, clock) as bot:
        assert (bot.seen.events, bot.seen.alarmed) == ([], [])
        assert await bot.ledger.read(lambda tx: tx.inbox.standing(Worker.RISK_MONITOR)) == {
            "new": 0,
            "unread": 0,
            "quarantined": 0,
        }


async def test_a_key_that_came_just_before_the_process_died_is_used_at_the_next_start(
    directory: Path, writer: LivingBot, person: People
) -> None:
    async with living(directory) as bot:
        author = await late(bot, writer, person)
        sent = await author.write("it is here")
        await unreadable(bot, sent)
        own = bot.user_id
    await author.give_key(own)

    # The first steps of an answer, and then nothing more.
    async with HouseClient(directory) as client:
        since = {"since": client._olm.store.load_sync_token(), "timeout": "0"}
        answer = await client._homeserver.get(path("sync"), since)
        with client._olm.one_transaction():
            for event in answer["to_device"]["events"]:
                client._olm.read_to_device(event)
        client._olm.store.save_sync_token(answer["next_batch"])

    async with living(directory) as bot:
        assert (await bot.seen.event(sent)).content["body"] == "it is here"


@pytest.mark.parametrize("code", ["m.unverified", "m.unavailable"])
async def test_a_key_that_its_owner_withholds_for_good_is_alarmed_about_at_once(
    directory: Path, clock: Clock, writer: LivingBot, person: People, code: str
) -> None:
    async with living(directory, clock) as bot:
        author = await late(bot, writer, person)
        sent = await author.write("not for you")
        await unreadable(bot, sent)

        await author.withhold_key(bot.user_id, bot.client.device_id, code)
        if code in NEVER_COMING:
            await bot.seen.until(lambda: bot.seen.alarmed)
        else:
            clock.now += UNREADABLE_AFTER - A_SECOND
            told = await author.write("and this?")
            await unreadable(bot, told)

        assert [event.event_id for event in bot.seen.alarmed] == ([sent] if code in NEVER_COMING else [])


@pytest.mark.parametrize("by", [AN_HOUR, -AN_HOUR], ids=["forward", "back"])
async def test_a_clock_that_moves_by_an_hour_brings_a_human_too_early_rather_than_too_late(
    directory: Path, clock: Clock, writer: LivingBot, person: People, by: timedelta
) -> None:
    async with living(directory, clock) as bot:
        author = await late(bot, writer, person)
        sent = await author.write("what time is it?")
        await unreadable(bot, sent)

        clock.now += by

        await bot.seen.until(lambda: bot.seen.alarmed)
        assert bot.seen.find(sent, Message) is None
        assert bot.seen.find(sent, Undecryptable)
