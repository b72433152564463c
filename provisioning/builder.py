"""Do what the plan of the building says, as the owner of the rooms."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import Building, PlannedRoom
from keyhouse.core.building_plan import STATE_SET_BY, Action, Change, ObservedRoom, place_in_space, plan_building
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.probing import with_probe_rooms
from keyhouse.core.room_state import (
    CHILD,
    PARENT,
    ROOM_VERSION,
    child_link,
    create_content,
    initial_state,
    parent_link,
    services_in,
    wanted_state,
)
from provisioning.answers import Failure, House
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver
from provisioning.survey import cast_of, room_mark, side_by_side, survey

Told = Callable[[int, int], None]
"""Called with how many changes are done, and how many there are."""

INVITATIONS_ANSWERED_WITHIN = timedelta(seconds=30)
_LOOKS_EVERY = timedelta(milliseconds=200)


@asynccontextmanager
async def working_on(house: House) -> AsyncIterator["Builder"]:
    """Begin to work on the rooms, as the owner."""
    async with signed_in(house.settings.homeserver, house.directory.account(ServiceAccount.OWNER)) as owner:
        yield Builder(house, with_probe_rooms(house.building()), owner)


class Builder:
    """Plans and builds the rooms of one house; a plan is of the moment in which it was made."""

    def __init__(self, house: House, building: Building, owner: Homeserver) -> None:
        self._house = house
        self._building = building
        self._rooms = {room.slug: room for room in building.rooms}
        self._owner = owner
        self._cast = cast_of(house)
        self._seen: dict[str, ObservedRoom] = {}
        self._ids: dict[str, RoomId] = {}

    async def plan(self) -> list[Change]:
        """Look at every room and say what is to do."""
        self._seen = await survey(self._house, self._building, self._owner)
        self._ids = {slug: room.room_id for slug, room in self._seen.items()}
        return plan_building(self._building, self._seen, self._cast)

    async def do(self, changes: Sequence[Change], progress: Told) -> None:
        """Do the changes of the last plan: spaces before what stands in them, rooms side by side."""
        done = 0
        progress(done, len(changes))

        async def change_one_room(of_one_room: list[Change]) -> None:
            nonlocal done
            for change in of_one_room:
                await self._do(change)
                done += 1
                progress(done, len(changes))

        spaces, inside = self._by_room(changes)
        await side_by_side(change_one_room(of_one_room) for of_one_room in spaces)
        await side_by_side(change_one_room(of_one_room) for of_one_room in inside)

    async def prove(self) -> None:
        """Wait until the bots have answered their invitations; raises Failure if anything is still to do."""
        deadline = time.monotonic() + INVITATIONS_ANSWERED_WITHIN.total_seconds()
        missing = await self.plan()
        while missing and all(change.action is Action.INVITE_SERVICE for change in missing):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_LOOKS_EVERY.total_seconds())
            missing = await self.plan()
        if missing:
            first = f"the first in {missing[0].target!r}: {missing[0].detail}"
            raise Failure(f"{len(missing)} changes did not last, {first}; run `keyhouse doctor` to see why")

    def _by_room(self, changes: Sequence[Change]) -> tuple[list[list[Change]], list[list[Change]]]:
        by_slug: dict[str, list[Change]] = {}
        for change in changes:
            by_slug.setdefault(change.slug, []).append(change)
        at_the_top = [of_one for slug, of_one in by_slug.items() if self._rooms[slug].parent is None]
        return at_the_top, [of_one for slug, of_one in by_slug.items() if self._rooms[slug].parent is not None]

    async def _do(self, change: Change) -> None:
        room = self._rooms[change.slug]
        match change.action:
            case Action.CREATE_ROOM:
                await self._create(room)
            case Action.KEEP_SCOPE:
                await asyncio.to_thread(self._write_down, room)
            case Action.SET_CHILD:
                await self._link(room)
            case Action.INVITE_SERVICE:
                assert change.service is not None
                await self._bring_in(change.slug, self._cast.services[change.service])
            case _:
                event_type = STATE_SET_BY[change.action]
                content = wanted_state(room, self._cast)[event_type]
                await self._owner.put_state(self._ids[room.slug], event_type, content)

    async def _create(self, room: PlannedRoom) -> None:
        parent = self._ids[room.parent] if room.parent else None
        mark = room_mark(self._house, room.slug)
        body = {
            "room_version": ROOM_VERSION,
            "preset": "private_chat",
            "visibility": "private",
            "creation_content": create_content(room, mark),
            "initial_state": initial_state(room, parent, self._cast),
        }
        self._ids[room.slug] = await self._owner.create_room(body, once=mark)
        await asyncio.to_thread(self._write_down, room)
        if parent is not None:
            await self._link_child(room, parent)
        for service in services_in(room.kind):
            await self._owner.invite(self._ids[room.slug], self._cast.services[service])

    def _write_down(self, room: PlannedRoom) -> None:
        with self._house.store.writing() as tx:
            tx.rooms.put(room.scope(self._ids[room.slug]))

    async def _link(self, room: PlannedRoom) -> None:
        assert room.parent is not None
        space = self._ids[room.parent]
        await self._link_child(room, space)
        await self._owner.put_state(self._ids[room.slug], PARENT, parent_link(self._cast), space)

    async def _link_child(self, room: PlannedRoom, space: RoomId) -> None:
        link = child_link(place_in_space(self._building, room), self._cast)
        await self._owner.put_state(space, CHILD, link, self._ids[room.slug])

    async def _bring_in(self, slug: str, user_id: UserId) -> None:
        room_id = self._ids[slug]
        if self._seen[slug].membership(user_id) == "invite":
            # The same invitation again would be no event, and nobody would answer it.
            await self._owner.kick(room_id, user_id)
        await self._owner.invite(room_id, user_id)
