"""Ways by which a room would be made."""

from tests.support.house_with_door import CLIENT
from tests.support.synapse import Answer
from tests.synapse.routes_outcomes import ALLOWED, HOUSE_DOES_THIS, PEOPLE_CHANGE_NOTHING, Part, Route, closed
from tests.synapse.routes_setting import Setting, Who


async def _make(setting: Setting, who: Who) -> Answer:
    return await setting.create(who)


async def _make_with_invitation(setting: Setting, who: Who) -> Answer:
    return await setting.create(who, invite=[setting.bystander.user_id], preset="trusted_private_chat")


async def _upgrade(setting: Setting, who: Who) -> Answer:
    path = f"{CLIENT}/rooms/{await setting.talk()}/upgrade"
    return await setting.request(who, "POST", path, {"new_version": "12"})


async def _upgrade_by_the_house(setting: Setting, who: Who) -> Answer:
    room = await setting.room("upgraded by the house")
    return await setting.request(
        setting.house.concierge, "POST", f"{CLIENT}/rooms/{room}/upgrade", {"new_version": "12"}
    )


async def _guest(setting: Setting, who: Who) -> Answer:
    return await setting.house.synapse.request("POST", f"{CLIENT}/register?kind=guest", body={})


MAKING = [
    Route(Part.MAKING, "make a room", _make, {**PEOPLE_CHANGE_NOTHING, Who.SERVICE: ALLOWED, Who.CARETAKER: ALLOWED}),
    Route(Part.MAKING, "make a room for two", _make_with_invitation,
          {Who.WITH_KEY: HOUSE_DOES_THIS, Who.SERVER_ADMIN: HOUSE_DOES_THIS}, twin="make a room"),
    Route(Part.MAKING, "upgrade a room", _upgrade, PEOPLE_CHANGE_NOTHING, twin="the house upgrades a room"),
    Route(Part.MAKING, "the house upgrades a room", _upgrade_by_the_house, {Who.SERVICE: ALLOWED}),
    Route(Part.MAKING, "register as a guest", _guest, {Who.UNKNOWN: closed("M_UNKNOWN")}),
]  # fmt: skip
