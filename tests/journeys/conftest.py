"""Two demonstration houses for all journeys: use people of your own."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.house import RunningHouse
from tests.support.paged_journey_house import PagedHouse


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHouse]:
    """A running house, started as the README says."""
    directory = tmp_path_factory.mktemp("house")
    os.chmod(directory, 0o700)
    async with RunningHouse(directory) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def paged_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PagedHouse]:
    """A running house for journeys that hold parts of it still; apart, because nobody else's messages may wait."""
    directory = tmp_path_factory.mktemp("paged")
    os.chmod(directory, 0o700)
    async with PagedHouse(directory) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def paged(paged_house: PagedHouse) -> AsyncIterator[PagedHouse]:
    """The house that is held still, well at the beginning of every test, whichever came before."""
    await paged_house.is_well()
    yield paged_house
    await paged_house.is_well()
