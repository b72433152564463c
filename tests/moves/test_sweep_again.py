"""What the sweep repairs at a start, what it counts, and whom it leaves in peace."""

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.memberships import MembershipState
from tests.support.concierge import RunningConcierge
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, House
from tests.support.synapse import Account


async def moved_in(concierge: RunningConcierge, number: int = 1) -> tuple[RoomId, Condition, list[Account]]:
    """Make a room of a condition that nobody else holds, and have people in it."""
    house, condition = concierge.house, Condition(fresh_name("alder"))
    room = await house.room(condition)
    people = [await house.person() for _ in range(number)]
    for one in people:
        house.grant_key(one, condition)
    await house.moved_into(room, *people)
    await concierge.at_rest()
    return room, condition, people


async def test_a_sweep_puts_out_who_lost_the_key_and_counts_what_it_repaired(concierge: RunningConcierge) -> None:
    house = concierge.house
    room, alder, (loses, keeps) = await moved_in(concierge, 2)
    await concierge.end()
    house.revoke_key(loses, alder)

    await concierge.start()

    await house.left(room, loses)
    assert await house.membership(room, keeps) == "join"
    assert (concierge.counters()["sweep_removals"], concierge.counters()["sweep_invitations"]) == (1, 0)


async def test_a_sweep_brings_back_who_was_put_out_by_hand(concierge: RunningConcierge) -> None:
    house = concierge.house
    room, _, (person,) = await moved_in(concierge)
    await concierge.end()
    await _put_out_by_hand(house, room, person)

    await concierge.start()

    await house.joined(room, person)
    assert (concierge.counters()["sweep_removals"], concierge.counters()["sweep_invitations"]) == (0, 1)


async def test_who_left_by_choice_stays_out_also_when_the_concierge_was_away_meanwhile(
    concierge: RunningConcierge,
) -> None:
    house = concierge.house
    room, _, (seen, unseen) = await moved_in(concierge, 2)
    await _leave(house, room, seen)
    await eventually(lambda: _is_kept_as(house, room, seen, MembershipState.LEFT_BY_CHOICE))
    await concierge.end()
    await _leave(house, room, unseen)

    await concierge.start()

    await eventually(lambda: _is_kept_as(house, room, unseen, MembershipState.LEFT_BY_CHOICE))
    await concierge.at_rest()
    assert [await house.membership(room, one) for one in (seen, unseen)] == ["leave", "leave"]
    assert concierge.counters()["sweep_invitations"] == 0


async def _leave(house: House, room: RoomId, person: Account) -> None:
    await house.synapse.ask("POST", f"{CLIENT}/rooms/{room}/leave", person.access_token, {})


async def _put_out_by_hand(house: House, room: RoomId, person: Account) -> None:
    path = f"{CLIENT}/rooms/{room}/kick"
    await house.synapse.ask("POST", path, house.concierge.access_token, {"user_id": person.user_id})


async def _is_kept_as(house: House, room: RoomId, person: Account, state: MembershipState) -> bool:
    places = house.read(lambda tx: tx.memberships.of(UserId(person.user_id)))
    return state in {place.state for place in places if place.room_id == room}
