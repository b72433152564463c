"""A bot that lost what it needs says so, and one command brings it back."""

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import create_engine, select

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.session import stored_session
from keyhouse.core.ids import UserId, localpart
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import load_house
from keyhouse.storage.tables import incoming
from tests.journeys.people import clinician, patient
from tests.support.client import Clients
from tests.support.eventually import eventually
from tests.support.house import CommandFailed, RunningHouse

URGENT = "I am going to kill myself tonight"
WITHIN_S = 30.0


async def test_a_watcher_whose_store_is_gone_comes_back_by_itself_on_a_new_device(
    house: RunningHouse, clients: Clients
) -> None:
    before = BotCredentials.load(bot_directory(house, "risk_monitor"))
    seeds = (bot_directory(house, "risk_monitor") / "signing_seeds.json").read_bytes()
    running = await process(house, "risk_monitor", "running")
    lose_the_store(house, "risk_monitor")
    kill(running)

    await until(lambda: BotCredentials.load(bot_directory(house, "risk_monitor")).device_id != before.device_id)
    await process(house, "risk_monitor", "running")

    assert (bot_directory(house, "risk_monitor") / "signing_seeds.json").read_bytes() == seeds
    await heard_and_answered(house, clients)


async def test_a_watcher_whose_credentials_are_damaged_stays_down_and_one_command_brings_it_back(
    house: RunningHouse, clients: Clients
) -> None:
    files = BotFiles(bot_directory(house, "risk_monitor"))
    seeds, old = files.signing_seeds.read_bytes(), stored_session(files)
    assert old is not None
    running = await process(house, "risk_monitor", "running")
    files.credentials.write_text("{half")
    kill(running)

    failed = await process(house, "risk_monitor", "failed")
    before = await house.command("audit", "verify")
    renewed = await house.command("bot", "renew", "risk_monitor")
    await process(house, "risk_monitor", "running")
    after = await house.command("audit", "verify")

    assert "`keyhouse bot renew risk_monitor`" in failed["sentence"]
    assert renewed["device_id"].startswith("WATCHER-")
    assert files.signing_seeds.read_bytes() == seeds
    assert after["ok"]
    assert after["entries"] > before["entries"]
    await heard_and_answered(house, clients)
    assert not await is_signed_in(house, old.access_token)


@pytest.mark.parametrize(
    ("question", "alerts"),
    [
        pytest.param("are you going to kill yourself tonight?", True, id="dangerous"),
        pytest.param("are you coming to the quiz tonight?", False, id="harmless"),
    ],
)
async def test_the_answer_to_a_question_that_a_killed_watcher_had_read_is_understood_by_the_next(
    house: RunningHouse, clients: Clients, question: str, alerts: bool
) -> None:
    asks, answers = await patient(house, clients), await patient(house, clients)
    running = await process(house, "risk_monitor", "running")
    asked = await asks.client.send(asks.living_room, question)
    await eventually(lambda: asyncio.to_thread(is_done_with, house, asked))
    kill(running)
    await eventually(lambda: runs_again(house, "risk_monitor", running["pid"]))

    answered = await answers.client.send(answers.living_room, "yes")
    urgent = await answers.client.send(answers.living_room, URGENT)

    alerted = await eventually(lambda: alerted_events(house, answers.user_id, urgent))
    assert alerted == ({answered, urgent} if alerts else {urgent})


@pytest.mark.parametrize("lost", ["", None], ids=["damaged", "missing"])
async def test_a_watcher_without_its_identity_is_not_renewed_until_the_seeds_are_back(
    house: RunningHouse, clients: Clients, lost: str | None
) -> None:
    files = BotFiles(bot_directory(house, "risk_monitor"))
    seeds, credentials = files.signing_seeds.read_bytes(), files.credentials.read_bytes()
    running = await process(house, "risk_monitor", "running")
    files.signing_seeds.unlink()
    if lost is not None:
        files.signing_seeds.write_text(lost)
    kill(running)

    await process(house, "risk_monitor", "failed")
    with pytest.raises(CommandFailed, match=r"Restore signing_seeds\.json from a copy"):
        await house.command("bot", "renew", "risk_monitor")
    untouched = files.credentials.read_bytes() == credentials
    files.signing_seeds.write_bytes(seeds)
    await house.command("bot", "renew", "risk_monitor")
    await process(house, "risk_monitor", "running")

    assert untouched
    await heard_and_answered(house, clients)


async def test_a_watcher_whose_pickle_key_is_damaged_comes_back_by_itself_on_a_new_device(
    house: RunningHouse, clients: Clients
) -> None:
    files = BotFiles(bot_directory(house, "risk_monitor"))
    before = BotCredentials.load(files.directory)
    running = await process(house, "risk_monitor", "running")
    files.pickle_key.write_text("")
    kill(running)

    await until(lambda: BotCredentials.load(files.directory).device_id != before.device_id)
    await process(house, "risk_monitor", "running")

    await heard_and_answered(house, clients)


async def test_a_watcher_whose_store_stays_locked_ends_in_one_plain_line_and_comes_back(
    house: RunningHouse, clients: Clients
) -> None:
    files, log = BotFiles(bot_directory(house, "risk_monitor")), house.directory / "data" / "logs" / "risk_monitor.log"
    await process(house, "risk_monitor", "running")
    willow, before = await patient(house, clients), len(log.read_text())
    store = files.store(BotCredentials.load(files.directory).device_id) / "crypto.db"

    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await willow.client.send(willow.living_room, "hello")
        await until(lambda: "error: The device's encryption store could not be used" in log.read_text()[before:])
    await process(house, "risk_monitor", "running")

    assert "Traceback" not in log.read_text()[before:]
    await heard_and_answered(house, clients)


async def test_a_bot_that_runs_is_not_renewed(house: RunningHouse) -> None:
    before = (bot_directory(house, "room_gatekeeper") / "credentials.json").read_bytes()

    with pytest.raises(CommandFailed, match="error: Another process already runs this bot"):
        await house.command("bot", "renew", "room_gatekeeper")

    assert (bot_directory(house, "room_gatekeeper") / "credentials.json").read_bytes() == before


async def heard_and_answered(house: RunningHouse, clients: Clients) -> None:
    """A strict client is read by the watcher, and reads it."""
    team, willow = await clinician(house, clients), await patient(house, clients)
    await willow.client.send(willow.living_room, URGENT)
    care_room = house.ready["care_rooms"]["eating_disorders"]
    card = await team.wait_message(care_room, contains=localpart(UserId(willow.user_id)), timeout=20)
    assert card.shield == "NONE"


def lose_the_store(house: RunningHouse, name: str) -> None:
    """Take away where the bot keeps its device's keys, as a disk does."""
    stores = bot_directory(house, name) / "store"
    stores.rename(stores.with_name("store-that-was-lost"))


def bot_directory(house: RunningHouse, name: str) -> Path:
    """Where a bot keeps its own files."""
    return house.directory / "data" / "bots" / name


def kill(row: dict[str, Any]) -> None:
    """End one process of `status` without a word; one that has just ended by itself is ended too."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(row["pid"], signal.SIGKILL)


def is_done_with(house: RunningHouse, event_id: str) -> bool:
    """Whether the watcher has judged this event, and the database knows it: the next one is not handed it again."""
    engine = create_engine(load_house(house.directory / "data").database)
    with engine.connect() as connection:
        judged = (incoming.c.worker == Worker.RISK_MONITOR.value, incoming.c.done_at.is_not(None))
        query = select(incoming.c.place).where(incoming.c.event_id == event_id, *judged)
        done = connection.execute(query).first() is not None
    engine.dispose()
    return done


async def runs_again(house: RunningHouse, name: str, killed: int) -> bool:
    """Whether another process runs in the place of the killed one."""
    row = await process(house, name, "running")
    return bool(row["pid"] != killed)


async def alerted_events(house: RunningHouse, author: str, including: str) -> set[str]:
    """The events of this author that alerted, once this one is among them; else none."""
    cases = (await house.command("cases", "list"))["cases"]
    events = {alert["event_id"] for case in cases if case["author"] == author for alert in case["alerts"]}
    return events if including in events else set()


async def is_signed_in(house: RunningHouse, access_token: str) -> bool:
    at = f"{house.ready['homeserver']}/_matrix/client/v3/account/whoami"
    headers = {"Authorization": f"Bearer {access_token}"}
    async with aiohttp.ClientSession() as http, http.get(at, headers=headers) as answer:
        return answer.status == 200


async def until(true: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if true():
                return
            await asyncio.sleep(0.1)


async def process(house: RunningHouse, name: str, state: str) -> dict[str, Any]:
    """Wait until a process is in this state; its row of `status`."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            rows: list[dict[str, Any]] = (await house.command("status"))["processes"]
            row = next(each for each in rows if each["name"] == name)
            if row["state"] == state:
                return row
