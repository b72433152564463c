"""The homeserver as provisioning speaks to it: accounts by shared secret, and the rooms of one account."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from keyhouse.core.ids import RoomId, UserId
from provisioning.answers import Failure

ANSWERS_WITHIN = timedelta(seconds=60)
WAITS_AT_MOST = timedelta(minutes=2)
_WAIT_UNSAID = timedelta(seconds=2)
_CLIENT = "/_matrix/client/v3"
_ADMIN = "/_synapse/admin"


class HomeserverFault(Failure):
    """The homeserver did not do what was asked."""


class HomeserverAway(HomeserverFault):
    """The homeserver could not be reached, took too long, or broke; the same may work later."""


class HomeserverRefused(HomeserverFault):
    """The homeserver understood and said no.

    retry_after: how long it asks us to wait (429 only); None means that waiting will not help.
    """

    def __init__(self, errcode: str, status: int, text: str, retry_after: timedelta | None = None) -> None:
        super().__init__(f"the homeserver refused ({status} {errcode}: {text}); run `keyhouse doctor` to see why")
        self.errcode = errcode
        self.status = status
        self.text = text
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class StateEvent:
    """One event of a room's current state."""

    type: str
    state_key: str
    sender: UserId
    content: Mapping[str, Any]


class Homeserver:
    """One homeserver, asked as one account once there is an access token; `async with` closes it.

    Every request ends within ANSWERS_WITHIN. A request that comes too soon (429) is asked again when the homeserver
    says so, for WAITS_AT_MOST in all.
    """

    def __init__(self, url: str, access_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.access_token = access_token
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN.total_seconds()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._http.close()

    # Accounts

    async def register(
        self, localpart: str, password: str, shared_secret: str, *, admin: bool = False, name: str | None = None
    ) -> UserId:
        """Make an account by the shared secret, with no device; a taken localpart is HomeserverRefused."""
        at = f"{_ADMIN}/v1/register"
        nonce = (await self.request("GET", at))["nonce"]
        told = "\0".join((nonce, localpart, password, "admin" if admin else "notadmin"))
        body = {
            "nonce": nonce,
            "username": localpart,
            "password": password,
            "admin": admin,
            "displayname": name or localpart,
            "inhibit_login": True,
            "mac": hmac.new(shared_secret.encode(), told.encode(), hashlib.sha1).hexdigest(),
        }
        return UserId((await self.request("POST", at, body))["user_id"])

    async def ensure_account(
        self, localpart: str, password: str, shared_secret: str, *, admin: bool = False, name: str | None = None
    ) -> bool:
        """Make the account unless it is there; say whether it was made. The password of one that is there stays."""
        try:
            await self.register(localpart, password, shared_secret, admin=admin, name=name)
        except HomeserverRefused as refused:
            if refused.errcode != "M_USER_IN_USE":
                raise
            return False
        return True

    async def log_in(self, user_id: UserId, password: str, device_id: str, device_name: str) -> str:
        """Log this device in, use its access token from now on, and return it."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user_id},
            "password": password,
            "device_id": device_id,
            "initial_device_display_name": device_name,
        }
        self.access_token = None
        self.access_token = str((await self.request("POST", f"{_CLIENT}/login", body))["access_token"])
        return self.access_token

    async def whoami(self) -> UserId:
        """Return whose access token this is; HomeserverRefused when it is nobody's any more."""
        return UserId((await self.request("GET", f"{_CLIENT}/account/whoami"))["user_id"])

    async def set_password(self, user_id: UserId, password: str) -> None:
        """Give one account another password; its devices stay logged in. Asks as a server administrator."""
        body = {"new_password": password, "logout_devices": False}
        await self.request("POST", f"{_ADMIN}/v1/reset_password/{quote(user_id, safe='')}", body)

    async def sign_out(self, user_id: UserId, device_id: str) -> None:
        """Sign out one device and delete its keys, if it is there. Asks as a server administrator."""
        at = f"{_ADMIN}/v2/users/{quote(user_id, safe='')}/devices/{quote(device_id, safe='')}"
        await self.request("DELETE", at)

    async def lift_limits(self, user_id: UserId) -> None:
        """Take the rate limits from one account of the house; asks as a server administrator."""
        none = {"messages_per_second": 0, "burst_count": 0}
        await self.request("POST", f"{_ADMIN}/v1/users/{quote(user_id, safe='')}/override_ratelimit", none)

    # Rooms

    async def create_room(self, body: Mapping[str, Any], once: str) -> RoomId:
        """Make a room. Asked again with the same `once` while the first is still at work, it is the same room."""
        # Synapse knows PUT beside the specified POST; a request that outlived its asker is so not made twice.
        made = await self.request("PUT", f"{_CLIENT}/createRoom/{quote(once, safe='')}", body)
        return RoomId(made["room_id"])

    async def joined_rooms(self) -> Sequence[RoomId]:
        """Return the rooms that the account is in."""
        return [RoomId(room) for room in (await self.request("GET", f"{_CLIENT}/joined_rooms"))["joined_rooms"]]

    async def joined_members(self, room: RoomId) -> frozenset[UserId]:
        """Return who is in the room."""
        joined = (await self.request("GET", _room(room, "joined_members")))["joined"]
        return frozenset(UserId(member) for member in joined)

    async def state(self, room: RoomId) -> Sequence[StateEvent]:
        """Return the whole current state of a room."""
        events = await self.request_any("GET", _room(room, "state"))
        return [StateEvent(each["type"], each["state_key"], each["sender"], each["content"]) for each in events]

    async def get_state(self, room: RoomId, type: str, state_key: str = "") -> dict[str, Any] | None:
        """Return one state event's content; None when the room has none."""
        try:
            return await self.request("GET", _room(room, "state", type, state_key))
        except HomeserverRefused as refused:
            if refused.errcode != "M_NOT_FOUND":
                raise
            return None

    async def put_state(self, room: RoomId, type: str, content: Mapping[str, Any], state_key: str = "") -> None:
        """Set one state event; a content that is so already makes no new event."""
        await self.request("PUT", _room(room, "state", type, state_key), content)

    async def invite(self, room: RoomId, user_id: UserId) -> None:
        """Invite somebody; who is inside already stays."""
        try:
            await self.request("POST", _room(room, "invite"), {"user_id": user_id})
        except HomeserverRefused as refused:
            if user_id not in await self.joined_members(room):
                raise refused from None

    async def kick(self, room: RoomId, user_id: UserId) -> None:
        """Remove somebody, or take an invitation back."""
        await self.request("POST", _room(room, "kick"), {"user_id": user_id})

    # One request

    async def request(self, method: str, at: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for an object; raises HomeserverAway or HomeserverRefused."""
        answer = await self.request_any(method, at, body)
        if not isinstance(answer, dict):
            raise HomeserverAway(f"the homeserver at {self.url} answered something unexpected; run `keyhouse doctor`")
        return answer

    async def request_any(self, method: str, at: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask for any JSON value, again as long as it is only too soon."""
        waited = timedelta(0)
        while True:
            try:
                return await self._ask(method, at, body)
            except HomeserverRefused as refused:
                wait = refused.retry_after
                if wait is None or waited + wait > WAITS_AT_MOST:
                    raise
                waited += wait
                await asyncio.sleep(wait.total_seconds())

    async def _ask(self, method: str, at: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}
        try:
            async with self._http.request(method, self.url + at, json=body, headers=headers) as response:
                return _answer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise HomeserverAway(
                f"the homeserver at {self.url} does not answer; start the house with `keyhouse up`"
            ) from fault


def _room(room: RoomId, *parts: str) -> str:
    return f"{_CLIENT}/rooms/" + "/".join(quote(part, safe="") for part in (room, *parts))


def _answer(status: int, text: bytes) -> Any:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if status < 300 and body is not None:
        return body
    if status >= 500 or body is None:
        raise HomeserverAway(f"the homeserver is broken at the moment (status {status}); its log says why")
    raise _refusal(status, body if isinstance(body, dict) else {})


def _refusal(status: int, body: Mapping[str, Any]) -> HomeserverRefused:
    wait_ms = body.get("retry_after_ms")
    wait = timedelta(milliseconds=wait_ms) if isinstance(wait_ms, int) else _WAIT_UNSAID
    errcode = str(body.get("errcode", "M_UNKNOWN"))
    return HomeserverRefused(errcode, status, str(body.get("error", "")), wait if status == 429 else None)
