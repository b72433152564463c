"""Wait for what a starting house must show, and say in one sentence what did not come."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp

from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat, Store
from provisioning.answers import Failure
from provisioning.logs import last_line, log_file
from provisioning.state import ChildState
from provisioning.supervisor import Supervisor

EVERY_S = 0.15
FRESH = timedelta(seconds=6)
_PROBE_S = 2.0
_HOPELESS_RESTARTS = 2


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits while the supervised processes are well; one that cannot start ends every wait at once."""

    supervisor: Supervisor
    logs: Path

    async def until(self, holds: Callable[[], Awaitable[bool]], within_s: float, otherwise: str) -> None:
        """Return when the condition holds; raises Failure with the sentence `otherwise` after the time."""
        deadline = asyncio.get_running_loop().time() + within_s
        while not await holds():
            self._refuse_hopeless()
            if asyncio.get_running_loop().time() > deadline:
                raise Failure(otherwise)
            await asyncio.sleep(EVERY_S)

    def _refuse_hopeless(self) -> None:
        for status in self.supervisor.statuses():
            if status.state is ChildState.FAILED:
                raise Failure(f"{status.name} cannot start: {status.sentence}")
            if status.restarts >= _HOPELESS_RESTARTS:
                said = last_line(self.logs, status.name)
                raise Failure(f"{status.name} keeps ending: {said}; see {log_file(self.logs, status.name)}")


async def homeserver_answers(url: str) -> bool:
    """Say whether the homeserver at this address is up."""
    return await _ok(f"{url}/health")


async def _ok(url: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_PROBE_S)) as http,
            http.get(url) as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def all_beat(store: Store, supervisor: Supervisor, names: tuple[str, ...]) -> bool:
    """Say whether each of these processes, as it runs now, has given a sign of life within the last moments."""
    beats = {beat.process: beat for beat in await asyncio.to_thread(heartbeats, store)}
    return all(
        name in beats and beats[name].pid == supervisor.status(name).pid and is_fresh(beats[name]) for name in names
    )


def heartbeats(store: Store) -> list[Heartbeat]:
    """Return what each process last said of itself."""
    with store.reading() as tx:
        return list(tx.heartbeats.all())


def is_fresh(beat: Heartbeat) -> bool:
    """Say whether a sign of life is young enough to count."""
    return datetime.now(UTC) - beat.beat_at <= FRESH


async def nothing_waits(store: Store, worker: Worker) -> bool:
    """Say whether everything that was decided for this worker is done."""
    return await asyncio.to_thread(_undone, store, worker) == 0


def _undone(store: Store, worker: Worker) -> int:
    with store.reading() as tx:
        return tx.outbox.undone(worker, datetime.now(UTC))
