"""A front door before a house with the door, and forms that are sent to it."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from front_door.pages import Notices, make_app
from front_door.registration import HomeserverAccounts
from tests.support.house_with_door import House

LINE = "If your life is in danger now, call 999 or go to A&E."

FrontDoor = TestClient[aiohttp.web.Request, aiohttp.web.Application]
Opens = Callable[[str], Awaitable[FrontDoor]]


@pytest_asyncio.fixture(loop_scope="session")
async def front_door_to() -> AsyncIterator[Opens]:
    """Opens a front door that registers at the homeserver of this address; closed after the test."""
    opened: list[FrontDoor] = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def open_front_door(homeserver: str) -> FrontDoor:
            app = make_app(HomeserverAccounts(http, homeserver), Notices(homeserver, (LINE,)), Counter())
            opened.append(TestClient(TestServer(app)))
            await opened[-1].start_server()
            return opened[-1]

        yield open_front_door
        for client in opened:
            await client.close()


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
