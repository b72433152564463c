"""From a code to an account, once more, with half of every race at each worker."""

import asyncio

from tests.support.cluster import RunningCluster
from tests.support.house_with_door import House
from tests.synapse.test_registration import *  # noqa: F403


async def test_of_those_who_race_for_an_account_half_is_served_by_each_worker(
    house: House, cluster: RunningCluster
) -> None:
    before = {url: cluster.router.sent[url] for url in cluster.client_urls}

    await asyncio.gather(*(house.session() for _ in range(20)))

    assert [cluster.router.sent[url] - before[url] for url in cluster.client_urls] == [10, 10]
