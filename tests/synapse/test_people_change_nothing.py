"""The house makes and changes rooms; people talk in them."""

from typing import Any

import pytest
import pytest_asyncio

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import PlannedRoom
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Role
from keyhouse.core.room_state import POWER_LEVELS, Cast, power_levels
from keyhouse.core.rooms import RoomKind
from keyhouse.core.verdict import Reason
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, WILLOW, House
from tests.support.synapse import Account, Answer
from tests.synapse.test_entry import refused

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "join rules": ("m.room.join_rules", {"join_rule": "public"}),
    "history": ("m.room.history_visibility", {"history_visibility": "world_readable"}),
    "guests": ("m.room.guest_access", {"guest_access": "can_join"}),
    "power": ("m.room.power_levels", {"users": {}, "state_default": 0}),
    "encryption": ("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}),
    "name": ("m.room.name", {"name": "Anorexia"}),
    "topic": ("m.room.topic", {"topic": "Anorexia"}),
    "picture": ("m.room.avatar", {"url": "mxc://keyhouse.test/face"}),
    "alias": ("m.room.canonical_alias", {}),
    "tombstone": ("m.room.tombstone", {"body": "gone", "replacement_room": "!x"}),
    "child of a space": ("m.space.child", {"via": ["keyhouse.test"]}),
    "servers": ("m.room.server_acl", {"allow": ["*", "keyhouse.test"]}),
    "guest by mail": ("m.room.third_party_invite", {"display_name": "j"}),
    "of nobody's making": ("x.status", {"text": "jane.smith@example.org"}),
}


@pytest.mark.parametrize(("type", "content"), CHANGES.values(), ids=CHANGES)
async def test_a_person_with_all_the_power_in_a_room_changes_nothing_in_it(
    powerful: Any, type: str, content: dict[str, Any]
) -> None:
    house, room, person = powerful

    assert refused(await house.send_state(person, room, type, content), Reason.HOUSE_DOES_THIS)


async def test_the_house_changes_a_room_and_a_person_speaks_in_it(powerful: Any) -> None:
    house, room, person = powerful

    assert (await house.send_state(house.concierge, room, "m.room.name", {"name": "The Fern room"})).status == 200
    assert (await house.say(person, room)).status == 200


async def test_a_person_reacts_and_takes_back_what_was_said(powerful: Any) -> None:
    house, room, person = powerful
    said = (await house.say(person, room)).body["event_id"]
    reaction = {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "👍"}}

    reacted = await house.synapse.request(
        "PUT", f"{CLIENT}/rooms/{room}/send/m.reaction/{fresh_name('txn')}", person.access_token, reaction
    )
    redacted = await _take_back(house, person, room, said)

    assert (reacted.status, redacted.status) == (200, 200)


async def test_a_clinician_takes_back_own_words_and_nobody_else_s(house: House) -> None:
    person, doctor = await house.person(WILLOW), await house.colleague(Role.CLINICIAN)
    room = await house.room_with(person)
    house.admit(room, Role.CLINICIAN)
    await house.moved_into(room, doctor)
    levels = power_levels(_planned(), _cast(house, doctor))
    assert (await house.send_state(house.concierge, room, POWER_LEVELS, dict(levels))).status == 200
    own, theirs = [(await house.say(one, room)).body["event_id"] for one in (doctor, person)]
    cards = (await house.say(house.concierge, room, "a card")).body["event_id"]

    answers = [await _take_back(house, doctor, room, event) for event in (own, theirs, cards)]

    assert [answer.status for answer in answers] == [200, 403, 403]
    assert [bool(await house.kept_content(room, event)) for event in (own, theirs, cards)] == [False, True, True]
    assert (await _take_back(house, house.concierge, room, theirs)).status == 200


def _planned() -> PlannedRoom:
    roles = frozenset({Role.PATIENT, Role.CLINICIAN})
    return PlannedRoom("willow", RoomKind.LIVING_ROOM, "The Willow living room", "", roles, frozenset({WILLOW}))


def _cast(house: House, doctor: Account) -> Cast:
    # The concierge has made the room, and a creator's power must not be named.
    services = {ServiceAccount.CONCIERGE: house.owner, ServiceAccount.WATCHER: house.caretaker}
    named = {service: UserId(account.user_id) for service, account in services.items()}
    return Cast(named, frozenset({UserId(doctor.user_id)}), house.synapse.server_name)


async def _take_back(house: House, by: Account, room: RoomId, event_id: str) -> Answer:
    path = f"{CLIENT}/rooms/{room}/redact/{event_id}/{fresh_name('txn')}"
    return await house.synapse.request("PUT", path, by.access_token, {})


@pytest.mark.parametrize("admin", [False, True], ids=["person", "server admin"])
async def test_a_person_makes_no_room(house: House, admin: bool) -> None:
    person = await house.person(WILLOW)
    if admin:
        await house.make_server_admin(person)

    answer = await house.synapse.request("POST", f"{CLIENT}/createRoom", person.access_token, {})

    assert refused(answer, Reason.HOUSE_DOES_THIS)
    assert await house.unscoped_room()


@pytest.mark.parametrize("admin", [False, True], ids=["person", "server admin"])
async def test_a_person_upgrades_no_room(house: House, admin: bool) -> None:
    person = await house.person(WILLOW)
    room = await _with_power(house, person)
    if admin:
        await house.make_server_admin(person)

    answer = await house.synapse.request(
        "POST", f"{CLIENT}/rooms/{room}/upgrade", person.access_token, {"new_version": "12"}
    )

    assert refused(answer, Reason.HOUSE_DOES_THIS)


@pytest.mark.parametrize("act", ["kick", "ban"])
async def test_a_person_removes_nobody(house: House, act: str) -> None:
    person, other = await house.person(WILLOW), await house.person(WILLOW)
    room = await _with_power(house, person)
    await house.invite(other, room)
    await house.joined(room, other)
    path = f"{CLIENT}/rooms/{room}/{act}"

    tried = await house.synapse.request("POST", path, person.access_token, {"user_id": other.user_id})
    done = await house.synapse.request("POST", path, house.concierge.access_token, {"user_id": other.user_id})

    assert refused(tried, Reason.HOUSE_DOES_THIS)
    assert done.status == 200


async def test_a_person_gives_a_room_no_address_and_publishes_none(powerful: Any) -> None:
    house, room, person = powerful
    alias = f"%23{fresh_name('alias')}%3A{house.synapse.server_name}"

    named = await house.synapse.request(
        "PUT", f"{CLIENT}/directory/room/{alias}", person.access_token, {"room_id": room}
    )
    published = await house.synapse.request(
        "PUT", f"{CLIENT}/directory/list/room/{room}", person.access_token, {"visibility": "public"}
    )

    assert refused(named, Reason.HOUSE_DOES_THIS)
    assert published.status == 403


async def _with_power(house: House, person: Any) -> Any:
    room = await house.room_with(person)
    levels = {"users_default": 100, "events_default": 0}
    assert (await house.send_state(house.concierge, room, "m.room.power_levels", levels)).status == 200
    return room


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def powerful(house: House) -> Any:
    """A room in which a person has every power that Matrix can give."""
    person = await house.person(WILLOW)
    return house, await _with_power(house, person), person
