"""Every way in, gone by everybody: the table of routes on a real homeserver."""

from datetime import UTC, datetime

import pytest
import pytest_asyncio

from keyhouse.core.closed_rooms import stays_closed
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.room_state import GUESTS, HISTORY, JOIN_RULES
from keyhouse.core.verdict import Allowed
from keyhouse.core.workflows.entry import decide_entry
from tests.support.house_with_door import CLIENT, House
from tests.synapse.routes import ROUTES
from tests.synapse.routes_outcomes import Route
from tests.synapse.routes_setting import Setting, Who, setting_of

CELLS = [pytest.param(route, who, id=f"{route.name} - {who}") for route in ROUTES for who in route.outcomes]


@pytest_asyncio.fixture(loop_scope="session")
async def setting(house: House) -> Setting:
    """The people and rooms of the table."""
    return await setting_of(house)


@pytest.mark.parametrize(("route", "who"), CELLS)
async def test_a_route_ends_as_the_table_says(setting: Setting, route: Route, who: Who) -> None:
    answer = await route.asks(setting, who)

    assert route.outcomes[who].fits(answer), f"should be {route.outcomes[who].word}: {answer}"


async def test_after_all_of_it_everybody_in_a_room_has_what_opens_it_and_every_room_is_closed(setting: Setting) -> None:
    await setting.talk()
    rooms = [room for purpose, room in setting.rooms.items() if purpose != "the old room"]

    astray = [who for room in rooms for who in await _joined(setting, room) if not _may_be_in(setting, who, room)]
    opened = [room for room in setting.rooms.values() if not await _is_closed(setting, room)]

    assert (astray, opened) == ([], [])


async def _joined(setting: Setting, room: RoomId) -> list[str]:
    answer = await setting.request(setting.house.concierge, "GET", f"{CLIENT}/rooms/{room}/joined_members")
    return list(answer.body["joined"])


def _may_be_in(setting: Setting, who: str, room: RoomId) -> bool:
    now = datetime.now(UTC)
    return isinstance(setting.house.read(lambda tx: decide_entry(tx, UserId(who), room, now)), Allowed)


async def _is_closed(setting: Setting, room: RoomId) -> bool:
    path = f"{CLIENT}/rooms/{room}/state"
    state = {key: await setting.request(setting.house.concierge, "GET", f"{path}/{key}/") for key in _OPENERS}
    return all(isinstance(stays_closed(key, answer.body, {}), Allowed) for key, answer in state.items())


_OPENERS = (JOIN_RULES, HISTORY, GUESTS)
