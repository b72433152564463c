"""Ways by which somebody outside would read. Synapse asks nobody about them, so they are closed because rooms are."""

from collections.abc import Awaitable, Callable

from tests.support.house_with_door import CLIENT
from tests.support.synapse import Answer
from tests.synapse.routes_outcomes import ALLOWED, Outcome, Part, Route, closed
from tests.synapse.routes_setting import Setting, Who

Asks = Callable[[Setting, Who], Awaitable[Answer]]


def _reads(path: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        return await setting.request(who, "GET", path.format(room=await setting.talk()))

    return ask


_OUTSIDE = (Who.WITHOUT_KEY, Who.EXCLUDED, Who.REVOKED, Who.EXPIRED, Who.CLOSED, Who.SERVER_ADMIN, Who.UNKNOWN)


def _inside_alone(name: str, path: str, told: Outcome | None = None, *but: Who) -> Route:
    outside = {who: told or closed() for who in _OUTSIDE if who not in but}
    return Route(
        Part.READING,
        name,
        _reads(path),
        {Who.WITH_KEY: ALLOWED, Who.CLINICIAN: ALLOWED, Who.ADMIN_WITH_KEY: ALLOWED, **outside},
    )


_ROOM = f"{CLIENT}/rooms/{{room}}"

READING = [
    _inside_alone("read what was said", f"{_ROOM}/messages?dir=b"),
    _inside_alone("read who is in a room", f"{_ROOM}/members"),
    _inside_alone("read who is in a room now", f"{_ROOM}/joined_members"),
    _inside_alone("read a room at once", f"{_ROOM}/initialSync"),
    _inside_alone("read a room's name", f"{_ROOM}/state/m.room.name/"),
    _inside_alone("read a room's outline", "/_matrix/client/v1/rooms/{room}/hierarchy"),
    _inside_alone("read a room's summary", "/_matrix/client/v1/room_summary/{room}", closed("M_NOT_FOUND", 404)),
    _inside_alone("read a moment of a room", "/_matrix/client/v1/rooms/{room}/timestamp_to_event?ts=1&dir=f"),
    _inside_alone("read a room's addresses", f"{_ROOM}/aliases", None, Who.SERVER_ADMIN),
    _inside_alone("read the threads of a room", "/_matrix/client/v1/rooms/{room}/threads"),
]
