"""A bot that is killed, wherever it stands, loses no message and decides about none twice."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from bots.runtime.credentials import BotCredentials
from bots.runtime.fault_points import POINTS, arm
from tests.bots.conftest import People, Unlimited
from tests.bots.deciding import DEADLY, FULL
from tests.bots.living import living
from tests.bots.mortal import MortalBot, mortal
from tests.support import fresh
from tests.support.client import Client
from tests.support.house import every_byte_below
from tests.support.synapse import RunningSynapse

WHERE_MESSAGES_PASS = (
    "between_olm_and_megolm",
    "before_inbox_write",
    "after_inbox_write",
    "before_token",
    "after_token",
    "before_decision",
    "after_decision",
    "before_done",
)
KILLS = int(os.environ.get("KEYHOUSE_KILLS", "30"))
MESSAGES_AHEAD = 3
DEATHS_AT_MOST = 12


async def new_room(directory: Path, person: People, unlimited: Unlimited) -> tuple[Client, str]:
    """A person who may send as fast as a test can, in an encrypted room with the bot."""
    async with living(directory) as bot:
        alice = await unlimited(await person())
        room = await bot.join(alice)
        await bot.seen.event(await alice.send(room, "before"))
    return alice, room


async def said(alice: Client, room: str, words: str) -> str:
    """Send under a new room key: a key that is lost makes its message unreadable for ever."""
    await alice.command("discard_session", room=room)
    return await alice.send(room, words)


async def all_decided_once(bot: MortalBot, sent: dict[str, str]) -> None:
    """Start the bot once more, to stay, and compare."""
    await bot.start()
    await bot.until_decided(set(sent))
    await bot.kill()
    decided = await bot.decisions()
    assert {where for event_id, where in sent.items() if decided[event_id] != 1} == set()
    assert bot.alarms() == []


async def test_a_bot_killed_at_every_place_on_a_messages_way_decides_about_each_once(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    alice, room = await new_room(directory, person, unlimited)
    sent: dict[str, str] = {}

    async with mortal(directory) as bot:
        for point in WHERE_MESSAGES_PASS:
            await bot.born(point)
            for number in range(2):
                sent[await said(alice, room, f"{point} {number}")] = point
            await bot.death()

        await all_decided_once(bot, sent)


async def test_a_bot_killed_after_its_keys_were_published_and_before_it_knew_is_still_reached(
    directory: Path, person: People, unlimited: Unlimited, synapse: RunningSynapse
) -> None:
    alice, room = await new_room(directory, person, unlimited)
    own = BotCredentials.load(directory)
    wanted = {"one_time_keys": {own.user_id: {own.device_id: "signed_curve25519"}}}
    sent: dict[str, str] = {}

    async with mortal(directory) as bot:
        await synapse.ask("POST", "/_matrix/client/v3/keys/claim", alice.access_token, wanted)
        await bot.born("between_upload_and_save")
        sent[await said(alice, room, "while it dies")] = "known device"
        await bot.death()
        bob = await person()
        await alice.invite(room, bob.user_id)
        await bob.join(room)
        sent[await bob.send(room, "from a device that has to claim a key")] = "new device"

        await all_decided_once(bot, sent)


async def test_a_bot_killed_again_and_again_at_random_decides_about_every_message_once(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    # The seed stands at the head of every run; KEYHOUSE_KILLS asks for more kills.
    chance = random.Random(fresh.SEED)
    alice, room = await new_room(directory, person, unlimited)
    sent: dict[str, str] = {}
    enough = asyncio.Event()

    async def talk(ahead: asyncio.Semaphore) -> None:
        while not enough.is_set():
            await ahead.acquire()
            sent[await said(alice, room, f"message {len(sent)}")] = f"message {len(sent)}"

    async with mortal(directory) as bot:
        # Somebody who writes on and on, but no faster than the bot is born again.
        ahead = asyncio.Semaphore(MESSAGES_AHEAD)
        talking = asyncio.create_task(talk(ahead))
        for _ in range(KILLS):
            await bot.born()
            for _ in range(MESSAGES_AHEAD):
                ahead.release()
            await asyncio.sleep(chance.uniform(0.05, 1.5))
            await bot.kill()
        enough.set()
        ahead.release()
        await talking

        await all_decided_once(bot, sent)
    assert len(sent) >= KILLS


async def test_an_event_that_kills_the_process_is_found_and_set_aside_and_the_others_are_decided(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    alice, room = await new_room(directory, person, unlimited)
    sent: dict[str, str] = {}

    async with mortal(directory) as bot:
        sent[await said(alice, room, "before it")] = "before"
        deadly = await said(alice, room, DEADLY)
        sent[await said(alice, room, "after it")] = "after"
        for _ in range(DEATHS_AT_MOST):
            await bot.born()
            if not await bot.dies_unless(lambda: len(bot.alarms())):
                break
        await bot.until_decided(set(sent))
        await bot.kill()

        decided = await bot.decisions()
        assert {event_id: decided[event_id] for event_id in sent} == dict.fromkeys(sent, 1)
        assert decided[deadly] == 0
        assert bot.alarms() == [f"could not handle {deadly}"]


async def test_on_a_full_disk_the_bot_ends_and_nothing_is_lost(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    alice, room = await new_room(directory, person, unlimited)
    sent: dict[str, str] = {}

    async with mortal(directory) as bot:
        await bot.start()
        bot.signal(FULL)
        for number in range(3):
            sent[await said(alice, room, f"no room for {number}")] = str(number)
        status = await bot.end()

        await all_decided_once(bot, sent)
    assert status == 1


async def test_what_was_written_stands_in_no_file_of_a_bot_that_was_killed(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    alice, room = await new_room(directory, person, unlimited)
    canary = f"canary{fresh.fresh_name('word')}"

    async with mortal(directory) as bot:
        for point in ("after_inbox_write", "after_decision"):
            await bot.born(point)
            sent = await said(alice, room, f"{point} {canary}")
            await bot.death()
        await bot.start()
        await bot.until_decided({sent})
        await bot.kill()

        words = await bot.decided_words()
        found = [str(file) for file, content in every_byte_below(directory) if canary.encode() in content]
    assert any(canary in each for each in words)
    assert found == []


def test_a_place_that_does_not_exist_is_refused_so_that_no_test_kills_nothing() -> None:
    with pytest.raises(ValueError, match="there is no fault point nowhere"):
        arm("nowhere")
    assert set(WHERE_MESSAGES_PASS) < POINTS
