"""Many people into one room, and one person into many rooms, under the rate limits that a house is started with."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime

from keyhouse.core.ids import Condition
from keyhouse.core.people import Person, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows.moves import follow_keys
from tests.support.concierge import RunningConcierge
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, WILLOW
from tests.support.key_changes import change, new_room
from tests.support.synapse import Account

PEOPLE = int(os.environ.get("KEYHOUSE_PEOPLE", "60"))
"""More than Synapse's own limits let into a room before it gives up an invitation; KEYHOUSE_PEOPLE asks for more."""

ROOMS = 12
AT_ONCE = 10


async def test_many_people_who_get_a_key_together_are_soon_all_in_the_room(concierge: RunningConcierge) -> None:
    # Of the team, because a newcomer's desk takes longer to make than everything that is looked at here.
    house, turn = concierge.house, asyncio.Semaphore(AT_ONCE)

    async def colleague() -> Account:
        async with turn:
            return await house.colleague(Role.CLINICIAN)

    people = await asyncio.gather(*(colleague() for _ in range(PEOPLE)))
    room, _ = await new_room(house)

    house.admit(room, Role.CLINICIAN)
    house.write(lambda tx: [follow_keys(tx, one, "test", datetime.now(UTC)) for one in _clinicians(tx)])

    wanted = {one.user_id for one in people}
    path = f"{CLIENT}/rooms/{room}/joined_members"

    async def all_are_in() -> bool:
        return wanted <= set((await house.synapse.ask("GET", path, house.concierge.access_token))["joined"])

    await eventually(all_are_in, max(60, PEOPLE))


async def test_one_person_whose_key_opens_many_rooms_is_soon_in_all_of_them(concierge: RunningConcierge) -> None:
    house, alder = concierge.house, Condition(fresh_name("alder"))
    rooms = {await house.room(alder) for _ in range(ROOMS)}
    person = await house.person(WILLOW)

    change(house, person, alder, give=True)

    async def is_in_all() -> bool:
        answer = await house.synapse.ask("GET", f"{CLIENT}/joined_rooms", person.access_token)
        return rooms <= set(answer["joined_rooms"])

    await eventually(is_in_all)


def _clinicians(tx: Transaction) -> Sequence[Person]:
    return tx.people.with_role(Role.CLINICIAN)
