"""Who may write where, on a real Synapse: agreed or not, paused or not, and what is told at the desk."""

import asyncio
import time
from dataclasses import replace

import pytest

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import PersonState
from keyhouse.core.rooms import RoomKind
from keyhouse.core.verdict import Reason
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, House
from tests.support.household import person as newcomer
from tests.support.synapse import Account
from tests.synapse.test_entry import refused

TOLD_WITHIN_S = 20.0


async def told(house: House, person: Account, count: int = 1) -> list[str]:
    """Wait until so many decisions to tell this person at the desk are kept."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while len(found := house.told_unsent(person)) < count:
        assert time.monotonic() < deadline, f"told only {found}"
        await asyncio.sleep(0.05)
    return found


async def obeyed(house: House, person: Account, room: RoomId) -> None:
    """Wait until what was decided about this person reaches the homeserver: they may not write in the room."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while (await house.say(person, room)).status == 200:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def react(house: House, by: Account, room: RoomId, event_id: str, key: str) -> int:
    """Try to react; the HTTP status."""
    relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
    return (await house.send(by, room, "m.reaction", {"m.relates_to": relation})).status


async def test_who_has_not_agreed_writes_at_the_desk_alone_and_everywhere_after_agreeing(house: House) -> None:
    person = await house.person(agrees=False)
    desk = await house.moved_into(await house.desk(person), person)
    living_room = await house.room_with(person)

    assert (await house.say(person, desk)).status == 200
    assert refused(await house.say(person, living_room), Reason.RULES_NOT_AGREED)
    assert await told(house, person) == ["rules_not_agreed"]

    house.agree(person.user_id)
    assert (await house.say(person, living_room)).status == 200


async def test_who_is_paused_writes_at_the_desk_and_in_therapy_reads_the_library_and_is_heard_again_after(
    house: House,
) -> None:
    person = await house.person()
    desk = await house.moved_into(await house.desk(person), person)
    therapy = await house.moved_into(await house.personal(RoomKind.THERAPY, person), person)
    living_room = await house.room_with(person)
    library = await house.moved_into(await house.room(kind=RoomKind.LIBRARY), person)
    leaflet = (await house.say(house.concierge, library, "A leaflet")).body["event_id"]
    assert (await house.say(person, living_room)).status == 200

    house.put_state(person, PersonState.PAUSED)
    await obeyed(house, person, living_room)

    assert refused(await house.say(person, living_room), Reason.PAUSED)
    assert (await house.say(person, desk)).status == 200
    assert (await house.say(person, therapy)).status == 200
    read = await house.synapse.request("GET", f"{CLIENT}/rooms/{library}/event/{leaflet}", person.access_token)
    assert read.status == 200
    assert await told(house, person) == ["paused"]

    house.put_state(person, PersonState.ACTIVE)
    assert (await house.say(person, living_room)).status == 200


@pytest.mark.parametrize("hindrance", ["not agreed", "paused"])
async def test_what_slipped_out_is_taken_back_at_any_time_and_without_a_word_about_it(
    house: House, hindrance: str
) -> None:
    person, other = await house.person(), await house.person()
    living_room = await house.room_with(person, other)
    said = (await house.say(person, living_room, "I am Jane Smith")).body["event_id"]
    theirs = (await house.say(other, living_room)).body["event_id"]
    if hindrance == "paused":
        house.put_state(person, PersonState.PAUSED)
    else:
        _forget_agreement(house, person)
    await obeyed(house, person, living_room)

    taken_back = await _redact(house, person, living_room, said, reason="my name is Jane Smith")

    assert taken_back[0] == 200
    assert await house.kept_content(living_room, said) == {}
    assert await house.kept_content(living_room, taken_back[1]) == {"redacts": said}
    assert (await _redact(house, person, living_room, theirs))[0] == 403
    assert await house.kept_content(living_room, theirs) != {}


async def test_in_a_room_to_read_people_react_by_signs_and_say_nothing(house: House) -> None:
    person = await house.person()
    library = await house.moved_into(await house.room(kind=RoomKind.LIBRARY), person)
    leaflet = (await house.say(house.concierge, library, "A leaflet")).body["event_id"]

    assert await react(house, person, library, leaflet, "👍🏽") == 200
    assert await react(house, person, library, leaflet, "1️⃣") == 200
    assert await react(house, person, library, leaflet, "call me: Jane") == 403
    assert refused(await house.say(person, library), Reason.HOUSE_DOES_THIS)
    assert sorted(await told(house, person, 2)) == ["house_does_this", "not_carried"]


async def test_what_the_house_says_passes_as_it_is_and_what_a_person_says_without_foreign_keys(house: House) -> None:
    person = await house.person()
    living_room = await house.room_with(person)
    content = {"msgtype": "m.text", "body": "hello", "uk.example.mark": "Jane", "m.relates_to": {"x": "Jane"}}

    by_house = await house.send(house.concierge, living_room, "m.room.message", content)
    by_person = await house.send(person, living_room, "m.room.message", content)

    assert await house.kept_content(living_room, by_house.body["event_id"]) == content
    assert await house.kept_content(living_room, by_person.body["event_id"]) == {"msgtype": "m.text", "body": "hello"}


async def test_a_pause_among_thousands_of_changes_is_obeyed(house: House) -> None:
    person, other = await house.person(), await house.person()
    room = await house.room_with(person, other)

    with house.store.writing() as tx:
        for number in range(2500):
            tx.people.add(newcomer(f"{fresh_name('newcomer')}-{number}"))
        known = tx.people.get(UserId(person.user_id))
        assert known is not None
        tx.people.update(replace(known, state=PersonState.PAUSED))

    await obeyed(house, person, room)
    assert refused(await house.say(person, room), Reason.PAUSED)
    assert (await house.say(other, room)).status == 200


async def test_whoever_tries_again_and_again_is_told_once_a_minute(house: House) -> None:
    person = await house.person(agrees=False)
    living_room = await house.room_with(person)

    for _ in range(5):
        assert refused(await house.say(person, living_room), Reason.RULES_NOT_AGREED)
    assert (await house.send(person, living_room, "m.sticker", {"body": "x"})).status == 403

    # Five tries can fall into two minutes, not into three.
    assert set(await told(house, person)) == {"rules_not_agreed"}
    assert len(house.told_unsent(person)) <= 2


async def test_a_change_of_a_room_that_is_refused_is_nobody_s_words_and_is_not_told(house: House) -> None:
    person = await house.person()
    living_room = await house.room_with(person)

    assert refused(await house.send_state(person, living_room, "m.room.topic", {"topic": "x"}), Reason.HOUSE_DOES_THIS)
    assert (await house.send(person, living_room, "m.sticker", {"body": "x"})).status == 403

    assert await told(house, person) == ["not_carried"]


def _forget_agreement(house: House, person: Account) -> None:
    with house.store.writing() as tx:
        known = tx.people.get(UserId(person.user_id))
        assert known is not None
        tx.people.update(replace(known, rules_agreed=None))


async def _redact(house: House, by: Account, room: RoomId, event_id: str, **content: str) -> tuple[int, str]:
    path = f"{CLIENT}/rooms/{room}/redact/{event_id}/{fresh_name('txn')}"
    answer = await house.synapse.request("PUT", path, by.access_token, content)
    return answer.status, str(answer.body.get("event_id"))
