"""Who gets into which room, by every way in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keyhouse.core.ids import Condition
from keyhouse.core.people import Role
from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason
from tests.support.house_with_door import CLIENT, ROWAN, WILLOW, House
from tests.support.synapse import Account, Answer

OPEN: dict[str, Any] = {"initial_state": [{"type": "m.room.join_rules", "content": {"join_rule": "public"}}]}
KNOCKED: dict[str, Any] = {"initial_state": [{"type": "m.room.join_rules", "content": {"join_rule": "knock"}}]}


def refused(answer: Answer, reason: Reason) -> bool:
    """Say whether this is our refusal for this reason, in our words."""
    said = (answer.status, answer.errcode, answer.body.get("error"))
    assert said == (403, error_code(reason), sentence(reason)), answer
    return True


async def test_a_key_opens_a_room_by_its_id_and_another_key_does_not(house: House) -> None:
    # The room is open to all of Matrix, so that nothing but the door stands before it.
    room = await house.room(WILLOW, **OPEN)
    willow, rowan = await house.person(WILLOW), await house.person(ROWAN)

    assert (await house.join(willow, room)).status == 200
    assert refused(await house.join(rowan, room), Reason.NO_KEY)
    assert await house.membership(room, rowan) is None


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
        levels = {"users": {host.user_id: 50}, "invite": 0}
        assert (await house.send_state(house.concierge, room, "m.room.power_levels", levels)).status == 200

    assert refused(await house.invite(guest, room, by=host), Reason.HOUSE_DOES_THIS)
    assert (await house.invite(guest, room)).status == 200


async def test_a_room_that_the_house_does_not_know_admits_the_house_alone(house: House) -> None:
    room = await house.unscoped_room(**OPEN)
    person = await house.person(WILLOW)

    assert refused(await house.join(person, room), Reason.NO_SCOPE)
    assert refused(await house.invite(person, room), Reason.NO_SCOPE)
    assert (await house.join(house.owner, room)).status == 200


async def test_a_room_of_another_server_is_refused_before_that_server_is_asked(house: House) -> None:
    person = await house.person(WILLOW)

    elsewhere = await house.synapse.request(
        "POST", f"{CLIENT}/join/!willow:elsewhere.test?server_name=elsewhere.test", person.access_token, {}
    )

    assert refused(elsewhere, Reason.NO_SCOPE)


async def test_a_desk_admits_the_one_whose_it_is(house: House) -> None:
    mine, other = await house.person(WILLOW), await house.person(WILLOW)
    room = await house.desk(mine)

    assert refused(await house.invite(other, room), Reason.SOMEBODY_ELSES_ROOM)
    assert (await house.invite(mine, room)).status == 200
    await house.joined(room, mine)


@pytest.mark.parametrize("conditions", [(WILLOW,), (ROWAN,)], ids=["with the key", "without"])
async def test_nobody_knocks(house: House, conditions: tuple[Condition, ...]) -> None:
    room = await house.room(WILLOW, **KNOCKED)
    person = await house.person(*conditions)

    answer = await house.synapse.request("POST", f"{CLIENT}/knock/{room}", person.access_token, {})

    assert refused(answer, Reason.HOUSE_DOES_THIS)
    assert await house.membership(room, person) is None


async def test_a_key_that_was_revoked_a_moment_ago_opens_nothing(house: House) -> None:
    room, other_room = await house.room(WILLOW, **OPEN), await house.room(WILLOW, **OPEN)
    person = await house.person(WILLOW)
    assert (await house.join(person, room)).status == 200

    house.revoke_key(person, WILLOW)

    assert refused(await house.join(person, other_room), Reason.NO_KEY)
    house.grant_key(person, WILLOW)
    assert (await house.join(person, other_room)).status == 200


async def test_a_key_that_ran_out_a_moment_ago_opens_nothing(house: House) -> None:
    room = await house.room(WILLOW, **OPEN)
    person = await house.person(ROWAN)
    house.grant_key(person, WILLOW, expires_at=datetime.now(UTC) + timedelta(microseconds=1))

    assert refused(await house.join(person, room), Reason.KEY_EXPIRED)


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


async def test_being_server_admin_opens_no_room(house: House) -> None:
    room = await house.room(WILLOW, **OPEN)
    admin = await house.person(ROWAN)
    await house.make_server_admin(admin)

    assert refused(await house.join(admin, room), Reason.NO_KEY)
    own = await house.send_state(admin, room, "m.room.member", {"membership": "join"}, admin.user_id)
    assert refused(own, Reason.NO_KEY)
    assert await house.membership(room, admin) is None


async def test_a_server_admin_brings_nobody_into_a_room_that_the_key_does_not_open(house: House) -> None:
    room = await house.room(WILLOW, **OPEN)
    willow, rowan = await house.person(WILLOW), await house.person(ROWAN)
    await house.synapse.ask("POST", f"{CLIENT}/join/{room}", house.caretaker.access_token, {})

    assert refused(await _admin_join(house, room, rowan), Reason.NO_KEY)
    assert refused(await house.invite(rowan, room, by=house.caretaker), Reason.NO_KEY)
    assert (await _admin_join(house, room, willow)).status == 200


async def test_a_clinician_enters_by_role(house: House) -> None:
    room = await house.room(WILLOW, **OPEN)
    clinician = await house.colleague(Role.CLINICIAN)

    assert refused(await house.join(clinician, room), Reason.ROLE_NOT_ADMITTED)
    house.admit(room, Role.CLINICIAN)
    assert (await house.join(clinician, room)).status == 200


async def test_whose_account_is_closed_is_gone_from_every_room(house: House) -> None:
    person = await house.person(WILLOW)
    room = await house.room_with(person)

    path = f"/_synapse/admin/v1/deactivate/{person.user_id}"
    await house.synapse.ask("POST", path, house.caretaker.access_token, {"erase": False})

    await house.left(room, person)


@pytest.mark.parametrize(
    "content",
    [{"x.photo": "mxc://keyhouse.test/face"}, {"reason": "jane.smith@example.org"}, {"displayname": "Jane", "x": 1}],
    ids=["own key", "reason", "name and key"],
)
async def test_a_membership_says_only_the_account_s_name(house: House, content: dict[str, object]) -> None:
    room = await house.room(WILLOW, **OPEN)
    person = await house.person(WILLOW)

    wordy = await house.send_state(person, room, "m.room.member", {"membership": "join", **content}, person.user_id)
    assert refused(wordy, Reason.HOUSE_DOES_THIS)
    assert (await house.join(person, room)).status == 200


async def test_a_name_for_one_room_alone_becomes_the_account_s_name(house: House) -> None:
    room = await house.room(WILLOW, **OPEN)
    person = await house.person(WILLOW)

    content = {"membership": "join", "displayname": "Jane Smith", "avatar_url": "mxc://keyhouse.test/face"}
    assert (await house.send_state(person, room, "m.room.member", content, person.user_id)).status == 200

    path = f"{CLIENT}/rooms/{room}/state/m.room.member/{person.user_id}"
    kept = await house.synapse.ask("GET", path, person.access_token)
    assert kept == {"membership": "join", "displayname": person.user_id[1:].split(":")[0]}


async def _admin_join(house: House, room: str, person: Account) -> Answer:
    path = f"/_synapse/admin/v1/join/{room}"
    return await house.synapse.request("POST", path, house.caretaker.access_token, {"user_id": person.user_id})
