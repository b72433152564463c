"""A house in which the real concierge runs: for what the door, the concierge and its sweep do together."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.concierge import RunningConcierge, house_with_concierge
from tests.support.door import lift_limits


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def one_concierge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningConcierge]:
    """The concierge of a house of its own: nobody else invites or removes there."""
    async with house_with_concierge(tmp_path_factory.mktemp("moves")) as running:
        await lift_limits(running.house)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def concierge(one_concierge: RunningConcierge) -> RunningConcierge:
    """The concierge, which runs at the beginning of every test, however the last one ended."""
    if not one_concierge.runs:
        await one_concierge.start()
    return one_concierge
