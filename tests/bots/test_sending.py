"""What leaves the house: once per transaction id, refused in one way, never waiting."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.homeserver import Homeserver
from bots.runtime.sending import Sending
from tests.bots.conftest import People
from tests.bots.living import LivingBot, living
from tests.support.ports import free_port

HELLO = {"msgtype": "m.text", "body": "hello"}


@pytest.fixture
def sending(bot: LivingBot) -> Sending:
    """What the bot can send."""
    return bot.client.sending


async def test_the_same_transaction_id_gives_one_event_also_after_a_restart(directory: Path, person: People) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        first = await bot.client.sending.send_message(room, HELLO, "once")
        again = await bot.client.sending.send_message(room, HELLO, "once")

    async with living(directory) as bot:
        after_restart = await bot.client.sending.send_message(room, HELLO, "once")
        other = await bot.client.sending.send_message(room, HELLO, "twice")

    assert first == again == after_restart != other
    await alice.wait_message(room, event_id=other)
    assert len([each for each in await alice.events(room) if each.body == "hello"]) == 2


async def test_an_edit_and_a_reaction_of_the_bot_are_shown(bot: LivingBot, sending: Sending, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    card = await sending.send_message(room, HELLO, "card")

    await sending.edit(room, card, {"msgtype": "m.text", "body": "taken by somebody"}, "card-2")
    await sending.react(room, card, "👀", "card-3")

    edited = await alice.wait_message(room, contains="taken by somebody")
    assert edited.shield == "NONE"
    assert edited.content["m.new_content"]["body"] == "taken by somebody"
    assert (await alice.wait_message(room, type="m.reaction")).content["m.relates_to"]["key"] == "👀"


async def test_a_bot_reads_what_it_sent_also_after_a_restart(directory: Path, person: People) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        theirs = await alice.send(room, "not the bot's")
        own = await bot.client.sending.send_message(room, HELLO, "own")

    async with living(directory) as bot:
        assert await bot.client.sending.read_own(room, own) == HELLO
        assert await bot.client.sending.read_own(room, theirs) is None
        assert await bot.client.sending.read_own(room, "$nothing") is None
        await bot.client.sending.redact(room, own, "a mistake", "gone")
        assert await bot.client.sending.read_own(room, own) is None
        assert (await bot.client.census())[room] == {alice.user_id, bot.user_id}


async def test_rooms_state_and_members(bot: LivingBot, sending: Sending, person: People) -> None:
    alice = await person()
    room = await sending.create_room({"room_version": "12", "creation_content": {"m.federate": False}}, "one")

    await sending.invite(room, alice.user_id)
    await alice.join(room)
    joined = await sending.joined_members(room)
    await sending.put_state(room, "org.example.scope", "key/1", {"a": 1})
    await sending.kick(room, alice.user_id, "your key has changed")

    # A version 12 room has no server behind its id.
    assert ":" not in room
    assert joined == {bot.user_id, alice.user_id}
    assert await sending.get_state(room, "org.example.scope", "key/1") == {"a": 1}
    assert await sending.get_state(room, "org.example.scope", "key/2") is None
    assert await sending.joined_members(room) == {bot.user_id}
    await alice.wait_member(room, alice.user_id, "leave")
    await sending.leave(room)
    with pytest.raises(MatrixRefused) as refused:
        await sending.joined_members(room)
    assert (refused.value.status, refused.value.errcode) == (403, "M_FORBIDDEN")


async def test_a_room_asked_for_again_with_the_same_transaction_id_is_the_same_room(sending: Sending) -> None:
    first = await sending.create_room({"name": "desk"}, "desk-1")
    again = await sending.create_room({"name": "desk"}, "desk-1")
    other = await sending.create_room({"name": "desk"}, "desk-2")

    assert first == again != other


async def test_a_room_that_the_bot_made_a_moment_ago_and_is_encrypted_is_never_written_to_in_the_clear(
    sending: Sending, person: People
) -> None:
    alice = await person()
    encryption = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}

    room = await sending.create_room({"invite": [alice.user_id], "initial_state": [encryption]}, "two")
    await alice.join(room)
    sent = await sending.send_message(room, HELLO, "at-once")

    assert (await alice.wait_message(room, event_id=sent)).encrypted


@pytest.fixture
async def refusing() -> AsyncIterator[str]:
    """A server that answers as homeservers do when they refuse or break."""

    async def answer(request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind == "limited":
            body = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too fast", "retry_after_ms": 1841}
            return web.json_response(body, status=429)
        if kind == "proxy":
            return web.Response(status=502, text="<html>Bad gateway</html>")
        return web.Response(status=200, text="half an answ")

    app = web.Application()
    app.router.add_get("/{kind}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield f"http://127.0.0.1:{port}"
    await runner.cleanup()


async def test_too_fast_says_how_long_to_wait_and_does_not_wait(refusing: str) -> None:
    homeserver = Homeserver(refusing)

    with pytest.raises(MatrixRefused) as refused:
        await homeserver.get("/limited")

    assert (refused.value.errcode, refused.value.status) == ("M_LIMIT_EXCEEDED", 429)
    assert refused.value.retry_after == timedelta(milliseconds=1841)
    await homeserver.close()


@pytest.mark.parametrize("kind", ["proxy", "half"])
async def test_a_broken_answer_means_away(refusing: str, kind: str) -> None:
    homeserver = Homeserver(refusing)

    with pytest.raises(MatrixAway):
        await homeserver.get(f"/{kind}")

    await homeserver.close()


async def test_nobody_listening_means_away() -> None:
    homeserver = Homeserver(f"http://127.0.0.1:{free_port()}")

    with pytest.raises(MatrixAway, match="does not answer"):
        await homeserver.get("/limited")

    await homeserver.close()
