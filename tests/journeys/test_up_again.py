"""A house that was killed goes on where it was, with the next `up`."""

import asyncio
import os
import signal
from collections.abc import Iterable

from keyhouse.core.ids import UserId, localpart
from provisioning.processes import Started, lives, started, wait_until
from tests.journeys.people import clinician, patient
from tests.support.client import Clients
from tests.support.house import RunningHouse

URGENT = "I am going to kill myself tonight"
STAYS = ("homeserver", "server_name", "front_door", "spaces", "bots", "care_rooms")
GONE_WITHIN_S = 15.0


async def test_a_killed_house_goes_on_with_the_same_people_and_rooms_and_a_bot_that_was_renewed_meanwhile(
    house: RunningHouse, clients: Clients
) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    name, care_room, before = localpart(UserId(willow.user_id)), care_room_of(house), house.ready
    running = await processes(house)

    os.kill(running["risk_monitor"].pid, signal.SIGKILL)
    await willow.client.send(willow.living_room, URGENT)
    # A client that lost the house by itself looks for it again only now and then.
    await asyncio.gather(willow.client.go_offline(), team.go_offline())
    await house.kill()
    await gone(running.values())
    renewed = await house.command("bot", "renew", "room_gatekeeper")
    await house.start()
    restarts = [each["restarts"] for each in (await house.command("status"))["processes"]]

    await asyncio.gather(willow.client.come_back(), team.come_back())
    late = await team.wait_message(care_room, contains=name, timeout=20)
    await willow.client.send(willow.living_room, URGENT)
    again = await team.wait_message(care_room, contains="again", regex=name, timeout=20)
    await willow.client.send(willow.desk, "!help")
    helped = await willow.client.wait_message(willow.desk, contains="What you can do here", timeout=20)

    assert len(running) == 6
    # The programs wait for the homeserver that starts beside them.
    assert restarts == [0, 0, 0, 0, 0, 0]
    assert {each: house.ready[each] for each in STAYS} == {each: before[each] for each in STAYS}
    assert house.ready["demo"]["clinician"] == before["demo"]["clinician"]
    assert late.shield == again.shield == helped.shield == "NONE"
    # While the house was down there was nobody who could have given it a device.
    assert renewed["device_id"] is None


def care_room_of(house: RunningHouse) -> str:
    """The care room that hears of everybody in these tests."""
    return str(house.ready["care_rooms"]["eating_disorders"])


async def processes(house: RunningHouse) -> dict[str, Started]:
    """Every process of the house as it runs now, by name."""
    rows = (await house.command("status"))["processes"]
    return {each["name"]: seen for each in rows if (seen := started(each["pid"]))}


async def gone(processes: Iterable[Started]) -> None:
    """Wait until none of these lives."""
    left = list(processes)
    assert await asyncio.to_thread(wait_until, lambda: not any(map(lives, left)), GONE_WITHIN_S), left
