"""One demonstration house for all journeys: use people of your own."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.house import RunningHouse


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHouse]:
    """A running house, started as the README says."""
    directory = tmp_path_factory.mktemp("house")
    os.chmod(directory, 0o700)
    async with RunningHouse(directory) as running:
        yield running
