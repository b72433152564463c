"""What is decided in one process is obeyed by every other: the door keeps nothing of its own."""

import asyncio
from pathlib import Path

import pytest

import synapse_module
from keyhouse.core.people import PersonState
from keyhouse.core.sentences import error_code
from keyhouse.core.verdict import Reason
from tests.support.cluster import RunningCluster
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, WILLOW, House
from tests.support.synapse import Account, Answer

RUNS_IN_EVERY_PROCESS = "on_new_event"


@pytest.fixture
def everywhere(cluster: RunningCluster) -> tuple[str, ...]:
    """The address of every process that clients can be sent to."""
    return (*cluster.client_urls, cluster.plan.url)


async def test_a_key_that_was_taken_a_moment_ago_opens_nothing_in_any_process(
    house: House, cluster: RunningCluster, everywhere: tuple[str, ...]
) -> None:
    rooms = [await house.room(WILLOW) for _ in everywhere]
    person = await house.person(WILLOW)

    house.revoke_key(person, WILLOW)

    answers = await asyncio.gather(
        *(_invite(house, cluster, person, *each) for each in zip(rooms, everywhere, strict=True))
    )
    assert [answer.errcode for answer in answers] == [error_code(Reason.NO_KEY)] * len(everywhere)
    house.grant_key(person, WILLOW)
    again = await asyncio.gather(
        *(_invite(house, cluster, person, *each) for each in zip(rooms, everywhere, strict=True))
    )
    assert [answer.status for answer in again] == [200] * len(everywhere)


async def test_a_pause_is_obeyed_by_every_process_soon_and_so_is_its_end(
    house: House, cluster: RunningCluster, everywhere: tuple[str, ...]
) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    async def all_answer(status: int) -> bool:
        answers = [await _say(cluster, person, room, url) for url in everywhere]
        return {answer.status for answer in answers} == {status}

    await eventually(lambda: all_answer(200))
    house.put_state(person, PersonState.PAUSED)
    await eventually(lambda: all_answer(403))
    house.put_state(person, PersonState.ACTIVE)
    await eventually(lambda: all_answer(200))


def test_nothing_hangs_on_what_synapse_calls_in_every_process_for_every_event() -> None:
    files = list(Path(synapse_module.__file__).parent.rglob("*.py"))

    using = [file.name for file in files if RUNS_IN_EVERY_PROCESS in file.read_text()]

    assert len(files) > 5
    assert using == []


async def _invite(house: House, cluster: RunningCluster, person: Account, room: str, url: str) -> Answer:
    path, token = f"{CLIENT}/rooms/{room}/invite", house.concierge.access_token
    return await cluster.request("POST", path, token, {"user_id": person.user_id}, at=url)


async def _say(cluster: RunningCluster, person: Account, room: str, url: str) -> Answer:
    path = f"{CLIENT}/rooms/{room}/send/m.room.message/{fresh_name('txn')}"
    return await cluster.request("PUT", path, person.access_token, {"msgtype": "m.text", "body": "hello"}, at=url)
