"""A house whose disk is lost comes back from its backup, and the people in it go on where they were."""

import asyncio
import os
from pathlib import Path

from bots.runtime.credentials import BotCredentials
from keyhouse.core.ids import UserId, localpart
from tests.journeys.people import Patient, clinician, patient
from tests.support.client import Client, Clients
from tests.support.house import RunningHouse

URGENT, AGAIN = "I am going to kill myself tonight", "I will kill myself tomorrow"
WITHIN_S = 60


async def test_people_go_on_in_a_restored_house_and_nothing_is_decided_twice(clients: Clients, tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o700)
    async with RunningHouse(made(tmp_path / "lost")) as lost:
        team, willow = await clinician(lost, clients), await patient(lost, clients)
        await alerted(lost, team, willow, URGENT)
        await willow.client.wait_message(willow.desk, sender=watcher(lost), timeout=WITHIN_S)
        before = await said_by_the_watcher(lost, team, willow)
        backup = await lost.command("backup", str(tmp_path / "backup"))
        # What follows is lost, and the clients have read further than the backup knows.
        for number in range(5):
            await willow.client.send(willow.living_room, f"the weather, number {number}")
        await asyncio.gather(willow.client.go_offline(), team.go_offline())

    restored = RunningHouse(made(tmp_path / "restored"), lost.ports)
    await restored.command("restore", str(tmp_path / "backup"))
    async with restored:
        await asyncio.gather(willow.client.come_back(), team.come_back())
        device_id = BotCredentials.load(restored.directory / "data" / "bots" / "risk_monitor").device_id
        await willow.client.wait_device(watcher(restored), device_id, signed=True, timeout=WITHIN_S)
        at_first = await said_by_the_watcher(restored, team, willow)
        await alerted(restored, team, willow, AGAIN)
        after = await said_by_the_watcher(restored, team, willow)
        cases = (await restored.command("cases", "list"))["cases"]
        audit = await restored.command("audit", "verify")

    assert backup["ok"]
    assert audit["ok"]
    assert len(before) == 2, "a card and a signposting"
    assert at_first == before
    (ring,) = [event_id for event_id in after if event_id not in before]
    assert "again" in after[ring]
    assert [len(case["alerts"]) for case in cases] == [2]


async def alerted(house: RunningHouse, team: Client, willow: Patient, words: str) -> None:
    """Let willow write, and wait until the team reads of it, from a device that it believes."""
    await willow.client.send(willow.living_room, words)
    told = await team.wait_message(care_room(house), contains=localpart(UserId(willow.user_id)), timeout=WITHIN_S)
    assert told.shield == "NONE"


async def said_by_the_watcher(house: RunningHouse, team: Client, willow: Patient) -> dict[str, str]:
    """Every message of the watcher in the care room and at willow's desk."""
    seen = [*await team.events(care_room(house)), *await willow.client.events(willow.desk)]
    return {each.event_id: each.body for each in seen if each.sender == watcher(house) and is_new(each.content)}


def is_new(content: dict[str, object]) -> bool:
    """Say whether this is a message, and not an edit of one or a reaction."""
    return "body" in content and "m.new_content" not in content


def watcher(house: RunningHouse) -> str:
    """The watcher's account."""
    return str(house.ready["bots"]["risk_monitor"])


def care_room(house: RunningHouse) -> str:
    """The care room that hears of willow."""
    return str(house.ready["care_rooms"]["eating_disorders"])


def made(directory: Path) -> Path:
    """Make a directory for a house."""
    directory.mkdir(mode=0o700)
    return directory
