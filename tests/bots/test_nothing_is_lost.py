"""What goes wrong around one event, one key or one process does not cost a message."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from bots.runtime.client import HouseClient
from bots.runtime.credentials import BotCredentials
from bots.runtime.errors import MatrixAway
from bots.runtime.received import Message, Undecryptable
from tests.bots.breakable import Breakable
from tests.bots.conftest import People, Unlimited
from tests.bots.living import LivingBot, living
from tests.support.synapse import RunningSynapse

MALFORMED_TO_DEVICE = (
    {},
    {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x", "ciphertext": {"OWN": {"type": 0, "body": "%%"}}},
    {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x", "ciphertext": {"OWN": {"type": 0}}},
    {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": 5, "ciphertext": {"OWN": {"type": 1, "body": "AAAA"}}},
    {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "x", "ciphertext": ["OWN"]},
)

HANDLER = """
import asyncio, pathlib, sys
from bots.runtime.client import HouseClient
from tests.support.ledgers import open_ledger

class Handler:
    async def received(self, event):
        await asyncio.sleep(0.02)
        print(type(event).__name__, event.event_id, flush=True)

    async def could_not_handle(self, event):
        raise SystemExit(3)

    async def stayed_unread(self, event):
        raise SystemExit(3)

async def main():
    directory = pathlib.Path(sys.argv[1])
    async with HouseClient(directory) as client:
        print("ready", flush=True)
        await client.run(Handler(), open_ledger(directory))

asyncio.run(main())
"""


async def test_a_strangers_malformed_to_device_events_do_not_hide_the_next_message(
    bot: LivingBot, person: People, synapse: RunningSynapse
) -> None:
    alice, stranger = await person(), await synapse.register(f"stranger-of-{bot.user_id[1:6]}", "a long password")
    room = await bot.join(alice)
    own = bot.client._olm.own

    for number, content in enumerate(MALFORMED_TO_DEVICE):
        told = json.loads(json.dumps(content).replace("OWN", own.curve25519))
        at = f"/_matrix/client/v3/sendToDevice/m.room.encrypted/malformed-{number}"
        await synapse.ask("PUT", at, stranger.access_token, {"messages": {own.user_id: {own.device_id: told}}})
    sent = await alice.send(room, "I am in danger")

    assert (await bot.seen.event(sent)).content["body"] == "I am in danger"
    assert bot.client.counts["to_device_malformed"] == len(MALFORMED_TO_DEVICE)


async def test_a_bot_whose_one_time_keys_are_all_taken_can_still_be_reached(
    directory: Path, person: People, synapse: RunningSynapse
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
    credentials = BotCredentials.load(directory)
    wanted = {"one_time_keys": {credentials.user_id: {credentials.device_id: "signed_curve25519"}}}
    claimed = [
        await synapse.ask("POST", "/_matrix/client/v3/keys/claim", alice.access_token, wanted) for _ in range(60)
    ]

    bob = await person()
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    sent = await bob.send(room, "is anybody there?")

    assert all(each["one_time_keys"] for each in claimed)
    assert any("fallback" in str(each) for each in claimed)
    async with living(directory) as bot:
        assert (await bot.seen.event(sent)).content["body"] == "is anybody there?"
        async with asyncio.timeout(20):
            while bot.client._one_time_keys.are_needed():
                await bot.seen.event(await bob.send(room, "once more"))
        answer = await synapse.ask("POST", "/_matrix/client/v3/keys/claim", alice.access_token, wanted)
        assert "fallback" not in str(answer)


async def test_a_broken_olm_session_is_mended_so_that_later_room_keys_arrive(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    await bot.seen.event(await alice.send(room, "before"))
    olm = bot.client._olm
    alices = await alice.command("devices", user=alice.user_id)
    olm.session_store[alices[0]["curve25519"]].clear()

    await alice.command("discard_session", room=room)
    lost = await alice.send(room, "nobody could read this")
    await bot.seen.event(lost, Undecryptable)
    await bot.seen.until(lambda: olm.session_store[alices[0]["curve25519"]] or None, timeout=1)
    heard = None
    async with asyncio.timeout(20):
        while heard is None:
            await alice.command("discard_session", room=room)
            sent = await alice.send(room, "and this?")
            await bot.seen.until(lambda sent=sent: bot.seen.find(sent) or bot.seen.find(sent, Undecryptable))
            heard = bot.seen.find(sent)

    assert heard.content["body"] == "and this?"


async def test_a_homeserver_that_breaks_for_a_while_costs_nothing(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)

        door.refused = "/"
        sent = [await alice.send(room, f"message {number}") for number in range(3)]
        await asyncio.wait_for(door.broke_twice.wait(), 20)
        door.refused = None
        await bot.seen.event(sent[-1])

        assert [each.event_id for each in bot.seen.events if isinstance(each, Message)] == sent
        assert bot.client.counts["interruptions"] >= 2


async def test_a_start_that_was_cut_while_publishing_its_keys_is_continued(
    directory: Path, door: Breakable, person: People
) -> None:
    door.withheld = "/keys/upload"
    with pytest.raises(MatrixAway):
        await HouseClient(directory).__aenter__()
    door.withheld = None

    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        heard = await bot.seen.event(await alice.send(room, "hello"))

        assert bot.client.identity == "signed"
        assert heard.encrypted


async def test_a_message_that_the_bot_fails_on_is_reported_and_the_next_is_handled(
    bot: LivingBot, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice)
    bot.seen.fails_on.append("poison")

    poison = await alice.send(room, "poison")
    fine = await alice.send(room, "fine")

    await bot.seen.event(fine)
    assert [each.event_id for each in bot.seen.failed if isinstance(each, Message)] == [poison]
    assert bot.client.counts["could_not_handle"] == 1


async def test_a_bot_killed_in_the_middle_of_thirty_messages_is_handed_all_of_them(
    directory: Path, person: People, unlimited: Unlimited
) -> None:
    async with living(directory) as bot:
        alice = await unlimited(await person())
        room = await bot.join(alice)
    handed: set[str] = set()
    sent: list[str] = []

    for batch in range(3):
        process = await _started(directory)
        # Held still, so that one answer of the homeserver holds several messages and their room keys.
        process.send_signal(signal.SIGSTOP)
        for number in range(10):
            # A new room key for each message: one that is lost makes its message unreadable for ever.
            await alice.command("discard_session", room=room)
            sent.append(await alice.send(room, f"message {batch} {number}"))
        process.send_signal(signal.SIGCONT)
        handed |= await _handed(process, until=1)
        process.kill()
        handed |= await _handed(process)
        await process.wait()
    missing_after_kills = set(sent) - handed
    process = await _started(directory)
    async with asyncio.timeout(30):
        while not handed >= set(sent):
            handed |= await _handed(process, until=1)
            assert process.returncode is None
    process.kill()
    await process.wait()

    assert missing_after_kills
    assert handed >= set(sent)


async def _started(directory: Path) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANDLER, str(directory), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 20) == b"ready\n"
    return process


async def _handed(process: asyncio.subprocess.Process, until: int | None = None) -> set[str]:
    """The messages that the process says it was handed: the next `until`, or all that it said before it ended."""
    assert process.stdout is not None
    handed: set[str] = set()
    while until is None or len(handed) < until:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().split()
        if not line:
            break
        if line[0] == "Message":
            handed.add(line[1])
    return handed
