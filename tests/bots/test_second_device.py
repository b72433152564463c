"""Two devices of one account: one signing identity, and what the one has sent the other does not send again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bots.runtime.client import HouseClient, device_is_signed
from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.cross_signing import SigningSeeds
from bots.runtime.once import MARK, Attempt, NoLongerOurs
from bots.runtime.sending import Sending
from bots.runtime.timeline import EVENTS_PER_PAGE
from tests.bots.conftest import People, Unlimited
from tests.bots.living import LivingBot, enrolled, living
from tests.support.synapse import RunningSynapse

HELLO = {"msgtype": "m.text", "body": "hello"}


def second_of(directory: Path) -> Path:
    """The directory of another device of the same account, with the same signing seeds."""
    second = directory.with_name("second")
    credentials = BotCredentials.load(directory)
    replace(credentials, device_id=new_device_id("watcher")).save(second)
    BotFiles(second).signing_seeds.write_bytes(BotFiles(directory).signing_seeds.read_bytes())
    return second


@pytest_asyncio.fixture(loop_scope="session")
async def other(bot: LivingBot, directory: Path) -> AsyncIterator[LivingBot]:
    """Another running device of the bot's account."""
    async with living(second_of(directory)) as running:
        yield running


@contextmanager
def trying(sending: Sending, txn_id: str, perhaps_sent: bool = False, may_send: bool = True) -> AsyncIterator[None]:
    """Be the outbox that tries one decision of a minute ago."""
    since = datetime.now(UTC) - timedelta(minutes=1) if perhaps_sent else None
    with sending.attempts.begun(txn_id, Attempt(since, lambda: may_send)):
        yield


@pytest.mark.parametrize("encrypted", [True, False])
async def test_what_one_device_has_sent_another_finds_and_does_not_send_again(
    bot: LivingBot, other: LivingBot, person: People, encrypted: bool
) -> None:
    alice = await person()
    room = await bot.join(alice, encrypted=encrypted)
    await other.seen.until(lambda: room in other.client.room_ids)
    with trying(bot.client.sending, "once"):
        first = await bot.client.sending.send_message(room, HELLO, "once")

    with trying(other.client.sending, "once", perhaps_sent=True):
        found = await other.client.sending.send_message(room, HELLO, "once")
    with trying(other.client.sending, "another", perhaps_sent=True):
        lacking = await other.client.sending.send_message(room, HELLO, "another")

    assert found == first != lacking
    seen = await alice.wait_message(room, event_id=lacking)
    assert (seen.encrypted, seen.shield) == (encrypted, "NONE" if encrypted else None)
    assert len([each for each in await alice.events(room) if each.body == "hello"]) == 2


async def test_an_edit_that_one_device_has_sent_is_found_too(bot: LivingBot, other: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    await other.seen.until(lambda: room in other.client.room_ids)
    card = await bot.client.sending.send_message(room, HELLO, "card")

    with trying(bot.client.sending, "edit"):
        first = await bot.client.sending.edit(room, card, {"msgtype": "m.text", "body": "taken"}, "edit")
    with trying(other.client.sending, "edit", perhaps_sent=True):
        found = await other.client.sending.edit(room, card, {"msgtype": "m.text", "body": "taken"}, "edit")

    assert found == first


async def test_what_somebody_else_marked_is_not_taken_for_ones_own(
    bot: LivingBot, other: LivingBot, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice, encrypted=False)
    await other.seen.until(lambda: room in other.client.room_ids)
    theirs = await alice.send_event(room, "m.room.message", {**HELLO, MARK: "once"})

    with trying(other.client.sending, "once", perhaps_sent=True):
        sent = await other.client.sending.send_message(room, HELLO, "once")

    assert sent != theirs
    assert (await alice.wait_message(room, event_id=sent)).sender == bot.user_id


async def test_it_is_found_behind_more_than_a_page_of_later_events(
    bot: LivingBot, other: LivingBot, person: People, unlimited: Unlimited
) -> None:
    alice = await person()
    room = await bot.join(alice, encrypted=False)
    await other.seen.until(lambda: room in other.client.room_ids)
    await unlimited(alice)
    await unlimited(bot)  # type: ignore[arg-type]
    with trying(bot.client.sending, "once"):
        first = await bot.client.sending.send_message(room, HELLO, "once")
    later = (bot.client.sending.send_message(room, HELLO, f"later-{n}") for n in range(EVENTS_PER_PAGE + 1))
    await asyncio.gather(*later)

    with trying(other.client.sending, "once", perhaps_sent=True):
        found = await other.client.sending.send_message(room, HELLO, "once")

    assert found == first


async def test_nothing_leaves_once_the_lease_is_lost(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)

    with trying(bot.client.sending, "late", may_send=False), pytest.raises(NoLongerOurs):
        await bot.client.sending.send_message(room, HELLO, "late")

    with trying(bot.client.sending, "in-time"):
        sent = await bot.client.sending.send_message(room, HELLO, "in-time")
    await alice.wait_message(room, event_id=sent)
    assert [each.event_id for each in await alice.events(room) if each.body == "hello"] == [sent]


async def test_two_devices_react_once(bot: LivingBot, other: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    await other.seen.until(lambda: room in other.client.room_ids)
    card = await bot.client.sending.send_message(room, HELLO, "card")

    for sending in (bot.client.sending, other.client.sending):
        await sending.react(room, card, "👀", "card-0")
        await sending.react(room, card, "✅", "card-1")

    last = await bot.client.sending.send_message(room, HELLO, "last")
    await alice.wait_message(room, event_id=last)
    reactions = [each for each in await alice.events(room) if each.type == "m.reaction"]
    assert sorted(each.content["m.relates_to"]["key"] for each in reactions) == ["✅", "👀"]


async def test_two_devices_that_publish_the_first_identity_at_once_have_one(
    synapse: RunningSynapse, tmp_path: Path
) -> None:
    await enrolled(synapse, tmp_path / "bot")
    SigningSeeds.make(BotFiles(tmp_path / "bot").signing_seeds)
    directories = tmp_path / "bot", second_of(tmp_path / "bot")
    both_in = asyncio.Barrier(2)

    async def enter(directory: Path) -> str:
        async with HouseClient(directory) as client:
            await both_in.wait()
            return client.identity

    identities = await asyncio.gather(*map(enter, directories))

    assert identities == ["signed", "signed"]
    assert [await device_is_signed(directory) for directory in directories] == [True, True]
