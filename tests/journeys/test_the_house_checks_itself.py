"""Silence must never look like safety: the house writes to itself, tells its rooms, and can be drilled."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import RoomId
from keyhouse.core.probing import ANSWER_ROOM, PROBE_ROOM, ROOMS
from provisioning.caretaker.purging import purge
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver
from tests.journeys.people import clinician, patient
from tests.support.client import Client, Clients
from tests.support.client_process import ClientRefusedError
from tests.support.house import RunningHouse
from tests.support.paged_journey_house import TOLD_AFTER, WITHIN_S, PagedHouse

CRISIS_LINES = ("999", "111", "116 123")
NOT_SURE, AGAIN = "it is not certain that the team is called", "It did not work as it should from"
DRILLED_WITHIN_S = 240.0


async def test_the_house_hears_itself_from_the_first_minute_on(paged: PagedHouse) -> None:
    beat = await paged.probe(lambda beat: beat.counters["answered"] >= 2)

    status = await paged.command("status")
    cases = await paged.command("cases", "list")

    assert 0 < beat.counters["took_ms"] < WITHIN_S * 1000
    assert status["probe_age_s"] < WITHIN_S
    alerted = {alert["room_id"] for case in cases["cases"] for alert in case["alerts"]}
    assert alerted.isdisjoint({paged.room(PROBE_ROOM), paged.room(ANSWER_ROOM)})


async def test_the_probes_rooms_are_in_the_list_and_in_nothing_that_people_are_shown(paged: PagedHouse) -> None:
    rooms = {room["name"]: room for room in (await paged.command("rooms", "list"))["rooms"]}
    changes = (await paged.command("building", "plan"))["changes"]
    own = [rooms[planned.name] for planned in ROOMS]

    assert changes == []
    assert [(room["kind"], room["roles"], room["encrypted"], room["watched"]) for room in own] == [
        ("probe", [], True, True)
    ] * 2
    shown = {*paged.ready["spaces"].values(), *paged.ready["care_rooms"].values()}
    assert shown.isdisjoint(room["room_id"] for room in own)


async def test_a_clinician_cannot_enter_the_probes_rooms(paged: PagedHouse, clients: Clients) -> None:
    team = await clinician(paged, clients)

    for slug in (PROBE_ROOM, ANSWER_ROOM):
        with pytest.raises(ClientRefusedError) as refused:
            await team.join(paged.room(slug))
        assert str(refused.value.errcode).startswith("UK.KEYHOUSE.")


async def test_a_purge_leaves_the_probes_room_small_and_the_probe_well(paged: PagedHouse) -> None:
    await paged.probe(lambda beat: beat.counters["answered"] >= 2)
    house, room_id = paged.opened(), paged.room(PROBE_ROOM)
    async with signed_in(paged.homeserver, house.directory.account(ServiceAccount.CARETAKER)) as caretaker:
        old = (await messages(caretaker, room_id))[-1]
        purged_at = datetime.now(UTC)

        assert await purge(caretaker, room_id, purged_at)
        await until_gone(caretaker, room_id, old)

    await paged.probe(lambda beat: beat.beat_at > purged_at)


async def test_rooms_say_once_that_they_are_not_seen_and_once_that_they_are_seen_again(
    paged: PagedHouse, clients: Clients
) -> None:
    willow = await patient(paged, clients)
    rooms = (willow.living_room, willow.desk)
    before = len(paged.web.heard)

    async with paged.held_still("risk_monitor"):
        await paged.told("risk_monitor has stopped", before)
        warned = [await willow.client.wait_message(room, contains=NOT_SURE, timeout=WITHIN_S) for room in rooms]
        unheard = await paged.probe()
    calmed = [await willow.client.wait_message(room, contains=AGAIN, timeout=WITHIN_S) for room in rooms]

    heard_again = await paged.probe(lambda beat: beat.beat_at > unheard.beat_at)
    assert heard_again.beat_at - unheard.beat_at >= TOLD_AFTER
    assert {seen.content["msgtype"] for seen in (*warned, *calmed)} == {"m.notice"}
    assert {seen.shield for seen in (*warned, *calmed)} == {"NONE"}
    assert all(line in seen.body for seen in warned for line in CRISIS_LINES)
    assert all(seen.body.startswith("A message from the house.") for seen in (*warned, *calmed))
    for room in rooms:
        assert [await notices(willow.client, room, said) for said in (NOT_SURE, AGAIN)] == [1, 1]


async def test_a_drill_of_the_watcher_says_who_was_told_and_how_soon_all_was_well(paged: PagedHouse) -> None:
    before = await paged.command("audit", "verify")

    shown = await paged.command("drill", "watcher", "--yes", within_s=DRILLED_WITHIN_S)

    (drill,) = shown["drills"]
    first, last = drill["told"][0], drill["told"][-1]
    assert shown["ok"]
    assert first["channel"] == "web"
    assert first["text"].startswith("DRILL: ")
    assert "risk_monitor" in first["text"]
    assert last["text"].startswith("DRILL: well again: ")
    assert {page["text"] for page in drill["told"]} <= set(paged.web.pages())
    assert 0 < first["after_s"] <= drill["away_s"]
    assert drill["well_after_s"] > 0
    after = await paged.command("audit", "verify")
    assert after["ok"]
    assert after["entries"] >= before["entries"] + 2


async def test_a_drill_of_the_cards_holds_back_what_is_sent_and_nothing_else(
    paged: PagedHouse, clients: Clients
) -> None:
    willow, team = await patient(paged, clients), await clinician(paged, clients)
    drilling = asyncio.create_task(paged.command("drill", "card", "--yes", within_s=DRILLED_WITHIN_S))
    await drill_has_begun(paged)

    await willow.client.send(willow.living_room, "I am going to kill myself tonight")
    raised = await a_case_of(paged, willow.user_id)
    care_room = paged.ready["care_rooms"]["eating_disorders"]
    card = await team.wait_message(care_room, contains=willow.user_id[1:].partition(":")[0], timeout=WITHIN_S)
    shown = await drilling

    assert raised["urgency"] == "urgent"
    assert card.shield == "NONE"
    assert shown["ok"]
    assert shown["drills"][0]["told"][0]["text"].startswith("DRILL: ")


async def drill_has_begun(house: RunningHouse) -> None:
    """Wait until a drill is marked."""
    mark = house.directory / "data" / "run" / "drill.json"

    async def marked() -> bool:
        return mark.exists()

    await until(marked)


async def a_case_of(house: RunningHouse, author: str) -> dict[str, Any]:
    """Wait until somebody has a case."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            cases: list[dict[str, Any]] = (await house.command("cases", "list"))["cases"]
            if found := [case for case in cases if case["author"] == author]:
                return found[0]


async def notices(client: Client, room: str, said: str) -> int:
    """How many notices with these words a person has seen in a room."""
    return sum(said in seen.body for seen in await client.events(room))


async def messages(caretaker: Homeserver, room_id: RoomId) -> list[str]:
    """The ids of a room's messages, newest first, as the server's administrator sees them."""
    at = f"/_synapse/admin/v1/rooms/{quote(room_id, safe='')}/messages?dir=b&limit=100"
    return [each["event_id"] for each in (await caretaker.request("GET", at))["chunk"] if "state_key" not in each]


async def until_gone(caretaker: Homeserver, room_id: RoomId, event_id: str) -> None:
    """Wait until a message is no longer there."""

    async def gone() -> bool:
        return event_id not in await messages(caretaker, room_id)

    await until(gone)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.1)
