"""Strict clients believe the bot, the bot reads them, and its identity is kept for ever."""

import asyncio
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bots.runtime.client import HouseClient, device_is_signed
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import SigningSeeds
from bots.runtime.device_policy import DevicePolicy
from bots.runtime.errors import (
    CredentialsMissing,
    IdentityLost,
    LoginRefused,
    SessionEnded,
    StoreInUse,
    WrongVersion,
)
from bots.runtime.homeserver import Homeserver
from bots.runtime.session import stored_session
from bots.runtime.versions import PINNED, check_versions
from tests.bots.conftest import People
from tests.bots.living import LivingBot, give_new_device, living
from tests.support.synapse import RunningSynapse


async def master_key(synapse: RunningSynapse, directory: Path) -> object:
    credentials, session = BotCredentials.load(directory), stored_session(BotFiles(directory))
    assert session is not None
    body = {"device_keys": {credentials.user_id: []}}
    answer = await synapse.ask("POST", "/_matrix/client/v3/keys/query", session.access_token, body)
    return answer["master_keys"][credentials.user_id]["keys"]


def files_below(directory: Path) -> list[Path]:
    # SQLite's journal is there for moments only.
    return [each for each in directory.rglob("*") if each.is_file() and not each.name.endswith("-journal")]


async def test_a_strict_client_is_read_and_reads_the_bot_without_a_shield(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)

    sent = await alice.send(room, "can you read this?")
    heard = await bot.seen.event(sent)
    answer = await bot.client.sending.send_message(room, {"msgtype": "m.text", "body": "yes"}, "answer-1")
    shown = await alice.wait_message(room, event_id=answer)

    assert (heard.content["body"], heard.encrypted, heard.sender_device_signed) == ("can you read this?", True, True)
    assert (shown.body, shown.decrypt_state, shown.shield) == ("yes", "ok", "NONE")


async def test_a_strict_client_reads_a_new_device_whose_keys_it_could_not_ask_for(
    directory: Path, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        first = await bot.client.sending.send_message(room, {"msgtype": "m.text", "body": "hello"}, "answer-1")
        await alice.wait_message(room, event_id=first)

    give_new_device(directory)
    await alice.lose_key_questions()
    async with living(directory) as bot:
        answer = await bot.client.sending.send_message(room, {"msgtype": "m.text", "body": "here again"}, "answer-2")
        shown = await alice.wait_message(room, event_id=answer)

        assert bot.client.identity == "signed"
        assert (shown.body, shown.decrypt_state, shown.shield) == ("here again", "ok", "NONE")


async def test_a_second_start_continues_with_the_same_device_and_identity(
    directory: Path, synapse: RunningSynapse, person: People
) -> None:
    async with living(directory) as bot:
        assert bot.client.identity == "signed"
        alice = await person()
        room = await bot.join(alice)
    before = await master_key(synapse, directory)

    async with living(directory) as bot:
        sent = await alice.send(room, "are you still there?")
        heard = await bot.seen.event(sent)

        assert bot.client.identity == "already"
        assert await bot.client.device_is_signed()
        assert heard.content["body"] == "are you still there?"
    assert await master_key(synapse, directory) == before


async def test_doctor_sees_a_signed_device_while_the_bot_runs(bot: LivingBot, directory: Path) -> None:
    assert await device_is_signed(directory)


async def test_doctor_sees_that_a_bot_that_never_ran_is_not_signed(directory: Path) -> None:
    assert not await device_is_signed(directory)


async def test_a_bot_whose_seeds_are_gone_refuses_and_leaves_its_identity_alone(
    directory: Path, synapse: RunningSynapse
) -> None:
    async with living(directory):
        before = await master_key(synapse, directory)
    seeds = BotFiles(directory).signing_seeds
    kept = seeds.read_bytes()
    seeds.unlink()

    with pytest.raises(IdentityLost, match=r"Restore signing_seeds\.json from a copy.*no command does that"):
        await HouseClient(directory).__aenter__()

    assert not seeds.exists()
    assert await master_key(synapse, directory) == before
    seeds.write_bytes(kept)
    async with living(directory) as bot:
        assert bot.client.identity == "already"


async def test_a_bot_with_somebody_elses_seeds_refuses(directory: Path, synapse: RunningSynapse) -> None:
    async with living(directory):
        before = await master_key(synapse, directory)
    SigningSeeds.make(BotFiles(directory).signing_seeds)

    with pytest.raises(IdentityLost):
        await HouseClient(directory).__aenter__()

    assert await master_key(synapse, directory) == before


async def test_a_second_process_on_the_same_store_is_refused(bot: LivingBot, directory: Path) -> None:
    second = (
        "import asyncio, pathlib\nfrom bots.runtime.client import HouseClient\n"
        f"asyncio.run(HouseClient(pathlib.Path({str(directory)!r})).__aenter__())"
    )

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", second, stderr=asyncio.subprocess.PIPE)
    _, told = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 1
    assert f"{StoreInUse.__name__}: Another process already runs this bot" in told.decode()


async def test_a_bot_that_was_logged_out_ends_with_a_plain_sentence(directory: Path, synapse: RunningSynapse) -> None:
    async with living(directory):
        pass
    session = stored_session(BotFiles(directory))
    assert session is not None
    await synapse.ask("POST", "/_matrix/client/v3/logout", session.access_token, {})

    with pytest.raises(SessionEnded, match="new device with `keyhouse bot renew bot`"):
        await HouseClient(directory).__aenter__()


async def test_a_bot_whose_password_is_no_longer_taken_names_the_next_step(directory: Path) -> None:
    replace(BotCredentials.load(directory), password="another one").save(directory)

    with pytest.raises(LoginRefused, match=r"M_FORBIDDEN.*new password with `keyhouse bot renew bot`"):
        await HouseClient(directory).__aenter__()


async def test_every_secret_file_is_for_the_bot_alone(bot: LivingBot, directory: Path) -> None:
    files = files_below(directory)

    assert {each.name for each in files} >= {"credentials.json", "session.json", "signing_seeds.json", "crypto.db"}
    assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in files} == {each.name: 0o600 for each in files}


def test_credentials_that_are_not_there_name_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(CredentialsMissing, match="`keyhouse bot renew risk_monitor`"):
        BotCredentials.load(tmp_path / "risk_monitor")


def test_the_installed_nio_is_the_one_this_layer_knows() -> None:
    check_versions()


def test_another_nio_and_a_missing_attribute_are_told_in_one_line() -> None:
    with pytest.raises(WrongVersion) as told:
        check_versions({**PINNED, "matrix-nio": "0.26.1"}, [(DevicePolicy, "gone_since")])

    assert "matrix-nio is 0.26.0, 0.26.1 is needed; DevicePolicy.gone_since is gone" in str(told.value)
    assert "\n" not in str(told.value)


async def test_no_password_or_token_stands_in_what_might_be_logged(bot: LivingBot, directory: Path) -> None:
    session = stored_session(BotFiles(directory))
    credentials = BotCredentials.load(directory)
    assert session is not None

    assert credentials.password not in repr(credentials)
    assert session.access_token not in repr(session)
    assert Homeserver.__repr__ is object.__repr__
