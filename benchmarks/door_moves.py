"""How soon memberships and messages follow a change that was kept, with the real concierge.

`python -m benchmarks.door_moves` (`--quick`: a tenth of everything).
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from keyhouse.core.people import PersonState
from tests.support.concierge import house_with_concierge
from tests.support.door import lift_limits
from tests.support.eventually import eventually
from tests.support.house_with_door import WILLOW, House
from tests.support.key_changes import change, new_room

ROUNDS = 60


async def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    rounds = ROUNDS // 10 if parser.parse_args().quick else ROUNDS
    with tempfile.TemporaryDirectory(prefix="keyhouse-bench-") as directory:
        async with house_with_concierge(Path(directory)) as concierge:
            await lift_limits(concierge.house)
            await _follow_keys(concierge.house, rounds)
            await _follow_pauses(concierge.house, rounds)


async def _follow_keys(house: House, rounds: int) -> None:
    (room, alder), person = await new_room(house), await house.person(WILLOW)
    entered, left = [], []

    async def stands(membership: str) -> bool:
        return await house.membership(room, person) == membership

    for _ in range(rounds):
        change(house, person, alder, give=True)
        entered.append(await _seconds(lambda: stands("join")))
        change(house, person, alder, give=False)
        left.append(await _seconds(lambda: stands("leave")))
    _print("key granted -> in the room", entered)
    _print("key taken -> out of the room", left)


async def _follow_pauses(house: House, rounds: int) -> None:
    person = await house.person(WILLOW)
    room = await house.moved_into(await house.room(WILLOW), person)
    paused, resumed = [], []

    async def may_speak(status: int) -> bool:
        # What a person may send in a minute is limited; a refused message is not counted.
        return (await house.say(person, room)).status == status

    for _ in range(rounds):
        house.put_state(person, PersonState.PAUSED)
        paused.append(await _seconds(lambda: may_speak(403)))
        house.put_state(person, PersonState.ACTIVE)
        resumed.append(await _seconds(lambda: may_speak(200)))
    _print("paused -> messages are refused", paused)
    _print("resumed -> messages go out", resumed)


async def _seconds(holds: Callable[[], Awaitable[bool]]) -> float:
    began = time.perf_counter()
    await eventually(holds)
    return time.perf_counter() - began


def _print(what: str, seconds: Sequence[float]) -> None:
    print(
        f"{what}, {len(seconds)} times: median {statistics.median(seconds) * 1000:.0f} ms, "
        f"slowest {max(seconds) * 1000:.0f} ms; {os.getloadavg()[0]:.1f} processes wanted a core"
    )


if __name__ == "__main__":
    asyncio.run(main())
