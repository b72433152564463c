"""How fast, and at what cost, a message reaches a decision: `python -m benchmarks.delivery [--quick] [--rooms N]`.

Replay: recorded encrypted answers of /sync through the receiving path of one process. Live: clients that are not ours
write to a homeserver, and the watcher's own process hears them; in a house of few rooms, then in one of ten times as
many. Restart: the process is killed, and started with many rooms and room keys. The load of the machine stands beside.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delivery_house import DeliveryHouse, delivery_house
from benchmarks.delivery_recording import record
from benchmarks.delivery_replay import print_replay
from benchmarks.delivery_watcher import WatcherProcess

WRITERS, PER_SECOND, RESTARTS, SMALLER_BY = 8, 20, 3, 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. rooms: of the large house."""

    messages: int
    live_s: int
    rooms: int
    room_keys: int


WHOLE = Sizes(messages=1500, live_s=30, rooms=2000, room_keys=10_000)
QUICK = Sizes(messages=200, live_s=5, rooms=200, room_keys=1000)


async def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(prog="benchmarks.delivery")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--rooms", type=int, help="rooms of the large house")
    given = parser.parse_args()
    sizes = QUICK if given.quick else WHOLE
    rooms = given.rooms or sizes.rooms
    with tempfile.TemporaryDirectory(prefix="keyhouse-bench-") as directory:
        replayed, lived = Path(directory) / "replayed", Path(directory) / "lived"
        async with delivery_house(replayed, WRITERS) as house:
            await print_replay(house, await record(house, replayed, sizes.messages), replayed)
        async with delivery_house(lived, WRITERS) as house:
            few = await _in_a_house_of(house, rooms // SMALLER_BY, sizes)
            many = await _in_a_house_of(house, rooms, sizes)
            per_room = (many - few) / (rooms - rooms // SMALLER_BY)
            _say(f"memory of the watcher per 1,000 rooms: {per_room * 1000:.1f} MiB (rooms of one or two members)")
            house.add_room_keys(sizes.room_keys)
            await _restart(house, rooms, sizes.room_keys)


async def _in_a_house_of(house: DeliveryHouse, rooms: int, sizes: Sizes) -> float:
    """Print the live figures with so many rooms; give the memory of the quiet watcher, in MiB."""
    began = time.perf_counter()
    await house.grow_to(rooms)
    _say(f"{rooms:,} rooms made in {time.perf_counter() - began:.0f} s")
    async with house.watching() as watcher:
        # The first answer of the homeserver, which tells of every new room, comes late.
        event_id, _, _ = await house.writers[0].say(0)
        await house.decided([event_id])
        await watcher.until_quiet()
        memory = watcher.pss_mib
        _say(f"memory of the watcher (PSS) with {rooms:,} rooms: {memory:.0f} MiB")
        await _live(house, watcher, rooms, sizes.live_s)
        return memory


async def _live(house: DeliveryHouse, watcher: WatcherProcess, rooms: int, seconds: int) -> None:
    worked, loop = watcher.cpu_s, asyncio.get_running_loop()
    began, writing = loop.time(), []
    for number in range(seconds * PER_SECOND):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - loop.time()))
        writer = house.writers[number % len(house.writers)]
        writing.append(asyncio.create_task(writer.say(number)))
    sent = await asyncio.gather(*writing)
    lasted = loop.time() - began
    decided_at = await house.decided([event_id for event_id, _, _ in sent])
    cpu_ms = (watcher.cpu_s - worked) * 1000 / len(sent)
    taken = sorted((decided_at[event_id] - at) * 1000 for event_id, at, _ in sent)
    heard = sorted((decided_at[event_id] - at - took) * 1000 for event_id, at, took in sent)
    _say(
        f"live, {len(sent) / lasted:.1f} messages a second for {lasted:.0f} s, {rooms:,} rooms, message -> decision: "
        f"median {statistics.median(taken):.0f} ms, p99 {p99(taken):.0f} ms, slowest {taken[-1]:.0f} ms; "
        f"once the sender had its answer: median {statistics.median(heard):.0f} ms, p99 {p99(heard):.0f} ms; "
        f"the watcher's processor {cpu_ms:.1f} ms a message"
    )


async def _restart(house: DeliveryHouse, rooms: int, room_keys: int) -> None:
    taken, memory = [], 0.0
    for number in range(RESTARTS):
        event_id, _, _ = await house.writers[number % len(house.writers)].say(number)
        began = time.time()
        async with house.watching() as watcher:
            taken.append((await house.decided([event_id]))[event_id] - began)
            await watcher.until_quiet()
            memory = watcher.pss_mib
    _say(
        f"restart to first decision, {rooms:,} rooms and {room_keys:,} stored room keys: "
        f"median {statistics.median(taken):.1f} s, slowest of {RESTARTS} {max(taken):.1f} s; then {memory:.0f} MiB"
    )


def p99(ordered: list[float]) -> float:
    """The 99th hundredth."""
    return ordered[len(ordered) * 99 // 100]


def _say(line: str) -> None:
    print(f"{line}  [load {os.getloadavg()[0]:.1f}]", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
