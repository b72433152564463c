"""When our own database is locked by somebody else, or slow: nobody enters, and words are not held up."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest_asyncio

from keyhouse.core.verdict import Reason
from tests.support.door import door_module, house_around
from tests.support.fresh import fresh_name
from tests.support.house_with_door import WILLOW, House
from tests.support.ports import free_port
from tests.support.postgres import new_database
from tests.support.synapse import RunningSynapse, plan_for_tests
from tests.synapse.test_entry import refused
from tests.synapse.test_speaking import told

MESSAGES = 100
# A message that waited for the store would wait for two seconds: a hundred of them for more than three minutes.
WITHIN_S = 100.0


@pytest_asyncio.fixture(loop_scope="session")
async def our_database(postgres_url: str) -> str:
    """An empty PostgreSQL database, which can be locked against readers too."""
    return new_database(postgres_url, fresh_name("locked"))


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, our_database: str) -> AsyncIterator[House]:
    """A house of its own, on PostgreSQL."""
    plan = plan_for_tests(tmp_path / "synapse", free_port(), modules=[door_module(tmp_path, our_database)])
    async with house_around(RunningSynapse(plan), tmp_path, our_database) as running:
        yield running


@contextmanager
def locked(url: str) -> Iterator[psycopg2.extensions.connection]:
    """Hold the tables by which the door decides, so that nobody even reads them."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""), connect_timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE person, room, policy IN ACCESS EXCLUSIVE MODE")
        yield connection
    finally:
        connection.close()


async def test_while_the_store_is_locked_nobody_enters_and_no_word_waits_for_it(
    house: House, our_database: str
) -> None:
    person, silent = await house.person(WILLOW), await house.person(WILLOW, agrees=False)
    room, next_room = await house.room_with(person, silent), await house.room(WILLOW)
    await house.lift_limits_of(person)
    assert (await house.say(person, room)).status == 200
    assert refused(await house.say(silent, room), Reason.RULES_NOT_AGREED)

    with locked(our_database):
        entering = asyncio.create_task(house.join(person, next_room))
        async with asyncio.timeout(WITHIN_S):
            said = [(await house.say(person, room)).status for _ in range(MESSAGES)]
        assert said == [200] * MESSAGES
        assert refused(await house.say(silent, room), Reason.RULES_NOT_AGREED)
        assert refused(await house.send(person, room, "m.sticker", {"body": "x"}), Reason.NOT_CARRIED)
        assert refused(await entering, Reason.STORE_AWAY)
        assert refused(await house.invite(person, next_room), Reason.STORE_AWAY)

    assert await told(house, person) == ["not_carried"]
    assert (await house.invite(person, next_room)).status == 200


async def test_a_slow_store_is_waited_for_by_who_enters_and_by_nobody_who_speaks(
    house: House, our_database: str
) -> None:
    person = await house.person(WILLOW)
    room, next_room = await house.room_with(person), await house.room(WILLOW)
    assert (await house.say(person, room)).status == 200

    with locked(our_database) as holder:
        inviting = asyncio.create_task(house.invite(person, next_room))
        await _somebody_waits(our_database)
        assert (await house.say(person, room)).status == 200
        assert not inviting.done()
        holder.rollback()
        assert (await inviting).status == 200


async def _somebody_waits(url: str) -> None:
    # The door's own second-by-second look waits too: two waiting ones are that and the invitation.
    onlooker = psycopg2.connect(url.replace("+psycopg2", ""), connect_timeout=10)
    onlooker.autocommit = True
    try:
        with onlooker.cursor() as cursor:
            async with asyncio.timeout(4):
                waiting = 0
                while waiting < 2:
                    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                    waiting = (cursor.fetchone() or (0,))[0]
                    await asyncio.sleep(0.02)
    finally:
        onlooker.close()
