"""The house again, on a homeserver of several processes."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.cluster import RunningCluster
from tests.support.cluster_house import ClusterHouse
from tests.support.door import door_module, house_around, lift_limits
from tests.support.fresh import fresh_name
from tests.support.house_with_door import House
from tests.support.ports import free_port
from tests.support.postgres import for_synapse, new_database
from tests.support.redis import running_redis
from tests.support.synapse import plan_for_tests


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster_house(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[House]:
    """A house on PostgreSQL, Redis, main, two client workers and two event persisters, shared by the whole run."""
    folder = tmp_path_factory.mktemp("cluster")
    ours, theirs = [new_database(postgres_url, fresh_name(name)) for name in ("house", "synapse")]
    more = {"database": for_synapse(theirs), "modules": [door_module(folder, ours)]}
    with running_redis(folder) as redis_port:
        cluster = RunningCluster(plan_for_tests(folder / "synapse", free_port(), **more), redis_port)
        async with house_around(cluster, folder, ours, ClusterHouse) as house:
            await lift_limits(house)
            yield house


@pytest.fixture
def house(cluster_house: House) -> House:
    """In this folder, the house of the cluster: what holds for one process is shown again by the same tests."""
    return cluster_house


@pytest.fixture
def cluster(cluster_house: House) -> RunningCluster:
    """The processes of the house's homeserver."""
    assert isinstance(cluster_house.synapse, RunningCluster)
    return cluster_house.synapse
