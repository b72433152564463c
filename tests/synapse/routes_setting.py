"""The people and rooms among whom the table of routes is gone through; of one house, made once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import delete

from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.people import PersonState, Role
from keyhouse.core.rooms import RoomKind
from keyhouse.storage.people import SqlPeople
from keyhouse.storage.tables import person as person_table
from tests.support.house_with_door import CLIENT, NO_GUESTS, ROWAN, WILLOW, House
from tests.support.synapse import Account, Answer


class Who(StrEnum):
    """Who goes a route. The rooms are for patients of one condition, and for clinicians."""

    WITH_KEY = "with the key"
    WITHOUT_KEY = "without any key"
    EXCLUDED = "with the key that excludes it"
    REVOKED = "key revoked"
    EXPIRED = "key expired"
    CLOSED = "account closed"
    CLINICIAN = "clinician"
    SERVER_ADMIN = "without it, made server admin"
    ADMIN_WITH_KEY = "with the key, made server admin"
    SERVICE = "the house"
    CARETAKER = "the house, as server admin"
    UNKNOWN = "unknown account"


INSIDE = (Who.WITH_KEY, Who.ADMIN_WITH_KEY, Who.CLINICIAN, Who.SERVICE, Who.CARETAKER)
"""Who is in the room in which the people of the table talk."""


class Setting:
    """One house with one of each who, and rooms by what they are for."""

    def __init__(self, house: House, people: dict[Who, Account], bystander: Account) -> None:
        self.house, self.people, self.bystander = house, people, bystander
        self.rooms: dict[str, RoomId] = {}

    @classmethod
    async def make(cls, house: House) -> "Setting":
        """Let everybody move in."""
        people = {
            Who.WITH_KEY: await house.person(WILLOW),
            Who.EXCLUDED: await house.person(ROWAN),
            Who.CLINICIAN: await house.colleague(Role.CLINICIAN),
            Who.SERVER_ADMIN: await house.person(ROWAN),
            Who.ADMIN_WITH_KEY: await house.person(WILLOW),
            Who.SERVICE: house.owner,
            Who.CARETAKER: house.caretaker,
            Who.UNKNOWN: await _stranger(house),
        }
        for who in (Who.SERVER_ADMIN, Who.ADMIN_WITH_KEY):
            await house.make_server_admin(people[who])
        people[Who.WITHOUT_KEY] = await house.person(ROWAN)
        house.revoke_key(people[Who.WITHOUT_KEY], ROWAN)
        setting = cls(house, people, await house.person(WILLOW))
        for who in (Who.REVOKED, Who.EXPIRED, Who.CLOSED):
            people[who] = await house.person(WILLOW)
            setting.turn(people[who], who)
        return setting

    def turn(self, person: Account, who: Who) -> None:
        """Make of somebody with the key this one; with the key they stay as they are."""
        if who is Who.CLOSED:
            self.house.put_state(person, PersonState.CLOSED)
        if who in (Who.REVOKED, Who.EXPIRED, Who.EXCLUDED):
            self.house.revoke_key(person, WILLOW)
        if who is Who.EXPIRED:
            self.house.grant_key(person, WILLOW, datetime.now(UTC) - timedelta(microseconds=1))
        if who is Who.EXCLUDED:
            self.house.grant_key(person, ROWAN)

    async def room(self, purpose: str, *conditions: Condition, kind: RoomKind = RoomKind.LIVING_ROOM) -> RoomId:
        """The room for this purpose, also for clinicians; nobody of the table is in it at first."""
        if purpose not in self.rooms:
            room = await self.house.room(*conditions, kind=kind)
            self.house.admit(room, Role.CLINICIAN)
            self.rooms[purpose] = room
        return self.rooms[purpose]

    async def talk(self) -> RoomId:
        """The room in which people of the table are, each with every power that Matrix gives."""
        if "talk" not in self.rooms:
            room = await self.room("talk")
            await self.house.moved_into(room, *(self.people[who] for who in INSIDE), self.bystander)
            await self.share_power(room, 100)
        return self.rooms["talk"]

    async def share_power(self, room: RoomId, level: int) -> None:
        """Give everybody in a room so much power."""
        levels = {"users_default": level, "events_default": 0}
        done = await self.house.send_state(self.house.concierge, room, "m.room.power_levels", levels)
        assert done.status == 200, done

    async def create(self, who: Who, more_state: Sequence[dict[str, Any]] = (), **request: Any) -> Answer:
        """Ask for a room that is closed but for what the request says. more_state: more of its initial state."""
        body = {"preset": "private_chat", "initial_state": [*NO_GUESTS, *more_state], **request}
        return await self.request(who, "POST", f"{CLIENT}/createRoom", body)

    async def request(self, who: Who | Account, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Ask the homeserver as this one."""
        account = who if isinstance(who, Account) else self.people[who]
        return await self.house.synapse.request(method, path, account.access_token, body)

    async def lock(self, person: Account, locked: bool) -> None:
        """Lock somebody's account, so that Synapse answers no invitation for it, or open it again."""
        path = f"/_synapse/admin/v2/users/{person.user_id}"
        await self.house.synapse.ask("PUT", path, self.house.caretaker.access_token, {"locked": locked})

    async def inside(self, room: RoomId, person: Account) -> None:
        """Have somebody in the room who may have been removed."""
        if await self.house.membership(room, person) != "join":
            await self.house.moved_into(room, person)


async def _stranger(house: House) -> Account:
    """Make an account that the house does not know, as one would be after an older copy of the database is put back."""
    account = await house.colleague(Role.STAFF)
    with house.store.writing() as tx:
        cast(SqlPeople, tx.people)._work.change(delete(person_table).where(person_table.c.user_id == account.user_id))
    return account


_SETTINGS: dict[str, Setting] = {}


async def setting_of(house: House) -> Setting:
    """The one setting of a house."""
    if house.synapse.url not in _SETTINGS:
        _SETTINGS[house.synapse.url] = await Setting.make(house)
    return _SETTINGS[house.synapse.url]
