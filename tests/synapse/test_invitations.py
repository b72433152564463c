"""Invitations by key need no tap, however many they are (decision 0005)."""

import asyncio

from tests.support.house_with_door import WILLOW, House


async def test_one_person_invited_to_twelve_rooms_at_once_is_soon_in_all_of_them(house: House) -> None:
    person = await house.person(WILLOW)
    rooms = [await house.room(WILLOW) for _ in range(12)]

    answers = await asyncio.gather(*(house.invite(person, room) for room in rooms))

    assert [answer.status for answer in answers] == [200] * 12
    await asyncio.gather(*(house.joined(room, person) for room in rooms))


async def test_fifty_people_invited_into_one_room_at_once_are_soon_all_in_it(house: House) -> None:
    people = await asyncio.gather(*(house.person(WILLOW) for _ in range(50)))
    room = await house.room(WILLOW)

    answers = await asyncio.gather(*(house.invite(person, room) for person in people))

    assert [answer.status for answer in answers] == [200] * 50
    await house.joined(room, *people)


async def test_the_house_s_own_accounts_invite_past_synapse_s_limit_and_others_do_not(strict_house: House) -> None:
    people = [await strict_house.person(WILLOW) for _ in range(4)]
    room = await strict_house.room(WILLOW)

    answers = [await strict_house.invite(person, room) for person in people]
    by_others = [await strict_house.invite(people[0], room, by=people[1]) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 4
    # The third is refused by the limit before the door is asked.
    assert [answer.errcode for answer in by_others][-1] == "M_LIMIT_EXCEEDED"
