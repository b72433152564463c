"""Memberships follow a change of key: while somebody comes in at that very moment, and after a crash in between."""

import asyncio
import os
import random

import pytest

from keyhouse.core.ids import Condition, RoomId
from tests.support import fresh
from tests.support.concierge import RunningConcierge
from tests.support.eventually import eventually
from tests.support.house_with_door import CLIENT, WILLOW, House
from tests.support.key_changes import change, new_room
from tests.support.synapse import Account

ROUNDS = int(os.environ.get("KEYHOUSE_ROUNDS", "2"))
"""KEYHOUSE_ROUNDS asks for more. The chance of the rounds is the seed that stands at the head of every run."""

AT_ONCE = 6
A_MOMENT_S = 0.05
WITHOUT_A_SWEEP_S = 20


async def test_who_loses_the_key_is_out_and_who_gets_one_is_in(concierge: RunningConcierge) -> None:
    house = concierge.house
    room, alder = await new_room(house)
    person = await house.person(WILLOW)

    change(house, person, alder, give=True)
    await house.joined(room, person)
    change(house, person, alder, give=False)

    await house.left(room, person)


async def test_who_loses_the_key_and_gets_it_again_at_once_is_in(concierge: RunningConcierge) -> None:
    house = concierge.house
    room, alder = await new_room(house)
    person = await house.person(WILLOW)
    change(house, person, alder, give=True)
    await house.joined(room, person)

    for _ in range(5):
        change(house, person, alder, give=False)
        await eventually(lambda: _is_out(house, room, person))
        change(house, person, alder, give=True)
        await eventually(lambda: _is_in(house, room, person), WITHOUT_A_SWEEP_S)


async def test_whoever_comes_in_while_the_key_is_taken_is_out_in_the_end(concierge: RunningConcierge) -> None:
    house, chance = concierge.house, random.Random(fresh.SEED)
    room, alder = await new_room(house)
    people = [await house.person(WILLOW) for _ in range(AT_ONCE)]
    await concierge.at_rest()

    for _ in range(ROUNDS):
        moments = [chance.uniform(0, A_MOMENT_S) for _ in people]
        await asyncio.gather(*(_in_and_out(house, room, *each, alder) for each in zip(people, moments, strict=True)))

        await eventually(lambda: _nobody_of(house, room, people), 20)
        await concierge.at_rest()
        assert await _nobody_of(house, room, people)


async def test_whoever_joins_on_and_on_while_the_key_is_taken_is_out_in_the_end(concierge: RunningConcierge) -> None:
    house = concierge.house
    room, alder = await new_room(house)
    people = [await house.person(WILLOW) for _ in range(AT_ONCE)]
    for _ in range(ROUNDS):
        for one in people:
            change(house, one, alder, give=True)
        await house.joined(room, *people)
        await concierge.at_rest()

        knocking = [asyncio.create_task(_invited_again_and_again(house, room, one)) for one in people]
        for one in people:
            change(house, one, alder, give=False)
        await asyncio.gather(*knocking)

        await eventually(lambda: _nobody_of(house, room, people), 20)
        await concierge.at_rest()
        assert await _nobody_of(house, room, people)


@pytest.mark.parametrize("where", ["before_doing", "after_doing"])
async def test_a_removal_that_a_crash_cut_off_is_made_good_by_the_next_start(
    concierge: RunningConcierge, where: str
) -> None:
    house = concierge.house
    room, alder = await new_room(house)
    person = await house.person(WILLOW)
    change(house, person, alder, give=True)
    await house.joined(room, person)
    await concierge.at_rest()
    await concierge.end()
    concierge.greet_nobody()
    await concierge.start(dies_at=where)

    change(house, person, alder, give=False)
    await concierge.died()
    was_out = await house.membership(room, person) == "leave"
    await concierge.start()

    assert was_out == (where == "after_doing")
    await house.left(room, person)
    await concierge.at_rest()


async def _in_and_out(house: House, room: RoomId, person: Account, moment_s: float, alder: Condition) -> None:
    """Give the key, and take it a moment after the invitation, while Synapse joins for the person."""
    change(house, person, alder, give=True)
    await eventually(lambda: _is_coming(house, room, person))
    await asyncio.sleep(moment_s)
    change(house, person, alder, give=False)


async def _is_out(house: House, room: RoomId, person: Account) -> bool:
    return await house.membership(room, person) == "leave"


async def _is_in(house: House, room: RoomId, person: Account) -> bool:
    return await house.membership(room, person) == "join"


async def _is_coming(house: House, room: RoomId, person: Account) -> bool:
    return await house.membership(room, person) in ("invite", "join")


async def _invited_again_and_again(house: House, room: RoomId, person: Account) -> None:
    """Leave and come back by hand, for as long as the door lets it happen."""
    leave = f"{CLIENT}/rooms/{room}/leave"
    async with asyncio.timeout(20):
        while True:
            await house.synapse.request("POST", leave, person.access_token, {})
            if (await house.invite(person, room)).status == 403:
                return
            await house.join(person, room)


async def _nobody_of(house: House, room: RoomId, people: list[Account]) -> bool:
    path = f"{CLIENT}/rooms/{room}/members"
    members = (await house.synapse.ask("GET", path, house.concierge.access_token))["chunk"]
    inside = {each["state_key"] for each in members if each["content"]["membership"] in ("join", "invite")}
    return not inside & {one.user_id for one in people}
