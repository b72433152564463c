"""A room key that did not come is asked for, and taken only from who may give it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

from bots.runtime.arrivals import FORWARDED_ROOM_KEY
from bots.runtime.credentials import BotCredentials, BotFiles, new_device_id
from bots.runtime.received import Undecryptable
from tests.bots.conftest import People
from tests.bots.living import LivingBot, living
from tests.support.client import Client, Clients
from tests.support.synapse import RunningSynapse


def lose_room_keys(bot: LivingBot, room: str) -> None:
    """Let the bot's device lose what it can read a room with, in memory and in its store."""
    olm = bot.client._olm
    with olm.one_transaction():
        olm.store.sql("DELETE FROM megolminboundsessions WHERE room_id = ?", (room,))
    olm.inbound_group_store[room].clear()


async def exported(client: Client, room: str) -> dict[str, Any]:
    """The one room key of a room, as the client exports it."""
    keys = (await client.command("export_keys"))["keys"]
    return next(each for each in keys if each["room_id"] == room)


async def pass_on(client: Client, bot: LivingBot, key: dict[str, Any]) -> None:
    """Send a room key as a client that was asked for it would."""
    content = {
        "algorithm": key["algorithm"],
        "room_id": key["room_id"],
        "session_id": key["session_id"],
        "session_key": key["session_key"],
        "sender_key": key["sender_key"],
        "sender_claimed_ed25519_key": key["sender_claimed_keys"]["ed25519"],
        "forwarding_curve25519_key_chain": [],
    }
    device = {"user": bot.user_id, "device": bot.client.device_id}
    await client.command("to_device_encrypted", type=FORWARDED_ROOM_KEY, content=content, **device)


async def counted(bot: LivingBot, name: str, times: int = 1) -> None:
    """Wait until the bot counted this so often."""
    async with asyncio.timeout(30):
        while True:
            if bot.client.counts[name] >= times:
                return
            await asyncio.sleep(0.05)


async def test_a_lost_room_key_is_asked_for_and_elements_client_gives_it_again(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    await bot.seen.event(await alice.send(room, "before"))
    lose_room_keys(bot, room)

    sent = await alice.send(room, "can you read this?")
    await bot.seen.event(sent, Undecryptable)
    heard = await bot.seen.event(sent)

    assert heard.content["body"] == "can you read this?"
    assert heard.sender_device_signed
    assert bot.client.counts["forwarded_keys_taken"] == 1


async def test_a_room_key_that_came_through_a_broken_olm_session_comes_again_through_a_new_one(
    bot: LivingBot, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice)
    await bot.seen.event(await alice.send(room, "before"))
    (device,) = await alice.command("devices", user=alice.user_id)
    bot.client._olm.session_store[device["curve25519"]].clear()
    await alice.command("discard_session", room=room)

    sent = await alice.send(room, "can you read this?")
    await bot.seen.event(sent, Undecryptable)
    heard = await bot.seen.event(sent)

    assert heard.content["body"] == "can you read this?"


async def test_a_room_key_is_not_taken_from_somebody_who_did_not_make_it_but_from_who_did(
    directory: Path, person: People
) -> None:
    alice, mallory = await person(), await person()
    room, sent = await unread_from(alice, directory, mallory)

    async with living(directory) as bot:
        await bot.seen.event(sent, Undecryptable)
        await counted(bot, "keys_asked_for")
        await pass_on(mallory, bot, await exported(mallory, room))
        await counted(bot, "forwarded_keys_refused")
        read_by_mallorys_key = bot.seen.find(sent)
        await alice.come_back()
        heard = await bot.seen.event(sent)

    assert read_by_mallorys_key is None
    assert heard.content["body"] == "while the bot was away"


async def test_a_second_watcher_gives_the_first_the_room_key_that_it_lost(
    directory: Path, tmp_path: Path, person: People
) -> None:
    async with living(directory):
        pass
    second = second_device(directory, tmp_path / "second")
    alice = await person()

    async with living(second) as other:
        _, sent = await unread_from(alice, directory)
        await other.seen.event(sent)
        async with living(directory) as bot:
            await bot.seen.event(sent, Undecryptable)
            heard = await bot.seen.event(sent)

    assert heard.content["body"] == "while the bot was away"
    assert heard.sender_device_signed
    assert other.client.counts["key_requests_answered"] >= 1


async def test_a_device_says_why_it_withholds_a_room_key(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    content = {"room_id": room, "session_id": "a session", "code": "m.unverified", "sender_key": "x"}
    device = {"user": bot.user_id, "device": bot.client.device_id}

    await alice.command("to_device", type="m.room_key.withheld", content=content, **device)
    await counted(bot, "withheld")
    in_clear = bot.client._olm.arrivals.withheld.code(room, "a session", alice.user_id)
    sealed = {**content, "session_id": "another", "code": "m.blacklisted"}
    await alice.command("to_device_encrypted", type="m.room_key.withheld", content=sealed, **device)
    await counted(bot, "withheld", 2)

    assert in_clear == "m.unverified"
    assert bot.client._olm.arrivals.withheld.code(room, "another", alice.user_id) == "m.blacklisted"


async def test_a_device_of_the_bots_account_that_is_not_signed_gets_no_room_key(
    directory: Path, bot: LivingBot, person: People, clients: Clients, synapse: RunningSynapse
) -> None:
    alice = await person()
    room = await bot.join(alice)
    await bot.seen.event(await alice.send(room, "hello"))
    password = BotCredentials.load(directory).password
    thief = await clients.log_in(synapse.url, bot.user_id, password, bootstrap=False)
    key = await exported(alice, room)

    body = {name: key[name] for name in ("algorithm", "room_id", "session_id", "sender_key")}
    content = {"action": "request", "body": body, "request_id": "1", "requesting_device_id": thief.device_id}
    device = {"user": bot.user_id, "device": bot.client.device_id}
    await thief.command("to_device", type="m.room_key_request", content=content, **device)
    await counted(bot, "key_requests_refused")

    assert bot.client.counts["key_requests_answered"] == 0


async def unread_from(alice: Client, directory: Path, *others: Client) -> tuple[str, str]:
    """A message that the bot of the directory will find and cannot read, because it lost the key; alice is offline."""
    async with living(directory) as bot:
        room = await bot.join(alice, *others)
        await bot.seen.event(await alice.send(room, "before"))
        lose_room_keys(bot, room)
    sent = await alice.send(room, "while the bot was away")
    for other in others:
        await other.wait_message(room, event_id=sent)
    await alice.go_offline()
    return room, sent


def second_device(directory: Path, second: Path) -> Path:
    """The directory of another device of the same account, with the same identity."""
    credentials = BotCredentials.load(directory)
    replace(credentials, device_id=new_device_id("watcher")).save(second)
    copy(BotFiles(directory).signing_seeds, BotFiles(second).signing_seeds)
    return second
