"""A homeserver of several processes for tests, asked through a router as one that stands alone is asked."""

import asyncio

from provisioning.homeserver import HomeserverPlan
from tests.support.cluster_plan import CLIENT_WORKERS, PERSISTERS, plan_cluster
from tests.support.ports import free_port
from tests.support.router import Router
from tests.support.synapse import RunningSynapse
from tests.support.synapse_process import SynapseProcess


class RunningCluster(RunningSynapse):
    """Main, two workers for clients, two that write events, and a router before them.

    plan: of the homeserver, with PostgreSQL as its database.
    """

    def __init__(self, plan: HomeserverPlan, redis_port: int) -> None:
        self._cluster = plan_cluster(plan, redis_port)
        super().__init__(self._cluster.main)
        self.router = Router(free_port(), plan.url, self._cluster.client_urls)
        self.workers: dict[str, SynapseProcess] = {}

    @property
    def url(self) -> str:
        """Where clients reach the homeserver: the router."""
        return self.router.url

    @property
    def client_urls(self) -> tuple[str, ...]:
        """Where a test reaches each of the workers that clients speak to, past the router."""
        return self._cluster.client_urls

    async def start(self) -> None:
        """Start main, which makes the tables, then all workers together, then the router."""
        await super().start()
        try:
            self.workers = {name: self._cluster.worker(name) for name in (*CLIENT_WORKERS, *PERSISTERS)}
            async with asyncio.TaskGroup() as group:
                for worker in self.workers.values():
                    group.create_task(worker.start())
            await self.router.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all of it; nothing happens if it is gone already."""
        await self.router.stop()
        await asyncio.gather(*(worker.stop() for worker in self.workers.values()))
        await super().stop()

    def log_tail(self, lines: int = 25) -> str:
        """The end of what each process printed and logged."""
        told = [f"{name}:\n{worker.log_tail(lines)}" for name, worker in self.workers.items()]
        return "\n".join([super().log_tail(lines), *told])
