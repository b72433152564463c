"""What every test may ask for: a real Synapse, a real PostgreSQL, and clients that are not ours."""

import re
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support import fresh, ports
from tests.support.client import Clients
from tests.support.client_process import ClientProcess
from tests.support.postgres import running_postgres
from tests.support.synapse import RunningSynapse, plan_for_tests

# The house with the door, for every folder that asks for it.
pytest_plugins = ["tests.support.door"]


def pytest_report_header() -> str:
    """Name the seed, so that a run can be repeated with the same names."""
    return f"fresh names: KEYHOUSE_TEST_SEED={fresh.SEED}"


@pytest.fixture
def free_port() -> int:
    """A port on loopback that nothing listens on."""
    return ports.free_port()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """An SQLAlchemy address of a PostgreSQL that lives as long as the run; make databases of your own in it."""
    with running_postgres() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def synapse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSynapse]:
    """A closed Synapse without our module, shared by the whole run: use fresh names."""
    plan = plan_for_tests(tmp_path_factory.mktemp("synapse"), ports.free_port())
    async with RunningSynapse(plan) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client_process() -> AsyncIterator[ClientProcess]:
    """The one Node process of the run."""
    async with ClientProcess() as node:
        yield node


@pytest_asyncio.fixture(loop_scope="session")
async def clients(client_process: ClientProcess, request: pytest.FixtureRequest) -> AsyncIterator[Clients]:
    """Makes clients for one test, and ends them with it."""
    made = Clients(client_process, re.sub(r"\W+", "_", request.node.nodeid))
    yield made
    await made.stop()
