"""Who gets into which room: what stands behind the table of routes, and what a membership may say."""

from datetime import UTC, datetime, timedelta

import pytest

from keyhouse.core.ids import RoomId
from keyhouse.core.people import Role
from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason
from tests.support.house_with_door import CLIENT, ROWAN, WILLOW, House
from tests.support.synapse import Account, Answer


def refused(answer: Answer, reason: Reason) -> bool:
    """Say whether this is our refusal for this reason, in our words."""
    said = (answer.status, answer.errcode, answer.body.get("error"))
    assert said == (403, error_code(reason), sentence(reason)), answer
    return True


async def test_the_house_invites_whom_the_key_admits_and_synapse_joins_them_at_once(house: House) -> None:
    room = await house.room(WILLOW)
    willow, rowan = await house.person(WILLOW), await house.person(ROWAN)

    assert (await house.invite(willow, room)).status == 200
    await house.joined(room, willow)
    assert refused(await house.invite(rowan, room), Reason.NO_KEY)
    assert await house.membership(room, rowan) is None


@pytest.mark.parametrize("with_power", [False, True], ids=["plain", "with power"])
async def test_a_person_invites_nobody_not_even_whom_the_key_admits(house: House, with_power: bool) -> None:
    host, guest = await house.person(WILLOW), await house.person(WILLOW)
    room = await house.room_with(host)
    if with_power:
        levels = {"users_default": 50, "invite": 0}
        assert (await house.send_state(house.concierge, room, "m.room.power_levels", levels)).status == 200

    assert refused(await house.invite(guest, room, by=host), Reason.HOUSE_DOES_THIS)
    assert (await house.invite(guest, room)).status == 200


async def test_a_room_that_the_house_does_not_know_admits_the_house_alone(house: House) -> None:
    room = await house.unscoped_room()
    person = await house.person(WILLOW)

    assert refused(await house.join(person, room), Reason.NO_SCOPE)
    assert refused(await house.invite(person, room), Reason.NO_SCOPE)
    assert (await house.invite(house.owner, room)).status == 200
    await house.joined(room, house.owner)


async def test_a_key_that_was_revoked_a_moment_ago_opens_nothing(house: House) -> None:
    room, other_room = await house.room(WILLOW), await house.room(WILLOW)
    person = await house.person(WILLOW)
    await house.moved_into(room, person)

    house.revoke_key(person, WILLOW)

    assert refused(await house.invite(person, other_room), Reason.NO_KEY)
    house.grant_key(person, WILLOW)
    assert (await house.invite(person, other_room)).status == 200


async def test_a_key_that_ran_out_a_moment_ago_opens_nothing(house: House) -> None:
    room = await house.room(WILLOW)
    person = await house.person(ROWAN)
    house.grant_key(person, WILLOW, expires_at=datetime.now(UTC) + timedelta(microseconds=1))

    assert refused(await house.join(person, room), Reason.KEY_EXPIRED)


async def test_nobody_is_in_the_new_room_before_they_are_out_of_the_old_one(house: House) -> None:
    person = await house.person(WILLOW)
    old, new = await house.room_with(person), await house.room(ROWAN)
    house.revoke_key(person, WILLOW)
    house.grant_key(person, ROWAN)

    while_inside = await house.invite(person, new)
    await _remove(house, old, person)
    when_out = await house.invite(person, new)

    assert refused(while_inside, Reason.STILL_LEAVING)
    assert when_out.status == 200
    await house.joined(new, person)


async def test_who_left_by_choice_may_come_back_and_who_lost_the_key_may_not(house: House) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)
    leave = f"{CLIENT}/rooms/{room}/leave"

    assert (await house.synapse.request("POST", leave, person.access_token, {})).status == 200
    assert (await house.invite(person, room)).status == 200
    await house.joined(room, person)
    house.revoke_key(person, WILLOW)
    assert (await house.synapse.request("POST", leave, person.access_token, {})).status == 200
    assert refused(await house.invite(person, room), Reason.NO_KEY)


async def test_being_server_admin_opens_no_room_and_brings_nobody_into_one(house: House) -> None:
    room = await house.room(WILLOW)
    admin, rowan = await house.person(ROWAN), await house.person(ROWAN)
    await house.make_server_admin(admin)

    own = await house.send_state(admin, room, "m.room.member", {"membership": "join"}, admin.user_id)

    assert refused(await house.join(admin, room), Reason.NO_KEY)
    assert refused(own, Reason.NO_KEY)
    assert refused(await house.invite(rowan, room, by=admin), Reason.HOUSE_DOES_THIS)
    assert await house.membership(room, admin) is None


async def test_who_is_made_admin_of_a_room_by_a_server_admin_has_no_power_in_it_afterwards(house: House) -> None:
    room, person = await house.room(WILLOW), await house.person(WILLOW)
    path = f"/_synapse/admin/v1/rooms/{room}/make_room_admin"

    tried = await house.synapse.request("POST", path, house.caretaker.access_token, {"user_id": person.user_id})

    levels_path = f"{CLIENT}/rooms/{room}/state/m.room.power_levels/"
    levels = await house.synapse.ask("GET", levels_path, house.concierge.access_token)
    assert refused(tried, Reason.HOUSE_DOES_THIS)
    assert person.user_id not in levels["users"]


async def test_a_clinician_enters_by_role(house: House) -> None:
    room = await house.room(WILLOW)
    clinician = await house.colleague(Role.CLINICIAN)

    assert refused(await house.invite(clinician, room), Reason.ROLE_NOT_ADMITTED)
    house.admit(room, Role.CLINICIAN)
    assert (await house.invite(clinician, room)).status == 200


async def test_a_room_that_the_house_upgrades_admits_nobody_until_it_is_known(house: House) -> None:
    person = await house.person(WILLOW)
    old = await house.room_with(person)
    path = f"{CLIENT}/rooms/{old}/upgrade"

    upgraded = await house.synapse.ask("POST", path, house.concierge.access_token, {"new_version": "12"})
    new = RoomId(upgraded["replacement_room"])

    assert refused(await house.invite(person, new), Reason.NO_SCOPE)
    house.open_like(new, old)
    assert (await house.invite(person, new)).status == 200


async def test_whose_account_is_closed_is_gone_from_every_room(house: House) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    path = f"/_synapse/admin/v1/deactivate/{person.user_id}"
    await house.synapse.ask("POST", path, house.caretaker.access_token, {"erase": False})

    await house.left(room, person)


@pytest.mark.parametrize(
    "content",
    [{"x.photo": "mxc://keyhouse.test/face"}, {"reason": "Jane", "x": 1}, {"displayname": "Jane", "x": 1}],
    ids=["own key", "reason and key", "name and key"],
)
async def test_a_membership_says_only_the_account_s_name(house: House, content: dict[str, object]) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    wordy = await house.send_state(person, room, "m.room.member", {"membership": "join", **content}, person.user_id)

    assert refused(wordy, Reason.HOUSE_DOES_THIS)
    assert await _says(house, room, person) == _only_the_name(person)


async def test_a_name_for_one_room_alone_becomes_the_account_s_name(house: House) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    content = {"membership": "join", "displayname": "Jane Smith", "avatar_url": "mxc://keyhouse.test/face"}
    assert (await house.send_state(person, room, "m.room.member", content, person.user_id)).status == 200

    assert await _says(house, room, person) == _only_the_name(person)


@pytest.mark.parametrize("by", ["leave", "the membership itself"])
@pytest.mark.parametrize("said", ["I am Jane Smith", {"x": [7]}], ids=["words", "no words"])
async def test_who_goes_with_a_reason_is_let_go_and_the_reason_is_not_kept(house: House, by: str, said: object) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    if by == "leave":
        path = f"{CLIENT}/rooms/{room}/leave"
        gone = await house.synapse.request("POST", path, person.access_token, {"reason": said})
    else:
        content = {"membership": "leave", "reason": said, "displayname": "Jane Smith", "x": "Jane"}
        gone = await house.send_state(person, room, "m.room.member", content, person.user_id)

    assert gone.status == 200
    await house.left(room, person)
    assert await _says(house, room, house.concierge, of=person) == {"membership": "leave"}


@pytest.mark.parametrize("at", ["join/{room}", "rooms/{room}/join"])
async def test_who_comes_in_with_a_reason_comes_in_and_the_reason_is_not_kept(house: House, at: str) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    path = f"{CLIENT}/{at.format(room=room)}"
    joined = await house.synapse.request("POST", path, person.access_token, {"reason": "I am Jane Smith"})

    assert joined.status == 200
    assert await _says(house, room, person) == _only_the_name(person)


async def _says(house: House, room: RoomId, asked: Account, of: Account | None = None) -> dict[str, object]:
    path = f"{CLIENT}/rooms/{room}/state/m.room.member/{(of or asked).user_id}"
    return await house.synapse.ask("GET", path, asked.access_token)


def _only_the_name(person: Account) -> dict[str, object]:
    return {"membership": "join", "displayname": person.user_id[1:].split(":")[0]}


async def _remove(house: House, room: RoomId, person: Account) -> None:
    path = f"{CLIENT}/rooms/{room}/kick"
    await house.synapse.ask("POST", path, house.concierge.access_token, {"user_id": person.user_id})
