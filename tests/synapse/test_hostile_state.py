"""Hostile values in every field that a client controls: nothing breaks that stands without us, and nothing gets in."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pytest_asyncio

from keyhouse.core.closed_rooms import stays_closed
from keyhouse.core.room_state import GUESTS, HISTORY, JOIN_RULES
from keyhouse.core.verdict import Allowed
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, PASSWORD, WILLOW, House
from tests.support.synapse import Account, Answer, RunningSynapse
from tests.synapse.hostile_requests import OTHER, Hostile, by_a_person, by_the_house, without_a_name

AT_ONCE = 8


@dataclass(frozen=True)
class Wire:
    """Somebody on a homeserver, in a room with somebody else."""

    synapse: RunningSynapse
    account: Account
    room: str
    other: str = "@nobody:keyhouse.test"

    async def send(self, hostile: Hostile) -> Answer:
        """Send one request as this somebody."""
        path = hostile.path.replace("{room}", self.room).replace("{me}", self.account.user_id)
        body = hostile.body
        if body is not None and body.get("user_id") == OTHER:
            body = {**body, "user_id": self.other}
        return await self.synapse.request(hostile.method, path, self.account.access_token, body)

    async def send_all(self, requests: Iterable[Hostile]) -> list[tuple[Hostile, Answer]]:
        """Send requests, a few at once."""
        places, waiting = asyncio.Semaphore(AT_ONCE), list(requests)

        async def one(hostile: Hostile) -> Answer:
            async with places:
                return await self.send(hostile)

        return list(zip(waiting, await asyncio.gather(*(one(hostile) for hostile in waiting)), strict=True))


@pytest_asyncio.fixture(loop_scope="session")
async def bare(synapse: RunningSynapse) -> Wire:
    """Somebody in a room of a Synapse without us."""
    admin = await synapse.register(fresh_name("admin"), PASSWORD, admin=True)
    account = await synapse.register(fresh_name("bare"), PASSWORD)
    body = {"preset": "private_chat", "invite": [account.user_id]}
    made = await synapse.ask("POST", f"{CLIENT}/createRoom", admin.access_token, body)
    await synapse.ask("POST", f"{CLIENT}/join/{made['room_id']}", account.access_token, {})
    await _without_limits(synapse, admin, account)
    return Wire(synapse, account, made["room_id"], admin.user_id)


async def test_a_person_breaks_nothing_and_gets_through_nowhere(house: House, bare: Wire) -> None:
    person, other = await house.person(WILLOW), await house.person(WILLOW)
    room = await house.room_with(person, other)
    await _without_limits(house.synapse, house.caretaker, person)
    before = await _what_is(house, person, room)

    answers = await Wire(house.synapse, person, room, other.user_id).send_all(by_a_person())

    assert await _what_is(house, person, room) == before
    assert await _broken_by_us(answers, bare) == []


async def test_whoever_is_not_in_yet_breaks_nothing_and_does_not_come_in(house: House, bare: Wire) -> None:
    stranger = Account("", "", "", "")

    answers = await Wire(house.synapse, stranger, "!none").send_all(without_a_name(PASSWORD))

    assert [hostile.name for hostile, answer in answers if answer.status == 200] == []
    assert await _broken_by_us(answers, replace(bare, account=stranger)) == []


async def test_the_house_itself_breaks_nothing_and_makes_no_open_room(house: House, bare: Wire) -> None:
    room = await house.room(WILLOW)

    answers = await Wire(house.synapse, house.concierge, room).send_all(by_the_house())

    made = [answer.body[key] for _, answer in answers for key in ("room_id", "replacement_room") if key in answer.body]
    assert made
    assert [one for one in (room, *made) if not await _is_closed(house, one)] == []
    assert await _broken_by_us(answers, bare) == []


async def _broken_by_us(answers: Sequence[tuple[Hostile, Answer]], bare: Wire) -> list[str]:
    """Name the requests that break the house and do not break a Synapse without it."""
    broken = [hostile for hostile, answer in answers if answer.status >= 500]
    return [hostile.name for hostile, answer in await bare.send_all(broken) if answer.status < 500]


async def _what_is(house: House, person: Account, room: str) -> tuple[object, ...]:
    """How the room is and where the person is."""
    filtered = f'{{"room":{{"rooms":["{room}"]}}}}'
    seen = await house.synapse.ask(
        "GET", f"{CLIENT}/sync?full_state=true&filter={filtered}", house.concierge.access_token
    )
    events = seen["rooms"]["join"][room]
    state = {
        event["event_id"] for part in ("state", "timeline") for event in events[part]["events"] if "state_key" in event
    }
    rooms = await house.synapse.ask("GET", f"{CLIENT}/joined_rooms", person.access_token)
    return state, sorted(rooms["joined_rooms"])


async def _is_closed(house: House, room: str) -> bool:
    for event_type in (JOIN_RULES, HISTORY, GUESTS):
        path = f"{CLIENT}/rooms/{room}/state/{event_type}/"
        content = await house.synapse.ask("GET", path, house.concierge.access_token)
        if not isinstance(stays_closed(event_type, content, {}), Allowed):
            return False
    return True


async def _without_limits(synapse: RunningSynapse, admin: Account, account: Account) -> None:
    # Synapse's limits would answer in place of what is tested here.
    path = f"/_synapse/admin/v1/users/{account.user_id}/override_ratelimit"
    body = {"messages_per_second": 0, "burst_count": 0}
    await synapse.ask("POST", path, admin.access_token, body)
