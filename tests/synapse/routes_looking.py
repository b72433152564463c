"""Ways by which somebody would find out who else is here."""

from collections.abc import Awaitable, Callable

from tests.support.house_with_door import CLIENT
from tests.support.synapse import Answer
from tests.synapse.routes_outcomes import ALLOWED, HOUSE_DOES_THIS, Part, Route, closed, everybody
from tests.synapse.routes_setting import Setting, Who

Asks = Callable[[Setting, Who], Awaitable[Answer]]

_PEOPLE = (Who.WITH_KEY, Who.WITHOUT_KEY, Who.REVOKED, Who.CLINICIAN)
_ADMINS = (Who.SERVER_ADMIN, Who.ADMIN_WITH_KEY, Who.CARETAKER)


def _looks_up(path: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        talk = await setting.talk()
        stranger, neighbour = setting.people[Who.EXCLUDED].user_id, setting.people[Who.ADMIN_WITH_KEY].user_id
        return await setting.request(who, "GET", path.format(stranger=stranger, neighbour=neighbour, talk=talk))

    return ask


async def _search(setting: Setting, who: Who) -> Answer:
    return await setting.request(who, "POST", f"{CLIENT}/user_directory/search", {"search_term": "fern"})


LOOKING = [
    Route(Part.LOOKING, "look up the name of somebody in one's room", _looks_up(f"{CLIENT}/profile/{{neighbour}}"),
          dict.fromkeys((Who.WITH_KEY, Who.CLINICIAN), ALLOWED)),
    Route(Part.LOOKING, "look up the name of a stranger", _looks_up(f"{CLIENT}/profile/{{stranger}}"),
          dict.fromkeys(_PEOPLE, closed())),
    Route(Part.LOOKING, "search for people", _search, everybody(HOUSE_DOES_THIS),
          twin="look up the name of somebody in one's room"),
    Route(Part.LOOKING, "list everybody as server admins do", _looks_up("/_synapse/admin/v2/users"),
          {**everybody(closed(), *_ADMINS), **dict.fromkeys(_ADMINS, ALLOWED)}),
    Route(Part.LOOKING, "read a room as server admins do", _looks_up("/_synapse/admin/v1/rooms/{talk}/messages"),
          {**everybody(closed(), *_ADMINS), **dict.fromkeys(_ADMINS, ALLOWED)}),
]  # fmt: skip
