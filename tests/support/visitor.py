"""Somebody who could be known by their address, their client, their telephone and a file: each a canary."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import aiohttp

from tests.support.synapse import Answer

CLIENT = "/_matrix/client/v3"
PASSWORD = "correct horse battery staple"

ADDRESS = "127.0.0.77"
FORWARDED = "203.0.113.77"
AGENT = "canary-agent/7.7"
DEVICE_NAME = "the canary's telephone"
FILE_NAME = "canary-on-holiday.png"
MAIL = "canary@example.org"
WORDS = "canary words that are no json"

# As bytes: a longer address ends in another digit.
_CANARIES = re.compile(rb"127\.0\.0\.77(?!\d)|203\.0\.113\.77(?!\d)|canary")


class Visitor:
    """A client that asks one homeserver; `async with Visitor(url) as visitor`."""

    def __init__(self, homeserver: str) -> None:
        self._homeserver = homeserver
        self.token: str | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(local_addr=(ADDRESS, 0))
        headers = {"User-Agent": AGENT, "X-Forwarded-For": FORWARDED}
        self._http = aiohttp.ClientSession(self._homeserver, connector=connector, headers=headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def ask(self, method: str, path: str, body: dict[str, Any] | bytes | None = None) -> Answer:
        """Ask once, signed in if there is a token."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        async with self._http.request(method, path, headers=headers, **sent) as response:
            return Answer(response.status, await response.json())

    async def come_in(self, code: str) -> str:
        """Register as a client does, with a name for the device; the new user id."""
        body = {"password": PASSWORD, "initial_device_display_name": DEVICE_NAME}
        session = (await self.ask("POST", f"{CLIENT}/register", body)).body["session"]
        for step in ({"type": "m.login.registration_token", "token": code}, {"type": "m.login.dummy"}):
            made = await self.ask("POST", f"{CLIENT}/register", {**body, "auth": {**step, "session": session}})
        assert made.status == 200, made
        self.token = made.body["access_token"]
        return str(made.body["user_id"])

    async def leave_traces(self, user_id: str) -> None:
        """Do what a client does in a day, with every canary wherever a client can say one."""
        login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user_id}, "password": PASSWORD}
        named = {"initial_device_display_name": DEVICE_NAME, "device_id": DEVICE_NAME}
        second = await self.ask("POST", f"{CLIENT}/login", {**login, **named})
        device = f"{CLIENT}/devices/{second.body['device_id']}"
        assert (await self.ask("PUT", device, {"display_name": DEVICE_NAME})).status == 200
        assert (await self.ask("GET", f"{CLIENT}/sync")).status == 200
        await self._delete(device, {**login, "user": user_id})
        await self.upload()
        await self._mistake_the_name()
        for refused in (f"profile/{user_id}/m.email", f"profile/{user_id}/displayname", "account/3pid/bind"):
            await self.ask("POST" if "3pid" in refused else "PUT", f"{CLIENT}/{refused}", {"m.email": MAIL})
        await self.ask("POST", f"{CLIENT}/login", WORDS.encode())
        await self.ask("GET", "/_synapse/admin/v2/users")

    async def upload(self) -> Answer:
        """Upload a file that has a name."""
        return await self.ask("POST", f"/_matrix/media/v3/upload?filename={FILE_NAME}", b"no picture")

    async def _mistake_the_name(self) -> None:
        """Type one's own address where a name is asked for."""
        for identifier in (
            {"type": "m.id.user", "user": MAIL},
            {"type": "m.id.thirdparty", "medium": "email", "address": MAIL},
            {"type": "m.id.phone", "country": "GB", "phone": MAIL},
        ):
            login = {"type": "m.login.password", "identifier": identifier, "password": PASSWORD}
            assert (await self.ask("POST", f"{CLIENT}/login", login)).status in (400, 403)

    async def _delete(self, device: str, login: dict[str, Any]) -> None:
        begun = await self.ask("DELETE", device, {})
        auth = {**login, "session": begun.body["session"]}
        assert (await self.ask("DELETE", device, {"auth": auth})).status == 200


def canaries_in(content: bytes) -> set[bytes]:
    """Name the canaries that occur in these bytes."""
    return {found[0] for found in _CANARIES.finditer(content.lower())}


def columns_of(database: Path) -> Iterator[tuple[str, bytes]]:
    """Read every column of every row of a SQLite database of which nobody in this process has another connection."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as open_database:
        open_database.text_factory = bytes
        names = open_database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for table in (name.decode() for (name,) in names):
            rows = open_database.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            columns = [f"{table}.{column[0]}" for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    yield column, value if isinstance(value, bytes) else str(value).encode()
