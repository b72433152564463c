"""From a clinician's slot to a patient's session, at the desk and in a client that is not ours."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.journeys.people import Patient, clinician, patient
from tests.support.client import Clients, Seen
from tests.support.house import RunningHouse


async def at_the_desk(
    house: RunningHouse, clients: Clients, condition: str = "anorexia", name: str = "Willow"
) -> Patient:
    """Let somebody in, and wait until the booking bot is at the desk too."""
    somebody = await patient(house, clients, condition, name)
    await somebody.client.wait_member(somebody.desk, house.ready["bots"]["booking"])
    return somebody


async def asks(somebody: Patient, text: str, contains: str) -> Seen:
    """Write at the desk, and wait for the answer that holds these words."""
    sent = await somebody.client.send(somebody.desk, text)
    return await somebody.client.wait_message(somebody.desk, contains=contains, relates_to=sent, timeout=30)


async def new_slot(house: RunningHouse, day: date, at: str, condition: str = "anorexia") -> int:
    """Add a slot of the demonstration's clinician by the command line; its number."""
    therapist = house.ready["demo"]["clinician"]["user_id"]
    options = ("--therapist", therapist, "--at", f"{day} {at}", "--minutes", "50", "--condition", condition)
    added: dict[str, Any] = await house.command("slots", "add", *options)
    return int(added["slots"][0]["number"])


def in_days(number: int) -> date:
    """A day that no other test of this house adds slots on."""
    return datetime.now(UTC).date() + timedelta(days=number)


def written(day: date, at: str, until: str) -> str:
    """A session as it is shown, when the day is of this year or of the next."""
    year = "" if day.year == datetime.now(UTC).year else f" {day.year}"
    return f"{day:%A %-d %B}{year}, {at} to {until}, online"


async def test_a_session_is_found_booked_moved_and_given_back_by_its_number(
    house: RunningHouse, clients: Clients
) -> None:
    day = in_days(10)
    first, second = await new_slot(house, day, "16:00"), await new_slot(house, day, "17:00")
    willow = await at_the_desk(house, clients)

    free = await asks(willow, "!slots", "Free, at any time")
    booked = await asks(willow, f"!book {first}", f"Booked: {first}")
    mine = await asks(willow, "!mine", "You have booked")
    moved = await asks(willow, f"!move {first} to {second}", f"Moved: {second}")
    kept = await house.command("bookings", "list")
    back = await asks(willow, f"! Cancel {second}", "Given back")

    assert f"{first} · {written(day, '16:00', '16:50')}" in free.body
    assert f"{second} · {written(day, '17:00', '17:50')}" in free.body
    assert booked.shield == "NONE"
    assert written(day, "16:00", "16:50") in mine.body
    assert written(day, "17:00", "17:50") in moved.body
    assert [(one["slot"], one["state"]) for one in kept["bookings"] if one["person"] == willow.user_id] == [
        (second, "booked")
    ]
    assert "!slots shows other times" in back.body
    assert (await asks(willow, "!mine", "You have nothing booked")).shield == "NONE"


async def test_somebody_of_another_condition_neither_sees_nor_books_it(house: RunningHouse, clients: Clients) -> None:
    number = await new_slot(house, in_days(11), "16:00")
    rowan, willow = await at_the_desk(house, clients, "bulimia", "Rowan"), await at_the_desk(house, clients)

    nothing = await asks(rowan, "!slots", "No session is free for you")
    refused = await asks(rowan, f"!book {number}", "No session with this number is open to you")

    assert str(number) not in nothing.body
    assert refused.shield == "NONE"
    assert f"Booked: {number}" in (await asks(willow, f"!book {number}", "Booked")).body


async def test_plain_words_are_said_back_and_a_tick_books(house: RunningHouse, clients: Clients) -> None:
    day = in_days(12)
    number = await new_slot(house, day, "16:00")
    willow = await at_the_desk(house, clients)

    question = await asks(willow, f"Can I come on {day:%-d %B} after 3?", "Nothing is booked yet")
    await willow.client.react(willow.desk, question.event_id, "✅")
    booked = await willow.client.wait_message(willow.desk, contains=f"Booked: {number}", timeout=30)

    assert f"{number} · {written(day, '16:00', '16:50')}" in question.body
    assert "I understood: " in question.body
    assert written(day, "16:00", "16:50") in booked.body


async def test_a_clinician_adds_and_withdraws_slots_in_the_care_room_and_who_had_one_is_told(
    house: RunningHouse, clients: Clients
) -> None:
    day, team = in_days(13), await clinician(house, clients)
    care_room, willow = house.ready["care_rooms"]["eating_disorders"], await at_the_desk(house, clients)
    await team.wait_member(care_room, house.ready["bots"]["booking"])

    await team.send(care_room, f"!slots add {day} 11:00 50 minutes")
    added = await team.wait_message(care_room, contains="Added 1 slot", timeout=30)
    number = int(added.body.partition(" · ")[0].rpartition("- ")[2])
    await asks(willow, f"!book {number}", "Booked")
    await team.send(care_room, f"!slots withdraw {number}")
    warned = await team.wait_message(care_room, contains="Nothing was changed", timeout=30)
    await team.send(care_room, f"!slots withdraw {number} yes")
    told = await willow.client.wait_message(willow.desk, contains="cannot take place", timeout=30)

    assert written(day, "11:00", "11:50") in added.body
    assert willow.user_id.partition(":")[0].removeprefix("@") in warned.body
    assert told.body.startswith("A message for you from the house.")
    assert told.content["m.mentions"] == {"user_ids": [willow.user_id]}


async def test_the_house_knows_its_booking_bot(house: RunningHouse) -> None:
    status, examined = await house.command("status"), await house.command("doctor")

    states = {row["name"]: row["state"] for row in status["processes"]}
    checks = {check["name"]: check["state"] for check in examined["checks"]}
    assert house.ready["bots"]["booking"] == f"@booking:{house.ready['server_name']}"
    assert states["booking"] == "running"
    assert (checks["device of booking"], checks["outbox of booking"]) == ("ok", "ok")
    assert checks["building"] == "ok"
