"""Two watchers at once: either may end at any moment, and what was written still brings one card, and no second."""

import asyncio
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.runtime.once import MARK
from bots.runtime.outbox import LEASE_LASTS, STANDS_BY_FOR_S
from provisioning.answers import opened
from provisioning.check_rooms import signed_check
from provisioning.checks import State
from provisioning.directory import HouseDirectory
from tests.delivery.watchers import (
    NAMES,
    WITHIN_S,
    both_run,
    holder,
    house_with_two_watchers,
    kill,
    pids,
    watcher,
    without_supervisor,
)
from tests.journeys.people import clinician, patient
from tests.support.client import Client, Clients
from tests.support.client_process import ClientProcess
from tests.support.fresh import SEED
from tests.support.house import RunningHouse
from tests.support.postgres import new_database

URGENT = "I am going to kill myself tonight"
ROUNDS = 10


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[RunningHouse]:
    """A house on PostgreSQL."""
    database = new_database(postgres_url, f"house_{secrets.token_hex(4)}")
    async with house_with_two_watchers(tmp_path_factory.mktemp("two"), database) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def team(house: RunningHouse, client_process: ClientProcess) -> AsyncIterator[Client]:
    """The demonstration's clinician, in the care room."""
    clients = Clients(client_process, "two-watchers")
    yield await clinician(house, clients)
    await clients.stop()


@pytest.fixture
def care_room(house: RunningHouse) -> str:
    """Where the cards come."""
    return care_room_of(house)


def care_room_of(house: RunningHouse) -> str:
    """Where the cards of this house come."""
    return str(house.ready["care_rooms"]["eating_disorders"])


async def cards(team: Client, room: str, words: str) -> list[str]:
    """The ids of the watcher's messages with these words; edits show a message again, and are none of their own."""
    seen = await team.events(room, limit=500)
    watchers = [each for each in seen if each.sender.startswith("@watcher:") and words in each.body]
    return [each.event_id for each in watchers if "m.new_content" not in each.content]


async def test_two_watchers_raise_one_alert_with_one_card_and_one_signposting(
    house: RunningHouse, clients: Clients, team: Client, care_room: str
) -> None:
    running = await both_run(house)
    willow = await patient(house, clients)

    event = await willow.client.send(willow.living_room, f"{URGENT}, they both heard")

    card = await team.wait_message(care_room, contains="they both heard", timeout=WITHIN_S)
    await willow.client.wait_message(willow.desk, contains="not a crisis service", timeout=WITHIN_S, after_seq=0)
    signposting = await willow.client.wait_message(willow.desk, contains="it sounds as if", timeout=WITHIN_S)
    # What comes after it was decided after it: by then a second card would have come.
    await willow.client.send(willow.living_room, f"{URGENT}, the second")
    await team.wait_message(care_room, contains="the second", timeout=WITHIN_S)
    alerts = [each["event_id"] for case in (await house.command("cases", "list"))["cases"] for each in case["alerts"]]
    opened_house = opened(HouseDirectory(house.directory / "data"))
    devices = [(await signed_check(name)(opened_house, name)).state for name in NAMES]
    assert (set(running), devices) == (set(NAMES), [State.OK, State.OK])
    assert Counter(alerts)[event] == 1
    assert await cards(team, care_room, "they both heard") == [card.event_id]
    at_desk = await willow.client.events(willow.desk, limit=500)
    assert [each.event_id for each in at_desk if "it sounds as if" in each.body] == [signposting.event_id]
    assert (card.shield, signposting.shield) == ("NONE", "NONE")


async def test_when_the_holder_of_the_lease_is_killed_the_other_sends_the_next_card_when_the_lease_ends(
    house: RunningHouse, clients: Clients, team: Client, care_room: str
) -> None:
    await both_run(house)
    willow = await patient(house, clients)
    first, second = NAMES

    # Started anew within four seconds, the killed one could take its own lease again: nobody starts it here.
    async with without_supervisor(house), watcher(house, first) as one, watcher(house, second) as other:
        await willow.client.send(willow.living_room, f"{URGENT}, while both live")
        await team.wait_message(care_room, contains="while both live", timeout=WITHIN_S)
        killed = await holder(house)
        kill({first: one, second: other}[killed].pid)
        began = time.perf_counter()
        await willow.client.send(willow.living_room, f"{URGENT}, one of them died")
        card = await team.wait_message(care_room, contains="one of them died", timeout=WITHIN_S)
        seconds, took = time.perf_counter() - began, await holder(house)

    print(f"lease holder killed -> next card readable: {seconds:.2f} s")  # noqa: T201
    assert took != killed
    assert await cards(team, care_room, "one of them died") == [card.event_id]
    assert LEASE_LASTS.total_seconds() + STANDS_BY_FOR_S < 5


async def test_of_ten_messages_while_watchers_are_killed_none_is_lost_and_none_is_told_twice(
    house: RunningHouse, clients: Clients, team: Client, care_room: str
) -> None:
    await both_run(house)
    willow = await patient(house, clients)
    chance = random.Random(SEED)

    for number in range(ROUNDS):
        await willow.client.send(willow.living_room, f"{URGENT}, round {number}.")
        await asyncio.sleep(chance.uniform(0, 0.5))
        running = pids(house)
        if running:
            kill(running[chance.choice(sorted(running))])

    for number in range(ROUNDS):
        await team.wait_message(care_room, contains=f"round {number}.", timeout=WITHIN_S)
    await both_run(house)
    await willow.client.send(willow.living_room, f"{URGENT}, the last")
    await team.wait_message(care_room, contains="the last", timeout=WITHIN_S)
    told = [len(await cards(team, care_room, f"round {number}.")) for number in range(ROUNDS)]
    assert told == [1] * ROUNDS


async def marked(client: Client, room: str) -> int:
    """How many events that a watcher must send once are in a room, as the homeserver has it."""
    page = await client.request("GET", f"/_matrix/client/v3/rooms/{room}/messages?dir=b&limit=500")
    return sum(each["sender"].startswith("@watcher:") and MARK in each["content"] for each in page["chunk"])


@pytest.mark.parametrize(("fault_point", "left"), [("before_send", 0), ("after_send", 1)])
async def test_a_watcher_that_died_around_a_send_leaves_to_the_other_exactly_what_the_room_lacks(
    house: RunningHouse, clients: Clients, team: Client, care_room: str, fault_point: str, left: int
) -> None:
    await both_run(house)
    willow = await patient(house, clients)
    first, second = NAMES

    async with without_supervisor(house):
        before = await marked(team, care_room)
        async with watcher(house, first, fault_point) as dying:
            await willow.client.send(willow.living_room, f"{URGENT}, {fault_point}")
            status = await asyncio.wait_for(dying.wait(), WITHIN_S)
        # Card and signposting leave side by side: either may be the one around which it died.
        sent = await marked(team, care_room) + await marked(willow.client, willow.desk) - before
        async with watcher(house, second):
            card = await team.wait_message(care_room, contains=fault_point, timeout=WITHIN_S)
            signposting = await willow.client.wait_message(willow.desk, contains="it sounds as if", timeout=WITHIN_S)
            for _ in range(3):
                await team.wait_message(care_room, type="m.reaction", relates_to=card.event_id, timeout=WITHIN_S)
            await team.react(care_room, card.event_id, "❌")
            await team.wait_message(care_room, contains="Closed", relates_to=card.event_id, timeout=WITHIN_S)

    assert status == -9
    assert left <= sent <= 2 * left
    assert await cards(team, care_room, fault_point) == [card.event_id]
    at_desk = await willow.client.events(willow.desk, limit=500)
    assert [each.event_id for each in at_desk if "it sounds as if" in each.body] == [signposting.event_id]


async def test_two_watchers_on_one_sqlite_file_tell_once_too_and_either_may_end(
    tmp_path: Path, clients: Clients
) -> None:
    async with house_with_two_watchers(tmp_path, "sqlite:///{data}/keyhouse.db") as house:
        running, room = await both_run(house), care_room_of(house)
        team, willow = await clinician(house, clients), await patient(house, clients)

        await willow.client.send(willow.living_room, f"{URGENT}, the first")
        first = await team.wait_message(room, contains="the first", timeout=WITHIN_S)
        kill(running[await holder(house)])
        await willow.client.send(willow.living_room, f"{URGENT}, the second")
        second = await team.wait_message(room, contains="the second", timeout=WITHIN_S)

        assert await cards(team, room, "the first") == [first.event_id]
        assert await cards(team, room, "the second") == [second.event_id]
