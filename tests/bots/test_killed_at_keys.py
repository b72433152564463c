"""A bot that is killed while it takes or publishes keys has lost none of them at the next start."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from bots.runtime.credentials import BotCredentials
from bots.runtime.fault_points import VARIABLE
from tests.bots.conftest import People
from tests.bots.living import living
from tests.support.synapse import RunningSynapse

RUNNER = """
import asyncio, pathlib, sys
from tests.bots.living import living

async def main():
    async with living(pathlib.Path(sys.argv[1])):
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def killed_at(point: str, directory: Path) -> None:
    """Run the bot of a directory until it reaches the point, at which it dies."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUNNER, str(directory), env={**os.environ, VARIABLE: point}
    )
    try:
        assert await asyncio.wait_for(process.wait(), 40) == -signal.SIGKILL
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_kill_between_the_saves_of_an_olm_message_and_its_room_key_loses_nothing(
    directory: Path, person: People
) -> None:
    alice = await person()
    async with living(directory) as bot:
        room = await bot.join(alice)
        await bot.seen.event(await alice.send(room, "before"))
    await alice.command("discard_session", room=room)
    sent = await alice.send(room, "while the bot was away")

    for _ in range(2):
        await killed_at("between_olm_and_megolm", directory)

    async with living(directory) as bot:
        heard = await bot.seen.event(sent)
        await alice.command("discard_session", room=room)
        next_one = await bot.seen.event(await alice.send(room, "and the next"))

    assert heard.content["body"] == "while the bot was away"
    assert next_one.content["body"] == "and the next"


async def test_a_kill_after_the_first_upload_and_before_its_save_leaves_a_bot_that_can_be_reached(
    directory: Path, person: People
) -> None:
    await killed_at("between_upload_and_save", directory)
    device = BotCredentials.load(directory).device_id

    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        heard = await bot.seen.event(await alice.send(room, "hello"))

        assert heard.content["body"] == "hello"
        assert bot.client.device_id == device


async def test_a_kill_after_a_later_upload_and_before_its_save_leaves_keys_that_the_store_knows(
    directory: Path, synapse: RunningSynapse, person: People
) -> None:
    alice = await person()
    async with living(directory) as bot:
        room = await bot.join(alice)
    credentials = BotCredentials.load(directory)
    wanted = {"one_time_keys": {credentials.user_id: {credentials.device_id: "signed_curve25519"}}}
    for _ in range(10):
        await synapse.ask("POST", "/_matrix/client/v3/keys/claim", alice.access_token, wanted)
    await killed_at("between_upload_and_save", directory)

    async with living(directory) as bot:
        bob = await person()
        await alice.invite(room, bob.user_id)
        await bob.join(room)
        heard = await bot.seen.event(await bob.send(room, "is anybody there?"))

        assert heard.content["body"] == "is anybody there?"
        assert not bot.client._one_time_keys.are_needed()
