"""Who is in which room: asked for at the start, beside the stream, a few rooms at a time.

The stream begins where it ended and tells only what changed; with two thousand rooms, waiting for everything would
keep the first alert of a start waiting too.
"""

import asyncio
from datetime import timedelta

import structlog

from bots.runtime.errors import MatrixAway, MatrixRefused
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.rooms import Rooms

ROOMS_AT_ONCE = 4
AGAIN_AFTER = timedelta(seconds=2)

log = structlog.get_logger()


async def find_rooms(homeserver: Homeserver, rooms: Rooms) -> None:
    """Learn which rooms the bot is in; one question, however many there are."""
    answer = await homeserver.get(path("joined_rooms"))
    rooms.found(str(room_id) for room_id in answer.get("joined_rooms", []))


async def count(homeserver: Homeserver, rooms: Rooms) -> dict[str, frozenset[str]]:
    """Learn who is in each of the bot's rooms, and give it back by room; goes on until it knows."""
    waiting = iter(rooms.ids())

    async def count_some() -> None:
        for room_id in waiting:
            await _count_one(homeserver, rooms, room_id)

    await asyncio.gather(*(count_some() for _ in range(ROOMS_AT_ONCE)))
    return {room_id: frozenset(rooms[room_id].joined) for room_id in rooms.ids()}


async def _count_one(homeserver: Homeserver, rooms: Rooms, room_id: str) -> None:
    while True:
        try:
            answer = await homeserver.get(path("rooms", room_id, "joined_members"))
        except MatrixRefused as refusal:
            if refusal.retry_after is None:
                # The bot is not in it any more; the stream says so too.
                return
            wait = refusal.retry_after
        except MatrixAway:
            wait = AGAIN_AFTER
        else:
            if (room := rooms.get(room_id)) is not None:
                room.found(str(user_id) for user_id in answer.get("joined", {}))
            return
        log.info("census_waits", seconds=wait.total_seconds())
        await asyncio.sleep(wait.total_seconds())
