"""A part of a whole house is held still, and somebody outside of Matrix is told: the right sentence, once."""

import pytest

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from provisioning.held_accounts import signed_in
from tests.journeys.people import patient
from tests.support.client import Clients
from tests.support.fresh import fresh_name
from tests.support.house import CommandFailed
from tests.support.paged_journey_house import PagedHouse


def begins(pages: list[str]) -> list[str]:
    """What pages say, without their moments."""
    return [page.partition(" (")[0] for page in pages]


async def test_a_test_page_goes_through_every_channel(paged: PagedHouse) -> None:
    tried = await paged.command("pager", "test")

    assert [(each["channel"], each["ok"]) for each in tried["channels"]] == [("web", True), ("mail", True)]
    assert (await paged.told("this is a test")).startswith("this is a test: nothing is wrong")
    assert paged.mail.subjects()[-1].startswith("keyhouse.localhost: this is a test")


async def test_a_test_page_that_a_channel_refuses_fails_and_names_it(paged: PagedHouse) -> None:
    paged.web.status = 403
    with pytest.raises(CommandFailed, match=r"1 of 2 channels did not take the page, first web: .* status 403"):
        await paged.command("pager", "test")
    refused = await paged.command("alarms", "list")
    paged.web.status = 204
    await paged.command("pager", "test")

    assert [alarm["says"] for alarm in refused["standing"]] == ["the pager's channel web does not work"]
    await paged.is_well()


async def test_a_watcher_that_is_held_still_is_told_once_and_shown_and_told_well_again(paged: PagedHouse) -> None:
    before = len(paged.web.heard)

    async with paged.held_still("risk_monitor"):
        await paged.told("risk_monitor has stopped", before)
        status = await paged.command("status")
        with pytest.raises(CommandFailed, match="begin with alarms: risk_monitor has stopped"):
            await paged.command("doctor")
    await paged.told("well again: risk_monitor runs", before)
    await paged.is_well()

    assert [alarm["says"] for alarm in status["alarms"]] == ["risk_monitor has stopped"]
    assert begins(paged.web.pages()[before:]) == ["risk_monitor has stopped", "well again: risk_monitor runs"]


async def test_a_homeserver_that_is_held_still_is_told_alone_and_all_is_well_is_no_longer_said(
    paged: PagedHouse,
) -> None:
    before = len(paged.web.heard)

    async with paged.held_still("synapse"):
        await paged.told("the homeserver does not answer", before)
        heard = len(paged.listener.heard)
        await paged.until(lambda listed: True)
        heard_later = len(paged.listener.heard)
    await paged.told("well again: the homeserver answers", before)
    await paged.is_well()

    assert heard_later <= heard + 1
    assert begins(paged.web.pages()[before:]) == [
        "the homeserver does not answer",
        "well again: the homeserver answers",
    ]


async def test_a_room_that_the_watcher_was_put_out_of_is_told_by_its_number_until_it_is_repaired(
    paged: PagedHouse,
) -> None:
    before = len(paged.web.heard)
    rooms = (await paged.command("rooms", "list"))["rooms"]
    willow = next(room for room in rooms if room["name"] == "The Willow living room")
    owner = paged.data.account(ServiceAccount.OWNER)

    async with signed_in(paged.homeserver, owner) as homeserver:
        await homeserver.kick(willow["room_id"], UserId(paged.ready["bots"]["risk_monitor"]))
    told = await paged.told("the watcher cannot see", before)
    await paged.command("building", "apply")
    await paged.told("well again: the watcher sees", before)

    assert told.startswith(f"the watcher cannot see room {willow['number']} (since ")
    assert len(paged.web.pages()[before:]) == 2


async def test_when_the_caretaker_is_down_up_tells_and_nothing_is_told_twice(paged: PagedHouse) -> None:
    before = len(paged.web.heard)

    async with paged.held_still("risk_monitor"):
        async with paged.held_still("caretaker"):
            await paged.told("caretaker has stopped", before)
        await paged.told("well again: caretaker runs", before)
        await paged.told("risk_monitor has stopped", before)
        await paged.until(lambda listed: [alarm["subject"] for alarm in listed["standing"]] == ["risk_monitor"])
    await paged.told("well again: risk_monitor runs", before)
    await paged.is_well()

    assert sorted(begins(paged.web.pages()[before:])) == [
        "caretaker has stopped",
        "risk_monitor has stopped",
        "well again: caretaker runs",
        "well again: risk_monitor runs",
    ]


async def test_no_page_holds_anything_that_anybody_wrote_or_who_they_are(paged: PagedHouse, clients: Clients) -> None:
    willow = await patient(paged, clients)
    canary = fresh_name("canary").replace("-", "")
    before = len(paged.web.heard)

    async with paged.held_still("risk_monitor"):
        await willow.client.send(willow.living_room, f"{canary} and I am going to kill myself tonight")
        await paged.told("risk_monitor has stopped", before)
    await paged.told("well again: risk_monitor runs", before)

    told = [str(request.document) for request in paged.web.heard] + [str(message) for message in paged.mail.heard]
    for secret in (canary, willow.user_id, willow.user_id[1:].partition(":")[0], "anorexia", "Willow", "!"):
        assert not [page for page in told if secret in page], secret
