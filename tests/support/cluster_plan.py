"""What five processes of one homeserver are told: main, two that clients speak to, two that write events."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from provisioning.homeserver import HomeserverPlan, start_command
from provisioning.homeserver_settings import listener, log_settings
from tests.support.ports import free_port
from tests.support.synapse_process import SynapseProcess

CLIENT_WORKERS = ("client1", "client2")
PERSISTERS = ("persister1", "persister2")


@dataclass(frozen=True)
class ClusterPlan:
    """A cluster around one homeserver.yaml, which every process reads. ports: by the worker's name."""

    main: HomeserverPlan
    ports: dict[str, int] = field(
        default_factory=lambda: {name: free_port() for name in (*CLIENT_WORKERS, *PERSISTERS)}
    )

    @property
    def client_urls(self) -> tuple[str, ...]:
        """Where the workers that clients speak to are reached."""
        return tuple(f"http://127.0.0.1:{self.ports[name]}" for name in CLIENT_WORKERS)

    def worker(self, name: str) -> SynapseProcess:
        """Write what one worker is told, and give the process that will be it."""
        folder = (self.main.directory / name).absolute()
        folder.mkdir(exist_ok=True)
        _write(folder / "log.yaml", log_settings(folder / "worker.log"))
        _write(folder / "worker.yaml", self._settings(name, folder))
        command = start_command(self.main)
        command[command.index("synapse.app.homeserver")] = "synapse.app.generic_worker"
        return SynapseProcess(
            [*command, "-c", str(folder / "worker.yaml")],
            self.ports[name],
            folder / "worker.log",
            folder / "console.log",
        )

    def _settings(self, name: str, folder: Path) -> dict[str, Any]:
        listens = listener(self.ports[name]) if name in CLIENT_WORKERS else replication_listener(self.ports[name])
        return {
            "worker_app": "synapse.app.generic_worker",
            "worker_name": name,
            "worker_log_config": str(folder / "log.yaml"),
            "worker_listeners": [listens],
        }


def plan_cluster(main: HomeserverPlan, redis_port: int) -> ClusterPlan:
    """Say how the processes of this homeserver find each other. main: one whose database is PostgreSQL."""
    cluster, replication_port = ClusterPlan(main), free_port()
    instances = {name: {"host": "127.0.0.1", "port": cluster.ports[name]} for name in PERSISTERS}
    shared = {
        "listeners": [listener(main.port), replication_listener(replication_port)],
        "redis": {"enabled": True, "host": "127.0.0.1", "port": redis_port},
        "instance_map": {"main": {"host": "127.0.0.1", "port": replication_port}, **instances},
        "stream_writers": {"events": list(PERSISTERS)},
    }
    return replace(cluster, main=replace(main, extra={**main.extra, **shared}))


def replication_listener(port: int) -> dict[str, Any]:
    """Say where a process listens for the others alone."""
    return {**listener(port), "resources": [{"names": ["replication"]}]}


def _write(path: Path, settings: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(settings))
