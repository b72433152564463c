"""What only a server administrator may ask of the homeserver about one account. Asking again does no harm."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from keyhouse.core.carried import REDACTION
from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.room_state import MEMBER
from provisioning.matrix import Homeserver, HomeserverRefused

_ADMIN = "/_synapse/admin"
PAGE = 50
"""Events on one page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events of one person in one room. at: of this page; before: of the next older one, None when there is none."""

    at: str | None
    events: tuple[EventId, ...]
    before: str | None


class Administrator:
    """Asks about one account; raises HomeserverAway or HomeserverRefused."""

    def __init__(self, homeserver: Homeserver, user_id: UserId) -> None:
        self._homeserver, self._user_id = homeserver, user_id
        self._quoted = quote(user_id, safe="")
        self._own_words = json.dumps({"senders": [user_id], "not_types": [MEMBER, REDACTION]})

    async def account_exists(self) -> bool:
        """Say whether there is such an account, ended or not; a name for one that is not there would make it."""
        try:
            await self._ask("GET", f"{_ADMIN}/v2/users/{self._quoted}")
        except HomeserverRefused as refused:
            if refused.status != 404:
                raise
            return False
        return True

    async def rooms(self) -> dict[RoomId, str]:
        """Return the person's membership in every room where there is or was one."""
        at = f"{_ADMIN}/v1/users/{self._quoted}/memberships"
        return {RoomId(room): state for room, state in (await self._ask("GET", at))["memberships"].items()}

    async def set_name(self, name: str) -> None:
        """Give the account this display name; the homeserver then brings it into the rooms by and by."""
        await self._ask("PUT", f"{_ADMIN}/v2/users/{self._quoted}", {"displayname": name})

    async def rooms_without_name(self, name: str) -> list[RoomId]:
        """Return the rooms in which the person does not stand under this name."""
        joined = [room for room, state in (await self.rooms()).items() if state == "join"]
        return [room for room in joined if await self._name_in(room) != name]

    async def deactivate(self, *, erase: bool) -> None:
        """End the account: no password, no device, out of every room soon. erase: its profile and what names it too."""
        await self._ask("POST", f"{_ADMIN}/v1/deactivate/{self._quoted}", {"erase": erase})

    async def words_in(self, room: RoomId, at: str | None = None) -> Page:
        """Return a page of what the person sent into a room and is still there, newest first; at: None is the newest.

        Comings and goings are left out. Redacting everything is the homeserver's too, but it hangs each redaction
        behind the old event, and clients then see the memberships of that time.
        """
        asked = {"dir": "b", "limit": str(PAGE), "filter": self._own_words, **({"from": at} if at else {})}
        found = await self._ask("GET", f"{_ADMIN}/v1/rooms/{quote(room, safe='')}/messages?{urlencode(asked)}")
        there = [event for event in found["chunk"] if "redacted_because" not in event.get("unsigned", {})]
        before = found.get("end") if found["chunk"] else None
        return Page(at, tuple(EventId(event["event_id"]) for event in there), before)

    async def delete_media(self) -> None:
        """Delete every file that the person ever uploaded."""
        while (await self._ask("DELETE", f"{_ADMIN}/v1/users/{self._quoted}/media"))["total"]:
            pass

    async def _name_in(self, room: RoomId) -> object:
        at = f"{_ADMIN}/v1/rooms/{quote(room, safe='')}/state?type={MEMBER}"
        members = (await self._ask("GET", at))["state"]
        return next(
            (each["content"].get("displayname") for each in members if each["state_key"] == self._user_id), None
        )

    async def _ask(self, method: str, at: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._homeserver.request(method, at, body)
