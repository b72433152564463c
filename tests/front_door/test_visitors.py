"""Who tries too often at the page is held up, and nobody else."""

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from front_door.pages import AWAY
from keyhouse.core.codes import make_code
from tests.front_door.conftest import FrontDoor, Opens
from tests.front_door.seen import SeenPage, see
from tests.support.door import running_house
from tests.support.house_with_door import House


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counting_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A house that counts its visitors, as every house but a demonstration does."""
    async with running_house(tmp_path_factory.mktemp("counting"), limited=True) as house:
        yield house


async def use(front_door: FrontDoor, code: str, visitor: str) -> SeenPage:
    form = {"code": code, "agree": "yes"}
    return await see(await front_door.post("/", data=form, headers={"X-Forwarded-For": visitor}))


async def test_who_tries_codes_without_end_is_held_up_and_another_visitor_comes_in(
    counting_house: House, front_door_to: Opens
) -> None:
    front_door = await front_door_to(counting_house.synapse.url)
    unknown = make_code(secrets.token_bytes(17))

    tries = [await use(front_door, unknown, "192.0.2.1")]
    while tries[-1].status == 403 and len(tries) < 1000:
        tries.append(await use(front_door, unknown, "192.0.2.1"))
    other = await use(front_door, counting_house.issue().code, "192.0.2.2")

    assert (tries[-1].status, tries[-1].alert) == (503, AWAY)
    assert len(tries) > 30
    assert other.status == 200
