"""A second house, for what the one of the whole run cannot show."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.door import running_house
from tests.support.house_with_door import House


@pytest_asyncio.fixture(loop_scope="session")
async def strict_house(tmp_path: Path) -> AsyncIterator[House]:
    """A house of its own for one test, in which Synapse allows nobody more than two invitations."""
    tight = {"per_second": 0.001, "burst_count": 2}
    extra = {"rc_invites": {"per_room": tight, "per_user": tight, "per_issuer": tight}}
    async with running_house(tmp_path, extra=extra) as running:
        yield running
