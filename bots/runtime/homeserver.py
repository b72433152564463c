"""One homeserver over HTTP: every request has a time limit, every failure is of one family."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp

from bots.runtime.credentials import renewal
from bots.runtime.errors import MatrixAway, MatrixRefused, SessionEnded

CLIENT_API = "/_matrix/client/v3"
MEDIA = "/_matrix/client/v1/media/download"
ANSWERS_WITHIN = timedelta(seconds=20)

_LONGEST_REFUSAL, _PART = 64 * 2**10, 64 * 2**10


def path(*parts: str) -> str:
    """Join parts of a client-server path; each part is quoted, so that ids may hold anything."""
    return CLIENT_API + "".join("/" + quote(part, safe="") for part in parts)


class Homeserver:
    """A connection to the homeserver, with the bot's access token once it has one. bot: as sentences name it."""

    def __init__(self, url: str, access_token: str | None = None, bot: str = "NAME") -> None:
        self.url = url.rstrip("/")
        self.access_token = access_token
        self._bot = bot
        self._http = aiohttp.ClientSession()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def get(
        self, at: str, params: Mapping[str, str] | None = None, within: timedelta = ANSWERS_WITHIN
    ) -> dict[str, Any]:
        """Ask for something that changes nothing."""
        return await self._request("GET", at, None, params, within)

    async def post(self, at: str, body: Mapping[str, Any], within: timedelta = ANSWERS_WITHIN) -> dict[str, Any]:
        """Ask for something to be done."""
        return await self._request("POST", at, body, None, within)

    async def put(self, at: str, body: Mapping[str, Any], within: timedelta = ANSWERS_WITHIN) -> dict[str, Any]:
        """Ask for something to be so; asked again with the same path it is done once."""
        return await self._request("PUT", at, body, None, within)

    async def download(self, mxc: str, at_most: int, within: timedelta) -> bytes:
        """Fetch a file by its mxc:// address; raises ValueError if it is none or has more than so many bytes."""
        server, slash, media_id = mxc.removeprefix("mxc://").partition("/")
        if not mxc.startswith("mxc://") or not (server and slash and media_id) or "/" in media_id:
            raise ValueError("not the address of a file")
        at = "/".join((MEDIA, quote(server, safe=":[]"), quote(media_id, safe="")))
        timeout = aiohttp.ClientTimeout(total=within.total_seconds())
        try:
            # A redirect would take the access token elsewhere.
            async with self._http.get(
                self.url + at, headers=self._headers(), timeout=timeout, allow_redirects=False
            ) as response:
                if response.status >= 300:
                    _answer(response.status, await response.content.read(_LONGEST_REFUSAL), self._bot)
                return await _at_most(response.content, at_most)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise MatrixAway(f"The homeserver at {self.url} does not answer ({type(fault).__name__}).") from fault

    async def _request(
        self,
        method: str,
        at: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        within: timedelta,
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=within.total_seconds())
        try:
            async with self._http.request(
                method, self.url + at, json=body, params=params, headers=self._headers(), timeout=timeout
            ) as response:
                return _answer(response.status, await response.read(), self._bot)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise MatrixAway(f"The homeserver at {self.url} does not answer ({type(fault).__name__}).") from fault

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}


async def _at_most(stream: aiohttp.StreamReader, at_most: int) -> bytes:
    read = bytearray()
    async for part in stream.iter_chunked(_PART):
        read += part
        if len(read) > at_most:
            raise ValueError("the file is too large")
    return bytes(read)


def _answer(status: int, text: bytes, bot: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if status >= 500 or (status < 300 and not isinstance(body, dict)):
        raise MatrixAway(f"The homeserver is broken at the moment (status {status}).")
    if status >= 300:
        raise _refusal(status, body if isinstance(body, dict) else {}, bot)
    assert isinstance(body, dict)
    return body


def _refusal(status: int, body: Mapping[str, Any], bot: str) -> MatrixRefused | SessionEnded:
    errcode = str(body.get("errcode", "M_UNKNOWN"))
    if errcode in ("M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED"):
        return SessionEnded(
            "The homeserver no longer knows this bot's device: it was logged out or its account closed. "
            f"Give the bot a new device with {renewal(bot)}."
        )
    wait_ms = body.get("retry_after_ms")
    if status == 429 and not isinstance(wait_ms, int):
        wait_ms = 5000
    retry_after = timedelta(milliseconds=wait_ms) if status == 429 and isinstance(wait_ms, int) else None
    return MatrixRefused(errcode, status, str(body.get("error", "")), retry_after)
