"""When the homeserver is away, or its answer is lost, the person is told the truth and keeps the code."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from front_door.pages import AWAY, PERHAPS_MADE
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason
from tests.front_door.conftest import Opens
from tests.front_door.seen import see
from tests.front_door.test_use_your_key import use
from tests.support.house_with_door import House


class TornLine:
    """A line to the homeserver that breaks after a request. tears_left: how many last steps lose their answer."""

    def __init__(self, homeserver: str, http: aiohttp.ClientSession) -> None:
        self.tears_left = 0
        self._homeserver = homeserver
        self._http = http

    async def pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._http.request(request.method, self._homeserver + request.path, data=body) as answer:
            passed = web.Response(body=await answer.read(), status=answer.status, content_type="application/json")
        if self.tears_left and json.loads(body).get("auth", {}).get("type") == "m.login.dummy":
            self.tears_left -= 1
            assert request.transport is not None
            request.transport.abort()
        return passed


@pytest_asyncio.fixture(loop_scope="session")
async def torn_line(house: House) -> AsyncIterator[tuple[TornLine, str]]:
    """A line that breaks, and the address of its near end."""
    async with aiohttp.ClientSession() as http:
        line = TornLine(house.synapse.url, http)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", line.pass_on)
        async with TestServer(app) as server:
            yield line, str(server.make_url("")).rstrip("/")


async def test_a_homeserver_that_is_away_costs_nothing(house: House, front_door_to: Opens, free_port: int) -> None:
    code = house.issue().code

    page = await use(await front_door_to(f"http://127.0.0.1:{free_port}"), code)

    assert (page.status, page.alert, page.code_field) == (503, AWAY, code)
    assert (await use(await front_door_to(house.synapse.url), code)).status == 200


async def test_a_lost_last_answer_is_fetched_again_with_the_password_that_was_drawn(
    house: House, front_door_to: Opens, torn_line: tuple[TornLine, str]
) -> None:
    line, address = torn_line
    line.tears_left = 1
    paper = house.issue()

    page = await use(await front_door_to(address), paper.code)

    assert line.tears_left == 0
    assert (page.status, page.by_id["pseudonym"]) == (200, paper.pseudonym)
    await house.synapse.log_in(page.by_id["pseudonym"], page.by_id["password"])


async def test_when_no_last_answer_comes_back_the_page_does_not_say_that_nothing_is_lost(
    house: House, front_door_to: Opens, torn_line: tuple[TornLine, str]
) -> None:
    line, address = torn_line
    line.tears_left = 100
    code = house.issue().code

    page = await use(await front_door_to(address), code)

    assert (page.status, page.alert) == (503, PERHAPS_MADE)
    assert (await use(await front_door_to(house.synapse.url), code)).alert == sentence(Reason.CODE_USED)


async def test_a_homeserver_that_speaks_another_language_is_away(front_door_to: Opens, house: House) -> None:
    another = await front_door_to(house.synapse.url)

    page = await use(await front_door_to(str(another.make_url("/static")).rstrip("/")), house.issue().code)

    assert (page.status, page.alert) == (503, AWAY)


async def test_the_form_itself_is_there_while_the_homeserver_is_away(front_door_to: Opens, free_port: int) -> None:
    front_door = await front_door_to(f"http://127.0.0.1:{free_port}")

    assert (await see(await front_door.get("/"))).status == 200
