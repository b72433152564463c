"""Rooms of a condition that nobody holds yet, and keys for them, given and taken as the command line does."""

from datetime import UTC, datetime

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.people import Person
from keyhouse.core.workflows.keys import KeyChange, change_keys
from tests.support.fresh import fresh_name
from tests.support.house_with_door import WILLOW, House
from tests.support.synapse import Account


def change(house: House, person: Account, condition: Condition, *, give: bool) -> None:
    """Give a holder of WILLOW one more key, or take it."""
    this, nothing, known = frozenset({condition}), frozenset[Condition](), frozenset({WILLOW, condition})
    what = KeyChange(this if give else nothing, nothing if give else this, None, "host")
    now = datetime.now(UTC)
    changed = house.write(lambda tx: change_keys(tx, UserId(person.user_id), what, known, frozenset(), now))
    assert isinstance(changed, Person)


async def new_room(house: House) -> tuple[RoomId, Condition]:
    """Make a room of a condition that nobody holds yet."""
    condition = Condition(fresh_name("alder"))
    return await house.room(condition), condition
