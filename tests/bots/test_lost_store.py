"""A bot whose encryption store is lost takes a new device by itself and hears the next message."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bots.runtime.client import HouseClient
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import IdentityLost
from bots.runtime.homeserver import path
from bots.runtime.new_device import ASIDE
from bots.runtime.session import stored_session
from tests.bots.conftest import People
from tests.bots.living import LivingBot, living
from tests.support.client import Client
from tests.support.synapse import RunningSynapse


def store_of(directory: Path) -> Path:
    return BotFiles(directory).store(BotCredentials.load(directory).device_id)


def remove_database(directory: Path) -> None:
    (store_of(directory) / "crypto.db").unlink()


def remove_store(directory: Path) -> None:
    shutil.rmtree(store_of(directory))


def damage_database(directory: Path) -> None:
    with (store_of(directory) / "crypto.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def forget_pickle_key(directory: Path) -> None:
    BotFiles(directory).pickle_key.unlink()


def empty_pickle_key(directory: Path) -> None:
    BotFiles(directory).pickle_key.write_text("")


def blank_pickle_key(directory: Path) -> None:
    BotFiles(directory).pickle_key.write_text("{}")


async def devices_of(synapse: RunningSynapse, directory: Path) -> set[str]:
    session = stored_session(BotFiles(directory))
    assert session is not None
    answer = await synapse.ask("GET", "/_matrix/client/v3/devices", session.access_token)
    return {each["device_id"] for each in answer["devices"]}


async def read_again(bot: LivingBot, room: str, event_id: str) -> Any:
    """An old message, fetched and read now."""
    event = await bot.client._homeserver.get(path("rooms", room, "event", event_id))
    return bot.client._olm.read_room_event(room, event).payload["content"]["body"]


async def met(bot: LivingBot, alice: Client) -> tuple[str, str]:
    """A room of the bot and alice, and a message in it that the bot has read."""
    room = await bot.join(alice)
    sent = await alice.send(room, "before")
    await bot.seen.event(sent)
    return room, sent


@pytest.mark.parametrize(
    "lose",
    [remove_database, remove_store, damage_database, forget_pickle_key, empty_pickle_key, blank_pickle_key],
    ids=["database_gone", "directory_gone", "database_damaged", "pickle_key_gone", "pickle_key_empty", "no_key_in_it"],
)
async def test_a_lost_store_is_a_new_device_that_hears_the_next_message_and_reads_the_old_ones(
    directory: Path, synapse: RunningSynapse, person: People, lose: Callable[[Path], None]
) -> None:
    alice = await person()
    async with living(directory) as bot:
        room, before = await met(bot, alice)
    old = BotCredentials.load(directory).device_id
    lose(directory)

    async with living(directory) as bot:
        await alice.wait_device(bot.user_id, bot.client.device_id, signed=True)
        heard = await bot.seen.event(await alice.send(room, "after"))

        assert bot.client.device_id != old
        assert heard.content["body"] == "after"
        assert await bot.client.device_is_signed()
        assert await read_again(bot, room, before) == "before"
        assert old not in await devices_of(synapse, directory)
        assert not list(BotFiles(directory).replaced_sessions.iterdir())


async def test_a_store_that_is_well_keeps_its_device(directory: Path, synapse: RunningSynapse, person: People) -> None:
    alice = await person()
    async with living(directory) as bot:
        room, _ = await met(bot, alice)
    old = BotCredentials.load(directory).device_id

    async with living(directory) as bot:
        await bot.seen.event(await alice.send(room, "after"))

        assert bot.client.device_id == old
        assert old in await devices_of(synapse, directory)


async def test_an_old_copy_of_the_store_is_noticed_and_put_aside(directory: Path, person: People) -> None:
    alice = await person()
    async with living(directory) as bot:
        room, _ = await met(bot, alice)
    old, store = BotCredentials.load(directory).device_id, store_of(directory)
    shutil.copytree(store, directory / "copy")
    async with living(directory) as bot:
        await alice.command("discard_session", room=room)
        await bot.seen.event(await alice.send(room, "the live bot took this key"))
        assert bot.client.device_id == old
    shutil.rmtree(store)
    (directory / "copy").rename(store)

    async with living(directory) as bot:
        await alice.wait_device(bot.user_id, bot.client.device_id, signed=True)
        heard = await bot.seen.event(await alice.send(room, "after"))

        assert bot.client.device_id != old
        assert heard.content["body"] == "after"
        assert [each.name for each in BotFiles(directory).stores.iterdir() if ASIDE in each.name]


async def test_a_new_device_never_resets_the_identity(directory: Path) -> None:
    async with living(directory):
        pass
    remove_store(directory)
    BotFiles(directory).signing_seeds.unlink()

    with pytest.raises(IdentityLost):
        await HouseClient(directory).__aenter__()

    assert not BotFiles(directory).signing_seeds.exists()


async def test_a_start_that_was_cut_while_taking_a_new_device_is_continued(
    directory: Path, synapse: RunningSynapse
) -> None:
    async with living(directory):
        pass
    old = BotCredentials.load(directory).device_id
    remove_store(directory)
    files = BotFiles(directory)
    files.replaced_sessions.mkdir()
    files.session.rename(files.replaced_sessions / f"{old}.json")

    async with living(directory) as bot:
        assert bot.client.device_id != old
        assert old not in await devices_of(synapse, directory)


async def test_the_copy_of_the_room_keys_is_sealed_and_for_the_bot_alone(directory: Path, person: People) -> None:
    alice = await person()
    async with living(directory) as bot:
        await met(bot, alice)
        held = bot.client._olm.kept.all()

    copy = BotFiles(directory).room_key_export

    assert copy.stat().st_mode & 0o777 == 0o600
    assert held
    assert not any(each.id.encode() in copy.read_bytes() for each in held)


async def test_a_copy_that_does_not_open_is_put_aside_and_not_written_over(directory: Path) -> None:
    async with living(directory):
        pass
    files = BotFiles(directory)
    files.room_key_export.write_bytes(b"keyhouse room keys 1\n00000000\nnobody can open this")
    remove_store(directory)

    async with living(directory) as bot:
        assert await bot.client.device_is_signed()

    aside = files.room_key_export.with_name("room_keys.export.unreadable")
    assert aside.read_bytes().endswith(b"nobody can open this")
