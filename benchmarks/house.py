"""A whole demonstration house: how long it takes to start, what memory it needs, how soon a card can be read."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from tests.journeys.people import clinician, patient
from tests.support.client import Clients
from tests.support.client_process import ClientProcess
from tests.support.house import RunningHouse

ROUNDS = 40
URGENT = "I am going to kill myself tonight"


async def main() -> None:
    """Print the figures, one a line."""
    with tempfile.TemporaryDirectory(prefix="keyhouse-bench-") as directory:
        house = RunningHouse(Path(directory))
        print(f"first start: {await _seconds(house):.1f} s")
        await house.stop()
        print(f"second start: {await _seconds(house):.1f} s")
        try:
            await _latency(house)
            memory = {name: _pss_mib(pid) for name, pid in await _pids(house)}
            print(f"memory (PSS): {sum(memory.values()):.0f} MiB in all; " + _listed(memory))
        finally:
            await house.stop()


async def _seconds(house: RunningHouse) -> float:
    began = time.perf_counter()
    await house.start()
    return time.perf_counter() - began


async def _latency(house: RunningHouse) -> None:
    async with ClientProcess() as node:
        clients = Clients(node, "bench")
        team, willow = await clinician(house, clients), await patient(house, clients)
        care_room = str(house.ready["care_rooms"]["eating_disorders"])
        taken = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            await willow.client.send(willow.living_room, URGENT)
            card = await team.wait_message(care_room, contains="Nobody has it yet")
            taken.append((time.perf_counter() - began) * 1000)
            await team.react(care_room, card.event_id, "❌")
            await team.wait_message(care_room, rel_type="m.replace", relates_to=card.event_id, contains="Closed")
        await clients.stop()
    taken.sort()
    print(
        f"message sent -> card readable, {ROUNDS} rounds: median {statistics.median(taken):.0f} ms, "
        f"p95 {taken[int(len(taken) * 0.95)]:.0f} ms, max {taken[-1]:.0f} ms"
    )


async def _pids(house: RunningHouse) -> list[tuple[str, int]]:
    processes = (await house.command("status"))["processes"]
    return [("up", int(house.ready["pid"])), *((each["name"], int(each["pid"])) for each in processes)]


def _pss_mib(pid: int) -> float:
    """The process's share of memory, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _listed(memory: dict[str, float]) -> str:
    return ", ".join(f"{name} {mib:.0f}" for name, mib in memory.items())


if __name__ == "__main__":
    asyncio.run(main())
