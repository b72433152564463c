"""A door in front of the homeserver that a test can break: it answers as a proxy whose server is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.support.ports import free_port


class Breakable:
    """Passes requests on, but for those whose path holds what is named here.

    refused: these requests do not reach the homeserver.  withheld: these do, but their answers are lost.
    limited: these do not either, and are told to come again soon; as often as `limited_times` says.
    held: these do, and their answers come when `released` is set; `holding` is set when there is one.
    asked: every path with its parameters, as it came.
    """

    def __init__(self, behind: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.refused: str | None = None
        self.withheld: str | None = None
        self.limited: str | None = None
        self.limited_times = 0
        self.held: str | None = None
        self.holding = asyncio.Event()
        self.released = asyncio.Event()
        self.broke_twice = asyncio.Event()
        self.asked: list[str] = []
        self._broke = 0
        self._behind = behind

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request; one that was on its way when the door broke gets no answer either."""
        self.asked.append(request.raw_path)
        if _named(self.limited, request) and self.limited_times > 0:
            self.limited_times -= 1
            told = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too many requests", "retry_after_ms": 100}
            return web.json_response(told, status=429)
        if not _named(self.refused, request):
            async with (
                aiohttp.ClientSession() as http,
                http.request(
                    request.method,
                    self._behind + request.raw_path,
                    data=await request.read(),
                    headers={"Authorization": request.headers.get("Authorization", "")},
                ) as response,
            ):
                body = await response.read()
                if _named(self.held, request):
                    self.holding.set()
                    await self.released.wait()
                if not _named(self.refused, request) and not _named(self.withheld, request):
                    return web.Response(status=response.status, body=body, content_type="application/json")
        self._broke += 1
        if self._broke == 2:
            self.broke_twice.set()
        return web.Response(status=502, text="<html>Bad gateway</html>")


def _named(part: str | None, request: web.Request) -> bool:
    return part is not None and part in request.path


@asynccontextmanager
async def breakable(behind: str) -> AsyncIterator[Breakable]:
    """Stand in front of a homeserver."""
    door = Breakable(behind)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", door.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(door.url.rsplit(":", 1)[1])).start()
    yield door
    await runner.cleanup()
