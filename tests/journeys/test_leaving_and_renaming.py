"""A whole house gives an unlucky name away, and lets somebody go for good."""

from urllib.parse import quote

import pytest

from tests.journeys.people import patient
from tests.support.client import Client, Clients
from tests.support.eventually import eventually
from tests.support.house import CommandFailed, RunningHouse

WORDS = "I have watered the plants"
HELP = "I want to kill myself tonight"


async def test_a_new_name_reaches_the_rooms_and_the_account_stays(house: RunningHouse, clients: Clients) -> None:
    person, other = await patient(house, clients), await patient(house, clients)

    shown = await house.command("people", "rename", person.user_id)

    async def is_read_by_the_other() -> bool:
        member = await other.client.state(other.living_room, "m.room.member", person.user_id)
        return member is not None and member["displayname"] == shown["name"]

    await eventually(is_read_by_the_other)
    await person.client.send(person.living_room, WORDS)
    await other.client.wait_message(other.living_room, sender=person.user_id)
    assert shown["user_id"] == person.user_id


async def test_who_leaves_is_out_of_every_room_and_nobody_is_called_because_of_it(
    house: RunningHouse, clients: Clients
) -> None:
    leaver, other = await patient(house, clients), await patient(house, clients)
    event = await leaver.client.send(leaver.living_room, WORDS)
    await other.client.wait_message(other.living_room, sender=leaver.user_id)

    await house.command("people", "close", leaver.user_id)
    await other.client.wait_member(other.living_room, leaver.user_id, "leave")

    async def is_gone() -> bool:
        shown = await house.command("people", "show", leaver.user_id)
        return (shown["state"], shown["rooms"]) == ("closed", [])

    async def is_taken_back() -> bool:
        return not await content_of(other.client, other.living_room, event)

    await eventually(is_gone)
    await eventually(is_taken_back)
    cases = (await house.command("cases", "list"))["cases"]
    assert leaver.user_id not in {case["author"] for case in cases}
    assert (await house.command("audit", "verify"))["ok"]


async def test_who_may_be_in_danger_is_not_closed_by_the_way(house: RunningHouse, clients: Clients) -> None:
    person = await patient(house, clients)
    await person.client.send(person.desk, HELP)

    async def has_case() -> bool:
        cases = (await house.command("cases", "list"))["cases"]
        return person.user_id in {case["author"] for case in cases}

    await eventually(has_case)

    with pytest.raises(CommandFailed, match="has an open case"):
        await house.command("people", "close", person.user_id)

    await person.client.send(person.living_room, WORDS)
    assert (await house.command("people", "show", person.user_id))["state"] == "active"


async def content_of(client: Client, room: str, event: str) -> dict[str, object]:
    """What the homeserver still gives of an event's content."""
    found = await client.request("GET", f"/_matrix/client/v3/rooms/{quote(room)}/event/{quote(event)}")
    content: dict[str, object] = found["content"]
    return content
