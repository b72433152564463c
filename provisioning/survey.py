"""Look at the rooms of the house as their owner."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Iterable, Mapping

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import Building
from keyhouse.core.building_plan import ObservedRoom
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import PersonState, Role
from keyhouse.core.room_state import MARK, Cast
from keyhouse.core.rooms import RoomScope
from provisioning.answers import House
from provisioning.matrix import Homeserver

ROOMS_AT_ONCE = 6


async def survey(house: House, building: Building, owner: Homeserver) -> dict[str, ObservedRoom]:
    """Return the rooms of the building that are there, by slug, each as it is."""
    scopes = await asyncio.to_thread(_scopes, house, building)
    rooms = {slug: scope.room_id for slug, scope in scopes.items()}
    missing = [room.slug for room in building.rooms if room.slug not in rooms]
    if missing:
        rooms |= await _unwritten({room_mark(house, slug): slug for slug in missing}, frozenset(rooms.values()), owner)
    seen: dict[str, ObservedRoom] = {}

    async def look(slug: str, room_id: RoomId) -> None:
        state = {(event.type, event.state_key): event.content for event in await owner.state(room_id)}
        seen[slug] = ObservedRoom(room_id, scopes.get(slug), state)

    await side_by_side(look(slug, room_id) for slug, room_id in rooms.items())
    return seen


def cast_of(house: House) -> Cast:
    """Return who has a part in the rooms, by name and by what is kept."""
    with house.store.reading() as tx:
        clinicians = [person for person in tx.people.with_role(Role.CLINICIAN) if person.state is PersonState.ACTIVE]
    return Cast(
        services={account: UserId(house.settings.user_id(account)) for account in ServiceAccount},
        clinicians=frozenset(person.user_id for person in clinicians),
        via=house.settings.server_name,
    )


def room_mark(house: House, slug: str) -> str:
    """Return the mark by which a room is known to be this one, without saying which it is."""
    # The hash of a code is made of capitals and digits alone: these words keep the two apart under one key.
    return hmac.new(house.keys.code_hash, f"room mark: {slug}".encode(), hashlib.sha256).hexdigest()


async def side_by_side(work: Iterable[Awaitable[None]]) -> None:
    """Do pieces of work, ROOMS_AT_ONCE at a time; the first failure stops all and is raised."""
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def one(piece: Awaitable[None]) -> None:
        async with places:
            await piece

    try:
        async with asyncio.TaskGroup() as group:
            for piece in work:
                group.create_task(one(piece))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _scopes(house: House, building: Building) -> dict[str, RoomScope]:
    planned = {room.slug for room in building.rooms}
    with house.store.reading() as tx:
        return {scope.slug: scope for scope in tx.rooms.all() if scope.slug in planned}


async def _unwritten(marks: Mapping[str, str], written: frozenset[RoomId], owner: Homeserver) -> dict[str, RoomId]:
    """Find the rooms that a killed `apply` made and did not write down, by the mark that each carries."""
    found: dict[str, RoomId] = {}

    async def look(room_id: RoomId) -> None:
        created = await owner.get_state(room_id, "m.room.create") or {}
        if (slug := marks.get(str(created.get(MARK)))) is not None:
            found[slug] = room_id

    await side_by_side(look(room_id) for room_id in await owner.joined_rooms() if room_id not in written)
    return found
