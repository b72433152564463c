"""Ways by which somebody else would bring a person into a room, or give the person power in it."""

from typing import Any

from keyhouse.core.ids import RoomId
from keyhouse.core.verdict import Reason
from tests.support.house_with_door import CLIENT
from tests.support.synapse import Answer
from tests.synapse.routes_outcomes import (
    ALLOWED,
    HOUSE_DOES_THIS,
    PEOPLE_CHANGE_NOTHING,
    SHUT_OUT,
    UNKNOWN,
    Outcome,
    Part,
    Route,
    closed,
    everybody,
    refused,
)
from tests.synapse.routes_setting import Setting, Who

_ADMITTED = dict.fromkeys((Who.WITH_KEY, Who.CLINICIAN), ALLOWED)
_NO_SCOPE = refused(Reason.NO_SCOPE)


async def _house_invites(setting: Setting, who: Who) -> Answer:
    return await setting.house.invite(setting.people[who], await setting.room("invited by the house"))


async def _caretaker_invites(setting: Setting, who: Who) -> Answer:
    room = await _with_caretaker(setting, "invited by a server admin")
    return await setting.house.invite(setting.people[who], room, by=setting.house.caretaker)


async def _admin_join(setting: Setting, who: Who) -> Answer:
    room = await _with_caretaker(setting, "joined by a server admin")
    body = {"user_id": setting.people[who].user_id}
    return await setting.request(Who.CARETAKER, "POST", f"/_synapse/admin/v1/join/{room}", body)


async def _with_caretaker(setting: Setting, purpose: str) -> RoomId:
    room, house = await setting.room(purpose), setting.house
    if await house.membership(room, house.caretaker) != "join":
        await house.moved_into(room, house.caretaker)
        assert (
            await house.send_state(house.concierge, room, "m.room.power_levels", {"users_default": 50})
        ).status == 200
    return room


async def _make_room_admin(setting: Setting, who: Who) -> Answer:
    room = await setting.room("with a new admin")
    path = f"/_synapse/admin/v1/rooms/{room}/make_room_admin"
    return await setting.request(Who.CARETAKER, "POST", path, {"user_id": setting.people[who].user_id})


async def _person_invites(setting: Setting, who: Who) -> Answer:
    talk, guest = await setting.talk(), setting.bystander
    await setting.request(setting.house.concierge, "POST", f"{CLIENT}/rooms/{talk}/kick", {"user_id": guest.user_id})
    return await setting.house.invite(guest, talk, by=setting.people[who])


async def _force_join(setting: Setting, who: Who) -> Answer:
    # Of somebody without the key: who is not the house must not learn from the answer what keys another person holds.
    path = f"{CLIENT}/rooms/{await setting.talk()}/state/m.room.member/{setting.people[Who.REVOKED].user_id}"
    return await setting.request(who, "PUT", path, {"membership": "join"})


async def _by_mail(setting: Setting, who: Who) -> Answer:
    body = {"medium": "email", "address": "jane@example.org", "id_server": "id.test", "id_access_token": "x"}
    return await setting.request(who, "POST", f"{CLIENT}/rooms/{await setting.talk()}/invite", body)


async def _create_inviting(setting: Setting, who: Who, **more: Any) -> Answer:
    return await setting.create(Who.SERVICE, invite=[setting.people[who].user_id], **more)


async def _create_trusting(setting: Setting, who: Who) -> Answer:
    return await _create_inviting(setting, who, preset="trusted_private_chat")


async def _create_with_creator(setting: Setting, who: Who) -> Answer:
    return await setting.create(Who.SERVICE, creation_content={"additional_creators": [setting.people[who].user_id]})


async def _into_upgraded(setting: Setting, who: Who) -> Answer:
    if "upgraded" not in setting.rooms:
        old = await setting.room("to be upgraded")
        done = await setting.request(
            setting.house.concierge, "POST", f"{CLIENT}/rooms/{old}/upgrade", {"new_version": "12"}
        )
        assert done.status == 200, done
        setting.rooms["upgraded"] = RoomId(done.body["replacement_room"])
    return await setting.house.invite(setting.people[who], setting.rooms["upgraded"])


async def _promote(setting: Setting, who: Who) -> Answer:
    path = f"/_synapse/admin/v1/users/{setting.people[Who.EXCLUDED].user_id}/admin"
    return await setting.request(who, "PUT", path, {"admin": False})


_BY_KEY: dict[Who, Outcome] = {**_ADMITTED, **SHUT_OUT}
_UNSCOPED: dict[Who, Outcome] = {
    **dict.fromkeys((Who.WITH_KEY, Who.EXCLUDED, Who.CLINICIAN, Who.SERVER_ADMIN), _NO_SCOPE),
    Who.CLOSED: SHUT_OUT[Who.CLOSED],
    Who.UNKNOWN: UNKNOWN,
    Who.CARETAKER: ALLOWED,
}
_NO_CREATOR = {**dict.fromkeys((Who.WITH_KEY, Who.CLINICIAN, Who.SERVER_ADMIN, Who.UNKNOWN), HOUSE_DOES_THIS),
               Who.CARETAKER: ALLOWED}  # fmt: skip

BRINGING = [
    Route(Part.BRINGING, "the house invites …", _house_invites, {**_BY_KEY, Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "a server admin of the house invites …", _caretaker_invites,
          {**_BY_KEY, Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "a server admin of the house joins …", _admin_join, {**_BY_KEY, Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "a server admin makes admin of the room …", _make_room_admin,
          {**dict.fromkeys((Who.WITH_KEY, Who.EXCLUDED, Who.CLINICIAN, Who.SERVER_ADMIN, Who.UNKNOWN), HOUSE_DOES_THIS),
           Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "the house makes a room and invites at once …", _create_inviting, _UNSCOPED),
    Route(Part.BRINGING, "the house makes a trusted room and invites at once …", _create_trusting, _NO_CREATOR),
    Route(Part.BRINGING, "the house makes a room with another creator …", _create_with_creator, _NO_CREATOR),
    Route(Part.BRINGING, "the house invites into a room that it has upgraded …", _into_upgraded,
          {key: value for key, value in _UNSCOPED.items() if key is not Who.CARETAKER} | {Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "invite somebody with the key", _person_invites,
          {**PEOPLE_CHANGE_NOTHING, Who.SERVICE: ALLOWED}),
    Route(Part.BRINGING, "a member event that joins somebody else", _force_join,
          {**PEOPLE_CHANGE_NOTHING, Who.SERVICE: SHUT_OUT[Who.REVOKED]}, twin="the house invites …"),
    Route(Part.BRINGING, "invite by mail", _by_mail, everybody(closed("M_UNKNOWN"))),
    Route(Part.BRINGING, "change who is server admin", _promote,
          everybody(closed()) | dict.fromkeys((Who.CARETAKER, Who.SERVER_ADMIN, Who.ADMIN_WITH_KEY), ALLOWED)),
]  # fmt: skip
