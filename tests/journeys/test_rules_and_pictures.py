"""What people read and do about the rules of the house, and what becomes of pictures."""

import pytest

from tests.journeys.people import Patient, clinician, newcomer, patient
from tests.journeys.test_the_house_stands import URGENT, cases_of, pseudonym
from tests.support.client import Clients
from tests.support.client_process import ClientRefusedError
from tests.support.eventually import eventually
from tests.support.house import RunningHouse

PICTURE = {"msgtype": "m.image", "filename": "me.jpg", "url": "mxc://example.org/abc"}


async def is_taken_away(somebody: Patient, event_id: str) -> bool:
    """Whether the homeserver has an event without its content."""
    path = f"/_matrix/client/v3/rooms/{somebody.living_room}/event/{event_id}"
    return "redacted_because" in (await somebody.client.request("GET", path)).get("unsigned", {})


async def test_a_newcomer_is_told_at_once_why_a_message_did_not_go_out_and_agrees_in_plain_words(
    house: RunningHouse, clients: Clients
) -> None:
    willow, other = await newcomer(house, clients), await patient(house, clients)
    greeting = await willow.client.wait_message(willow.desk, contains="Welcome", timeout=20)

    with pytest.raises(ClientRefusedError) as refused:
        await willow.client.send(willow.living_room, "good morning, everybody")
    told = await willow.client.wait_message(willow.desk, contains="did not go out", timeout=20)
    await willow.client.send(willow.desk, "I agree")
    await willow.client.wait_message(willow.desk, contains="You can write in all your rooms now", timeout=20)
    said = await willow.client.send(willow.living_room, "good morning, at last")

    assert "Before you can write in the other rooms" in greeting.body
    assert refused.value.errcode == "UK.KEYHOUSE.RULES_NOT_AGREED"
    assert told.content["m.mentions"] == {"user_ids": [willow.user_id]}
    for line in ("999", "111", "116 123", "85258"):
        assert line in told.body
    assert (await other.client.wait_message(willow.living_room, event_id=said)).body == "good morning, at last"


async def test_a_newcomer_who_has_not_agreed_is_heard_at_the_desk(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await newcomer(house, clients)

    await willow.client.send(willow.desk, URGENT)

    care_room = house.ready["care_rooms"]["eating_disorders"]
    assert URGENT in (await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)).body


async def test_a_tick_under_the_greeting_is_enough(house: RunningHouse, clients: Clients) -> None:
    willow = await newcomer(house, clients)
    greeting = await willow.client.wait_message(willow.desk, contains="Welcome", timeout=20)

    await willow.client.react(willow.desk, greeting.event_id, "✅")
    await willow.client.wait_message(willow.desk, contains="You can write in all your rooms now", timeout=20)

    await willow.client.send(willow.living_room, "good morning, everybody")


async def test_a_picture_with_a_dangerous_caption_brings_a_human_and_is_taken_away_and_its_author_is_told(
    house: RunningHouse, clients: Clients
) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]

    sent = await willow.client.send_event(willow.living_room, "m.room.message", {**PICTURE, "body": URGENT})
    card = await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    told = await willow.client.wait_message(willow.desk, contains="taken away again", timeout=20)
    await eventually(lambda: is_taken_away(willow, sent))

    assert URGENT in card.body
    assert "it was not judged" in told.body
    for line in ("999", "111", "116 123", "85258"):
        assert line in told.body
    number = (await cases_of(house, willow.user_id))[0]["number"]
    await team.send(care_room, f"!show {number}")
    assert URGENT in (await team.wait_message(care_room, contains=URGENT, msgtype="m.notice", timeout=20)).body


async def test_the_same_words_without_a_picture_bring_a_human_and_stay(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)

    words = await willow.client.send(willow.living_room, URGENT)
    # The harmless picture after it is the twin: when it is gone, the words would be.
    picture = await willow.client.send_event(willow.living_room, "m.room.message", {**PICTURE, "body": "me.jpg"})
    await eventually(lambda: is_taken_away(willow, picture))
    await team.wait_message(
        house.ready["care_rooms"]["eating_disorders"], contains=pseudonym(willow.user_id), timeout=20
    )

    assert not await is_taken_away(willow, words)
    assert len((await cases_of(house, willow.user_id))[0]["alerts"]) == 1
