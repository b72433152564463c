"""What stands before a homeserver of several processes: sends each request to one that can serve it."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import aiohttp
from aiohttp import web

# As in Synapse's own map of what its workers serve; a test compares. What is not here is served by main.
CLIENT_PATHS = tuple(
    re.compile(f"^/_matrix/client/(api/v1|r0|v3|unstable|v1){path}$")
    for path in (
        "/sync",
        "/login",
        "/register",
        "/createRoom",
        "/joined_rooms",
        "/join/[^/]+",
        "/knock/[^/]+",
        "/profile/[^/]+(/[^/]+)?",
        "/keys/(query|changes|claim)",
        "/rooms/[^/]+/(messages|state|members|joined_members|join|invite|leave|kick|ban|unban)",
        "/rooms/[^/]+/state/.+",
        "/rooms/[^/]+/(send|redact|event|context)/.+",
    )
)

# Read by every worker, written by main.
ONLY_READ = re.compile("^/_matrix/client/[^/]+/profile/")

_HOP_BY_HOP = frozenset({"connection", "content-length", "content-encoding", "host", "keep-alive", "transfer-encoding"})

# The longest that a client may ask /sync to wait, and some more.
ANSWERED_WITHIN_S = 100.0


class Router:
    """Serves on a port of loopback. One person's requests all go to one worker; those without a token in turn.

    sent: how many requests each process got.
    """

    def __init__(self, port: int, main: str, workers: Sequence[str]) -> None:
        self._port, self._main, self._workers = port, main, tuple(workers)
        self.sent: Counter[str] = Counter()
        self._turn = 0
        self._http: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where clients reach the homeserver."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Begin to listen."""
        timeout = aiohttp.ClientTimeout(total=ANSWERED_WITHIN_S)
        self._http = aiohttp.ClientSession(
            timeout=timeout, connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
        )
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Listen no more; what is under way is cut off."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._http is not None:
            await self._http.close()

    def upstream(self, method: str, path: str, authorization: str) -> str:
        """Choose who serves a request."""
        if not any(pattern.match(path) for pattern in CLIENT_PATHS):
            return self._main
        if ONLY_READ.match(path) and method != "GET":
            return self._main
        if not authorization:
            self._turn += 1
            return self._workers[self._turn % len(self._workers)]
        return self._workers[hashlib.sha256(authorization.encode()).digest()[0] % len(self._workers)]

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        assert self._http is not None
        upstream = self.upstream(request.method, request.path, request.headers.get("Authorization", ""))
        self.sent[upstream] += 1
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        body = await request.read()
        try:
            async with self._http.request(
                request.method, upstream + request.raw_path, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                return await _told(request, answer)
        except aiohttp.ClientConnectionError:
            return web.json_response({"errcode": "M_UNKNOWN", "error": "no such process"}, status=502)


async def _told(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Pass an answer on as it comes."""
    response = web.StreamResponse(status=answer.status)
    for name, value in answer.headers.items():
        if name.lower() not in _HOP_BY_HOP or name.lower() == "content-encoding":
            response.headers.add(name, value)
    await response.prepare(request)
    async for piece in answer.content.iter_any():
        await response.write(piece)
    await response.write_eof()
    return response
