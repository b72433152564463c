"""A front door before a house with the door, and forms that are sent to it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from front_door.agreements import KeptAgreements
from front_door.pages import Notices, make_app
from front_door.registration import HomeserverAccounts
from keyhouse.settings.rules_in_force import RulesInForce
from tests.support.house_with_door import House

BUILDING = Path(__file__).parents[2] / "config" / "building.yaml"
LINE = "If your life is in danger now, call 999 or go to A&E."

FrontDoor = TestClient[aiohttp.web.Request, aiohttp.web.Application]
Opens = Callable[[str], Awaitable[FrontDoor]]


@pytest_asyncio.fixture(loop_scope="session")
async def front_door_to(house: House) -> AsyncIterator[Opens]:
    """Opens a front door that registers at the homeserver of this address; closed after the test."""
    opened: list[FrontDoor] = []
    agreements = KeptAgreements(house.store)
    keeping = asyncio.create_task(agreements.run())
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def open_front_door(homeserver: str) -> FrontDoor:
            notices = Notices(homeserver, (LINE,), RulesInForce(BUILDING))
            app = make_app(HomeserverAccounts(http, homeserver), agreements, notices, Counter())
            opened.append(TestClient(TestServer(app)))
            await opened[-1].start_server()
            return opened[-1]

        yield open_front_door
        for client in opened:
            await client.close()
    keeping.cancel()
    await asyncio.wait({keeping})


@pytest_asyncio.fixture(loop_scope="session")
async def front_door(house: House, front_door_to: Opens) -> FrontDoor:
    """The front door of the house."""
    return await front_door_to(house.synapse.url)


@pytest.fixture
def count_accounts(house: House) -> Callable[[], Awaitable[int]]:
    """Says how many accounts the homeserver has."""

    async def count() -> int:
        token = house.caretaker.access_token
        return int((await house.synapse.ask("GET", "/_synapse/admin/v2/users?limit=1", token))["total"])

    return count
