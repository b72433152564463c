"""What the door costs a message: the same room of 300 people on two homeservers, one with our module, one without.

`python -m benchmarks.door` (`--quick`: a tenth of everything). The two run side by side, and the second one's database
is a copy of the first one's, so that nothing but the module differs. Each pair of messages is sent one after the
other, the one with the module first in every other pair: what else the machine does meets both alike, which it would
not if one homeserver were started with and then without the module.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.door_houses import Sender, equal_houses, plain_house, timed_house
from benchmarks.door_timed import Timings, read_timings

MEMBERS, PAIRS, RESAMPLES = 300, 1_000, 2_000
WARMED_UP_BY = 50


async def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    members, pairs = (MEMBERS // 10, PAIRS // 10) if parser.parse_args().quick else (MEMBERS, PAIRS)
    with tempfile.TemporaryDirectory(prefix="keyhouse-bench-") as directory:
        folder = Path(directory)
        room = await plain_house(folder / "without", members)
        async with equal_houses(folder, room) as (with_door, without):
            taken = await _pairs(with_door, without, pairs)
        _print_pairs(taken, members)
        async with timed_house(folder, room) as (timed, timings):
            await _send(timed, WARMED_UP_BY)
            before = len(read_timings(timings).decided_ms)
            await _send(timed, pairs)
        _print_timings(read_timings(timings), before)


async def _pairs(with_door: Sender, without: Sender, pairs: int) -> list[tuple[float, float]]:
    """Send pairs of messages; the milliseconds of each, with the module and without."""
    for sender in (with_door, without):
        await _send(sender, WARMED_UP_BY)
    taken = []
    for number in range(pairs):
        if number % 2:
            mine = await _ms(with_door)
            taken.append((mine, await _ms(without)))
        else:
            theirs = await _ms(without)
            taken.append((await _ms(with_door), theirs))
    return taken


async def _send(sender: Sender, messages: int) -> None:
    for _ in range(messages):
        await sender.send()


async def _ms(sender: Sender) -> float:
    began = time.perf_counter()
    await sender.send()
    return (time.perf_counter() - began) * 1000


def _print_pairs(taken: Sequence[tuple[float, float]], members: int) -> None:
    mine, theirs = zip(*taken, strict=True)
    low, high = _interval(taken)
    print(
        f"sending into a room of {members}, {len(taken)} pairs: median {statistics.median(mine):.1f} ms with the door, "
        f"{statistics.median(theirs):.1f} ms without; ratio of the medians {_ratio(taken):.3f} "
        f"(95 of 100 resamples between {low:.3f} and {high:.3f}); {os.getloadavg()[0]:.1f} processes wanted a core"
    )


def _ratio(taken: Sequence[tuple[float, float]]) -> float:
    mine, theirs = zip(*taken, strict=True)
    return statistics.median(mine) / statistics.median(theirs)


def _interval(taken: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return between which values the ratio lies in 95 of 100 draws of as many pairs, with replacement."""
    chance = random.Random(1)
    ratios = sorted(_ratio(chance.choices(taken, k=len(taken))) for _ in range(RESAMPLES))
    return ratios[RESAMPLES * 25 // 1000], ratios[RESAMPLES * 975 // 1000]


def _print_timings(timings: Timings, before: int) -> None:
    decided = sorted(timings.decided_ms[before:])
    print(
        f"the door's own time for a message, {len(decided)} messages: median {statistics.median(decided):.3f} ms, "
        f"p99 {decided[len(decided) * 99 // 100]:.3f} ms; {timings.waited} of them waited for anything, "
        "and whatever reads a database waits"
    )


if __name__ == "__main__":
    asyncio.run(main())
