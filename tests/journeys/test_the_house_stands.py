"""The whole way through: in by key, refused elsewhere, heard, claimed and closed, moved."""

import asyncio
from typing import Any

import pytest

from tests.journeys.people import clinician, new_clinician, patient
from tests.support.client import Clients
from tests.support.client_process import ClientRefusedError
from tests.support.fresh import fresh_name
from tests.support.house import RunningHouse

URGENT = "I am going to kill myself tonight"
ORDINARY = "awful night, appointment tomorrow"


async def test_two_patients_meet_in_their_living_room_and_find_nobody_of_another_condition(
    house: RunningHouse, clients: Clients
) -> None:
    willow, other = await patient(house, clients), await patient(house, clients)
    rowan = await patient(house, clients, "bulimia", "Rowan")

    sent = await willow.client.send(willow.living_room, "good morning, everybody")
    heard = await other.client.wait_message(willow.living_room, event_id=sent)

    assert heard.shield == "NONE"
    assert willow.living_room == other.living_room != rowan.living_room
    assert rowan.user_id not in {member["user"] for member in await willow.client.members(willow.living_room)}
    assert house.ready["spaces"]["anorexia"] in {room["room"] for room in await willow.client.rooms()}


async def test_a_patient_is_refused_at_the_other_conditions_room_and_is_told_so_plainly(
    house: RunningHouse, clients: Clients
) -> None:
    willow = await patient(house, clients)
    rowan = await patient(house, clients, "bulimia", "Rowan")

    with pytest.raises(ClientRefusedError) as refused:
        await willow.client.join(rowan.living_room)

    assert refused.value.errcode == "UK.KEYHOUSE.NO_KEY"
    assert "Your key does not open this room" in str(refused.value)


async def test_a_newcomer_is_greeted_at_the_desk_with_what_the_house_is_and_is_not(
    house: RunningHouse, clients: Clients
) -> None:
    willow = await patient(house, clients)

    greeting = await willow.client.wait_message(willow.desk, contains="Welcome", timeout=20)

    assert greeting.shield == "NONE"
    assert greeting.body.startswith("A message for you from the house.")
    for said in ("not a crisis service", "999", "111", "116 123", "85258", "a program reads"):
        assert said in greeting.body


async def test_an_urgent_sentence_becomes_a_card_and_private_signposting(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]

    await willow.client.send(willow.living_room, URGENT)
    card = await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    signposting = await willow.client.wait_message(willow.desk, contains="111", regex="glad you said so", timeout=20)

    assert card.shield == signposting.shield == "NONE"
    assert card.content["msgtype"] == "m.text"
    assert team.user_id in card.content["m.mentions"]["user_ids"]
    assert URGENT in card.body
    for line in ("999", "111", "116 123", "85258"):
        assert line in signposting.body


async def test_an_ordinary_sentence_raises_nothing(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room, before = house.ready["care_rooms"]["eating_disorders"], await team.mark()

    await willow.client.send(willow.living_room, ORDINARY)
    # The urgent one after it is the twin: when its card is there, the ordinary one has been judged.
    await willow.client.send(willow.living_room, URGENT)
    await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)

    cards = [seen for seen in await team.events(care_room, after_seq=before) if pseudonym(willow.user_id) in seen.body]
    assert not any(ORDINARY in card.body for card in cards)
    assert len(await cases_of(house, willow.user_id)) == 1


async def test_a_case_is_claimed_by_reaction_and_closed_by_command(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]
    await willow.client.send(willow.living_room, URGENT)
    card = await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)

    await team.react(care_room, card.event_id, "👀")
    await team.wait_message(care_room, rel_type="m.replace", relates_to=card.event_id, contains="Taken by", timeout=20)
    claimed = (await cases_of(house, willow.user_id))[0]
    await team.send(care_room, f"!close {claimed['number']} support")
    await team.wait_message(care_room, contains=f"Case {claimed['number']} is closed", timeout=20)
    closed = (await cases_of(house, willow.user_id))[0]

    assert (claimed["state"], claimed["claimed_by"]) == ("claimed", team.user_id)
    assert (closed["state"], closed["outcome"]) == ("closed", "support")
    assert closed["alerts"][0]["urgency"] == "urgent"


async def test_a_case_is_claimed_by_command_and_closed_by_reaction(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]
    await willow.client.send(willow.living_room, URGENT)
    card = await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    number = (await cases_of(house, willow.user_id))[0]["number"]

    await team.send(care_room, f"!CLAIM{number}")
    await team.wait_message(care_room, contains=f"Case {number} is yours", timeout=20)
    await team.react(care_room, card.event_id, "✅")
    await team.wait_message(care_room, rel_type="m.replace", relates_to=card.event_id, contains="Closed", timeout=20)

    assert (await cases_of(house, willow.user_id))[0]["state"] == "closed"


async def test_a_colleague_is_told_plainly_that_the_case_is_taken(house: RunningHouse, clients: Clients) -> None:
    first, second = await clinician(house, clients), await new_clinician(house, clients)
    willow, care_room = await patient(house, clients), house.ready["care_rooms"]["eating_disorders"]
    await willow.client.send(willow.living_room, URGENT)
    await first.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    number = (await cases_of(house, willow.user_id))[0]["number"]

    await first.send(care_room, f"!claim {number}")
    await first.wait_message(care_room, contains=f"Case {number} is yours", timeout=20)
    asked = await second.send(care_room, f"!claim {number}")
    answer = await second.wait_message(care_room, contains="A colleague has this case", timeout=20)

    assert answer.content["m.relates_to"]["m.in_reply_to"]["event_id"] == asked
    assert (await cases_of(house, willow.user_id))[0]["claimed_by"] == first.user_id


async def test_who_signs_in_after_the_card_was_sent_is_shown_what_was_written(
    house: RunningHouse, clients: Clients
) -> None:
    early, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]
    await willow.client.send(willow.living_room, URGENT)
    await early.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    number = (await cases_of(house, willow.user_id))[0]["number"]

    late = await clinician(house, clients)
    asked = await late.send(care_room, f"!show {number}")
    shown = await late.wait_message(care_room, contains=URGENT, msgtype="m.notice", timeout=20)

    assert shown.content["m.relates_to"]["m.in_reply_to"]["event_id"] == asked
    assert pseudonym(willow.user_id) in shown.body


async def test_a_further_alert_joins_the_open_case_and_rings_its_holder(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    care_room = house.ready["care_rooms"]["eating_disorders"]
    await willow.client.send(willow.living_room, "I've been cutting again")
    card = await team.wait_message(care_room, contains=pseudonym(willow.user_id), timeout=20)
    await team.react(care_room, card.event_id, "👀")
    await team.wait_message(care_room, rel_type="m.replace", relates_to=card.event_id, contains="Taken by", timeout=20)

    await willow.client.send(willow.living_room, URGENT)
    again = await team.wait_message(care_room, contains="again", regex=pseudonym(willow.user_id), timeout=20)
    case = (await cases_of(house, willow.user_id))[0]

    assert again.content["m.mentions"]["user_ids"] == [team.user_id]
    assert (len(case["alerts"]), case["urgency"]) == (2, "urgent")


async def test_a_changed_key_moves_the_person_within_five_seconds(house: RunningHouse, clients: Clients) -> None:
    willow = await patient(house, clients)
    rowan = await patient(house, clients, "bulimia", "Rowan")

    await house.command("people", "set", willow.user_id, "--remove-condition", "anorexia", "--add-condition", "bulimia")
    async with asyncio.timeout(5):
        await willow.client.wait_member(willow.living_room, willow.user_id, "leave", timeout=5)
        await willow.client.wait_member(rowan.living_room, willow.user_id, "join", timeout=5)

    heard = await rowan.client.send(rowan.living_room, "hello to the newcomer")
    assert (await willow.client.wait_message(rowan.living_room, event_id=heard)).shield == "NONE"
    with pytest.raises(ClientRefusedError):
        await willow.client.join(willow.living_room)


async def test_both_of_an_excluding_pair_are_refused_and_nothing_moves(house: RunningHouse, clients: Clients) -> None:
    willow = await patient(house, clients)

    with pytest.raises(AssertionError, match="never held together"):
        await house.command("people", "set", willow.user_id, "--add-condition", "bulimia")

    assert (await house.command("people", "show", willow.user_id))["conditions"] == ["anorexia"]


async def test_the_desk_answers_help_and_mistyped_commands(house: RunningHouse, clients: Clients) -> None:
    willow = await patient(house, clients)
    await willow.client.wait_message(willow.desk, contains="Welcome", timeout=20)

    await willow.client.send(willow.desk, "! Help")
    helped = await willow.client.wait_message(willow.desk, contains="What you can do here", timeout=10)
    await willow.client.send(willow.desk, "!roms")
    guessed = await willow.client.wait_message(willow.desk, contains="Did you mean", timeout=10)

    assert helped.content["msgtype"] == guessed.content["msgtype"] == "m.notice"
    assert "!rooms" in guessed.body


async def test_call_me_at_the_desk_opens_a_case(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)

    await willow.client.send(willow.desk, "Call me")
    card = await team.wait_message(
        house.ready["care_rooms"]["eating_disorders"], contains=pseudonym(willow.user_id), timeout=20
    )

    assert card.shield == "NONE"


async def test_words_and_conditions_stand_in_no_log_and_words_in_no_file(house: RunningHouse, clients: Clients) -> None:
    team, willow = await clinician(house, clients), await patient(house, clients)
    canary = fresh_name("canary").replace("-", "")
    await willow.client.send(willow.living_room, f"{canary} and {URGENT}")
    await team.wait_message(house.ready["care_rooms"]["eating_disorders"], contains=canary, timeout=20)

    found = [path.name for path, content in house.files() if canary.encode() in content]
    logged = [path.name for path, content in house.files() if path.suffix == ".log" and b"anorexia" in content]

    assert found == []
    assert logged == []


def pseudonym(user_id: str) -> str:
    """The name that the house shows."""
    return user_id.removeprefix("@").partition(":")[0]


async def cases_of(house: RunningHouse, user_id: str) -> list[dict[str, Any]]:
    """This person's cases, newest first."""
    cases: list[dict[str, Any]] = (await house.command("cases", "list"))["cases"]
    return [case for case in cases if case["author"] == user_id]
