"""Ways by which somebody comes into a room."""

import asyncio
from collections.abc import Awaitable, Callable

from keyhouse.core.ids import RoomId
from keyhouse.core.rooms import RoomKind
from keyhouse.core.verdict import Reason
from tests.support.house_with_door import CLIENT, ROWAN, WILLOW
from tests.support.synapse import Account, Answer
from tests.synapse.routes_outcomes import (
    ALLOWED,
    HOUSE_DOES_THIS,
    NO_KEY,
    PEOPLE_CHANGE_NOTHING,
    SHUT_OUT,
    Part,
    Route,
    closed,
    everybody,
    refused,
)
from tests.synapse.routes_setting import Setting, Who

Asks = Callable[[Setting, Who], Awaitable[Answer]]
UNLOCKED_WITHIN_S = 10.0

_NOT_INVITED = dict.fromkeys((Who.WITH_KEY, Who.CLINICIAN, Who.SERVICE, Who.CARETAKER), closed())


def _post(path: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        room = await setting.room("uninvited")
        return await setting.request(who, "POST", path.format(room=room, server=setting.house.synapse.server_name), {})

    return ask


async def _by_state(setting: Setting, who: Who) -> Answer:
    account, room = setting.people[who], await setting.room("uninvited")
    return await setting.house.send_state(account, room, "m.room.member", {"membership": "join"}, account.user_id)


async def _invited(setting: Setting, who: Who) -> Answer:
    room = await setting.room("joined on invitation")
    assert (await setting.house.invite(setting.people[who], room)).status == 200
    return await setting.house.join(setting.people[who], room)


async def _stale(setting: Setting, who: Who) -> Answer:
    person, room = await setting.house.person(WILLOW), await setting.room("stale")
    await setting.lock(person, True)
    assert (await setting.house.invite(person, room)).status == 200
    setting.turn(person, who)
    await setting.lock(person, False)
    return await _join_when_unlocked(setting, person, room)


async def _join_when_unlocked(setting: Setting, person: Account, room: RoomId) -> Answer:
    async with asyncio.timeout(UNLOCKED_WITHIN_S):
        while True:
            answer = await setting.house.join(person, room)
            # Another worker hears a moment later that the account is open again.
            if answer.errcode != "M_USER_LOCKED":
                return answer


def _after(removal: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        person, room = await setting.house.person(WILLOW), await setting.room("removed from")
        await setting.house.moved_into(room, person)
        path = f"{CLIENT}/rooms/{room}/{removal}"
        assert (await setting.request(setting.house.concierge, "POST", path, {"user_id": person.user_id})).status == 200
        setting.turn(person, who)
        return await setting.house.join(person, room)

    return ask


async def _after_leaving(setting: Setting, who: Who) -> Answer:
    person, room = await setting.house.person(WILLOW), await setting.room("left")
    await setting.house.moved_into(room, person)
    left = await setting.request(person, "POST", f"{CLIENT}/rooms/{room}/leave", {})
    setting.turn(person, who)
    invited = await setting.house.invite(person, room)
    return invited if left.status == 200 else left


async def _space(setting: Setting, who: Who) -> Answer:
    space = await setting.room("a space", kind=RoomKind.SPACE)
    invited = await setting.house.invite(setting.people[who], space)
    return await setting.house.join(setting.people[who], space) if invited.status == 200 else invited


async def _child_of_a_space(setting: Setting, who: Who) -> Answer:
    space, child = await setting.room("a space", kind=RoomKind.SPACE), await setting.room("in a space")
    link = {"via": [setting.house.synapse.server_name]}
    assert (await setting.house.send_state(setting.house.concierge, space, "m.space.child", link, child)).status == 200
    return await setting.house.join(setting.people[who], child)


async def _desk(setting: Setting, who: Who) -> Answer:
    room = await setting.house.desk(setting.people[Who.WITH_KEY])
    return await setting.house.invite(setting.people[who], room)


def _still_leaving(removed_first: bool, ask: Callable[[Setting, Account, RoomId], Awaitable[Answer]]) -> Asks:
    async def moved(setting: Setting, who: Who) -> Answer:
        person, old = await setting.house.person(WILLOW), await setting.room("the old room")
        await setting.house.moved_into(old, person)
        setting.turn(person, who)
        if removed_first:
            removal = {"user_id": person.user_id}
            await setting.request(setting.house.concierge, "POST", f"{CLIENT}/rooms/{old}/kick", removal)
        return await ask(setting, person, await setting.room("the new room", ROWAN))

    return moved


async def _invite_into(setting: Setting, person: Account, room: RoomId) -> Answer:
    return await setting.house.invite(person, room)


async def _join_into(setting: Setting, person: Account, room: RoomId) -> Answer:
    return await setting.house.join(person, room)


def _leave(**said: str) -> Asks:
    async def leave(setting: Setting, who: Who) -> Answer:
        person, room = await setting.house.person(WILLOW), await setting.room("left for good")
        await setting.house.moved_into(room, person)
        setting.turn(person, who)
        return await setting.request(person, "POST", f"{CLIENT}/rooms/{room}/leave", {**said})

    return leave


_GONE = {who: SHUT_OUT[who] for who in (Who.REVOKED, Who.EXPIRED, Who.EXCLUDED, Who.CLOSED)}
_INVITED = "join by the room's id, invited by the house"

ENTERING = [
    Route(Part.ENTERING, "join by the room's id, not invited", _post(f"{CLIENT}/join/{{room}}"),
          {**SHUT_OUT, **_NOT_INVITED}, twin=_INVITED),
    Route(Part.ENTERING, "join by the room's own path, not invited", _post(f"{CLIENT}/rooms/{{room}}/join"),
          {**SHUT_OUT, **_NOT_INVITED}, twin=_INVITED),
    Route(Part.ENTERING, "a member event of one's own, not invited", _by_state,
          {**SHUT_OUT, **_NOT_INVITED}, twin=_INVITED),
    Route(Part.ENTERING, _INVITED, _invited,
          dict.fromkeys((Who.WITH_KEY, Who.CLINICIAN, Who.SERVICE, Who.CARETAKER), ALLOWED)),
    Route(Part.ENTERING, "join by a room's address (there is none)", _post(f"{CLIENT}/join/%23willow:{{server}}"),
          everybody(closed("M_NOT_FOUND", 404))),
    Route(Part.ENTERING, "join a room of another server",
          _post(f"{CLIENT}/join/!far:elsewhere.test?via=elsewhere.test"),
          dict.fromkeys((Who.WITH_KEY, Who.EXCLUDED, Who.CLINICIAN), refused(Reason.NO_SCOPE)), twin=_INVITED),
    Route(Part.ENTERING, "knock", _post(f"{CLIENT}/knock/{{room}}"),
          {**PEOPLE_CHANGE_NOTHING, Who.REVOKED: HOUSE_DOES_THIS, Who.CLOSED: HOUSE_DOES_THIS, Who.SERVICE: closed()},
          twin=_INVITED),
    Route(Part.ENTERING, "accept an invitation that came before the key changed", _stale,
          {Who.WITH_KEY: ALLOWED, **_GONE}),
    Route(Part.ENTERING, "come back after being removed", _after("kick"),
          {Who.WITH_KEY: closed(), **_GONE}, twin=_INVITED),
    Route(Part.ENTERING, "come back after being banned", _after("ban"),
          dict.fromkeys((Who.WITH_KEY, Who.EXCLUDED), closed("M_BAD_STATE"))),
    Route(Part.ENTERING, "come back after leaving by choice, invited", _after_leaving,
          {Who.WITH_KEY: ALLOWED, **_GONE}),
    Route(Part.ENTERING, "enter the space of the rooms, invited", _space,
          {Who.WITH_KEY: ALLOWED, Who.CLINICIAN: ALLOWED, **SHUT_OUT}),
    Route(Part.ENTERING, "join a room because one is in its space", _child_of_a_space,
          {Who.WITH_KEY: closed(), Who.EXCLUDED: NO_KEY, Who.UNKNOWN: SHUT_OUT[Who.UNKNOWN]}, twin=_INVITED),
    Route(Part.ENTERING, "be invited to somebody's desk", _desk,
          {Who.WITH_KEY: ALLOWED, **dict.fromkeys((Who.EXCLUDED, Who.CLINICIAN, Who.SERVER_ADMIN),
                                                  refused(Reason.SOMEBODY_ELSES_ROOM))}),
    Route(Part.ENTERING, "be invited to the new room, still in the old one", _still_leaving(False, _invite_into),
          {Who.EXCLUDED: refused(Reason.STILL_LEAVING)}, twin="be invited to the new room, gone from the old one"),
    Route(Part.ENTERING, "join the new room, still in the old one", _still_leaving(False, _join_into),
          {Who.EXCLUDED: refused(Reason.STILL_LEAVING)}, twin="be invited to the new room, gone from the old one"),
    Route(Part.ENTERING, "be invited to the new room, gone from the old one", _still_leaving(True, _invite_into),
          {Who.EXCLUDED: ALLOWED}),
    Route(Part.ENTERING, "leave a room", _leave(),
          dict.fromkeys((Who.WITH_KEY, Who.REVOKED, Who.EXCLUDED, Who.CLOSED), ALLOWED)),
    Route(Part.ENTERING, "leave a room and say why", _leave(reason="I am Jane Smith"),
          dict.fromkeys((Who.WITH_KEY, Who.REVOKED, Who.EXCLUDED, Who.CLOSED), ALLOWED)),
]  # fmt: skip
