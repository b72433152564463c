"""What was done behind the house's back is repaired by a sweep, which every start of the concierge begins with."""

import asyncio
import os
import signal
import sys

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId, UserId
from provisioning.directory import HouseDirectory
from provisioning.held_accounts import signed_in
from tests.journeys.people import patient
from tests.support.client import Clients
from tests.support.house import RunningHouse

WITHIN_S = 30.0


async def test_a_key_that_was_taken_without_a_decision_is_followed(house: RunningHouse, clients: Clients) -> None:
    willow, other = await patient(house, clients), await patient(house, clients)

    await take_key_in_the_database(house, willow.user_id, "anorexia")
    os.kill(await running_concierge(house), signal.SIGKILL)

    await willow.client.wait_member(willow.living_room, willow.user_id, "leave", timeout=WITHIN_S)
    await other.client.wait_member(other.living_room, willow.user_id, "leave", timeout=WITHIN_S)
    # The desk stays, and whoever has a key was left alone.
    assert willow.desk in {room["room"] for room in await willow.client.rooms()}
    assert other.living_room in {room["room"] for room in await other.client.rooms()}


async def test_who_was_put_out_by_hand_is_brought_back(house: RunningHouse, clients: Clients) -> None:
    willow = await patient(house, clients)

    # Held still, so that no sweep comes between the removal and our seeing it.
    pid = await running_concierge(house)
    os.kill(pid, signal.SIGSTOP)
    account = HouseDirectory(house.directory / "data").account(ServiceAccount.OWNER)
    async with signed_in(house.homeserver, account) as owner:
        await owner.kick(RoomId(willow.living_room), UserId(willow.user_id))
    await willow.client.wait_member(willow.living_room, willow.user_id, "leave", timeout=WITHIN_S)
    os.kill(pid, signal.SIGKILL)

    await willow.client.wait_member(willow.living_room, willow.user_id, "join", timeout=WITHIN_S)
    assert (await house.command("audit", "verify"))["ok"]


async def running_concierge(house: RunningHouse) -> int:
    """Wait until the concierge runs; its process, which the supervisor starts again when it ends."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            rows = (await house.command("status"))["processes"]
            row = next(each for each in rows if each["name"] == "room_gatekeeper")
            if row["state"] == "running":
                return int(row["pid"])


async def take_key_in_the_database(house: RunningHouse, user_id: str, condition: str) -> None:
    """Revoke a key as no part of the house does it: nothing follows from it."""
    taking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.taken_key", str(house.directory / "data"), user_id, condition)
    )
    assert await asyncio.wait_for(taking.wait(), WITHIN_S) == 0
