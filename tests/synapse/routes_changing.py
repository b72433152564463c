"""Ways by which a room, or somebody's place in it, would be changed. People have every power of Matrix in this room."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT
from tests.support.synapse import Answer
from tests.synapse.routes_opening import changes
from tests.synapse.routes_outcomes import (
    ALLOWED,
    HOUSE_DOES_THIS,
    PEOPLE_CHANGE_NOTHING,
    PEOPLE_INSIDE_CHANGE_NOTHING,
    Outcome,
    Part,
    Route,
    closed,
    everybody,
)
from tests.synapse.routes_setting import Setting, Who

Asks = Callable[[Setting, Who], Awaitable[Answer]]

_STATE: dict[str, tuple[str, dict[str, Any]]] = {
    "name a room": ("m.room.name", {"name": "The Fern room"}),
    "give a room a topic": ("m.room.topic", {"topic": "For all of us"}),
    "give a room a picture": ("m.room.avatar", {}),
    "give a room its main address": ("m.room.canonical_alias", {}),
    "say that a room has moved": ("m.room.tombstone", {"body": "gone", "replacement_room": "!new"}),
    "put a room into a space": ("m.space.child", {}),
    "change which servers may take part": ("m.room.server_acl", {"allow": ["*"], "allow_ip_literals": False}),
    "invite by a mail's token": ("m.room.third_party_invite", {}),
    "pin a message": ("m.room.pinned_events", {"pinned": []}),
    "set state of one's own making": ("x.status", {"text": "jane.smith@example.org"}),
}


async def _power_for_a_person(setting: Setting, who: Who) -> Answer:
    levels = {"users_default": 100, "users": {setting.people[Who.WITH_KEY].user_id: 100}}
    return await changes("m.room.power_levels", levels)(setting, who)


def _on_a_bystander(act: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        talk = await setting.talk()
        await setting.inside(talk, setting.bystander)
        body = {"user_id": setting.bystander.user_id}
        # The owner has no more power in this room than people have; the concierge made it.
        by = setting.house.concierge if who is Who.SERVICE else who
        done = await setting.request(by, "POST", f"{CLIENT}/rooms/{talk}/{act}", body)
        if act == "ban" and done.status == 200:
            await setting.request(setting.house.concierge, "POST", f"{CLIENT}/rooms/{talk}/unban", body)
        return done

    return ask


async def _unban(setting: Setting, who: Who) -> Answer:
    room, body = await setting.room("banned from"), {"user_id": setting.bystander.user_id}
    assert (await setting.request(setting.house.concierge, "POST", f"{CLIENT}/rooms/{room}/ban", body)).status == 200
    return await setting.request(who, "POST", f"{CLIENT}/rooms/{room}/unban", body)


async def _take_state_back(setting: Setting, who: Who) -> Answer:
    talk, house = await setting.talk(), setting.house
    named = await house.send_state(house.concierge, talk, "m.room.topic", {"topic": fresh_name("topic")})
    path = f"{CLIENT}/rooms/{talk}/redact/{named.body['event_id']}/{fresh_name('txn')}"
    return await setting.request(who, "PUT", path, {})


async def _alias(setting: Setting, who: Who) -> Answer:
    alias = f"%23{fresh_name('alias')}%3A{setting.house.synapse.server_name}"
    return await setting.request(who, "PUT", f"{CLIENT}/directory/room/{alias}", {"room_id": await setting.talk()})


async def _publish(setting: Setting, who: Who) -> Answer:
    path = f"{CLIENT}/directory/list/room/{await setting.talk()}"
    return await setting.request(who, "PUT", path, {"visibility": "public"})


async def _later(setting: Setting, who: Who) -> Answer:
    path = f"{CLIENT}/rooms/{await setting.talk()}/state/m.room.name/?org.matrix.msc4140.delay=1000"
    return await setting.request(who, "PUT", path, {"name": "Later"})


_BY_THE_HOUSE: dict[Who, Outcome] = {**PEOPLE_INSIDE_CHANGE_NOTHING, Who.SERVICE: ALLOWED}

_BY_CONCIERGE: dict[Who, Outcome] = {**PEOPLE_CHANGE_NOTHING, Who.SERVICE: ALLOWED}

_INSIDE = dict.fromkeys((Who.WITH_KEY, Who.ADMIN_WITH_KEY, Who.CLINICIAN), HOUSE_DOES_THIS)

CHANGING = [
    *(Route(Part.CHANGING, name, changes(*event), _BY_THE_HOUSE) for name, event in _STATE.items()),
    Route(Part.CHANGING, "change who has power",
          changes("m.room.power_levels", {"users_default": 100, "events_default": 0, "users": {}}), _BY_THE_HOUSE),
    Route(Part.CHANGING, "give a person power", _power_for_a_person,
          {**PEOPLE_INSIDE_CHANGE_NOTHING, Who.SERVICE: HOUSE_DOES_THIS, Who.CARETAKER: HOUSE_DOES_THIS},
          twin="change who has power"),
    Route(Part.CHANGING, "take back what says how a room is", _take_state_back,
          {Who.WITH_KEY: HOUSE_DOES_THIS, Who.CLINICIAN: HOUSE_DOES_THIS, Who.SERVICE: ALLOWED}),
    *(Route(Part.CHANGING, f"{act} somebody", _on_a_bystander(act), _BY_CONCIERGE) for act in ("kick", "ban")),
    Route(Part.CHANGING, "unban somebody", _unban,
          {Who.WITH_KEY: HOUSE_DOES_THIS, Who.SERVER_ADMIN: HOUSE_DOES_THIS}, twin="kick somebody"),
    Route(Part.CHANGING, "give a room an address", _alias,
          {**_INSIDE, **dict.fromkeys((Who.EXCLUDED, Who.UNKNOWN), closed()), Who.SERVER_ADMIN: HOUSE_DOES_THIS,
           Who.SERVICE: closed("M_UNKNOWN")}, twin="name a room"),
    Route(Part.CHANGING, "put a room into the directory", _publish,
          {**PEOPLE_CHANGE_NOTHING, Who.SERVICE: closed()}, twin="name a room"),
    Route(Part.CHANGING, "change a room later on", _later, everybody(HOUSE_DOES_THIS), twin="name a room"),
]  # fmt: skip
