"""Checks that ask the homeserver: addresses, clock, the door."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from provisioning.answers import House
from provisioning.checks import Check, State, check

CLOCK_MAY_DIFFER = timedelta(seconds=30)
_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=5)
_REGISTER = "/_matrix/client/v3/register"
# The door's own error codes begin so; Synapse's own checker of codes never answers with one.
_THE_DOOR_SAYS = "UK.KEYHOUSE."
_NO_CODE = "doctor"


async def homeserver_check(house: House, name: str) -> Check:
    """Ask the homeserver whether it is well."""
    url = house.settings.homeserver
    async with _asking() as http, http.get(f"{url}/health") as response:
        return check(name, response.status == 200, f"answers at {url}", f"answers {response.status}; see its log")


async def front_door_check(house: House, name: str) -> Check:
    """Ask for the front door's page."""
    url = house.settings.front_door
    async with _asking() as http, http.get(url) as response:
        bad = f"answers {response.status}; see logs/front_door.log"
        return check(name, response.status == 200, f"answers at {url}", bad)


async def clock_check(house: House, name: str) -> Check:
    """Compare the homeserver's clock with ours."""
    async with _asking() as http, http.get(f"{house.settings.homeserver}/_matrix/client/versions") as response:
        theirs = parsedate_to_datetime(response.headers["Date"])
    differs = abs(datetime.now(UTC) - theirs)
    seconds = f"{differs.total_seconds():.0f} s from the homeserver's"
    return check(name, differs <= CLOCK_MAY_DIFFER, seconds, f"{seconds}; let both machines set their clocks (NTP)")


async def door_check(house: House, name: str) -> Check:
    """Present something that is no code, and see that our own door answers, not Synapse."""
    url = house.settings.homeserver + _REGISTER
    async with _asking() as http:
        async with http.post(url, json={}) as response:
            session = (await response.json()).get("session", "")
        step = {"type": "m.login.registration_token", "token": _NO_CODE, "session": session}
        async with http.post(url, json={"auth": step}) as response:
            errcode = str((await response.json()).get("errcode", ""))
    if errcode == "M_LIMIT_EXCEEDED":
        return Check(name, State.WARN, "too many registrations just now to look; try again in a minute")
    bad = "Synapse does not use our door: anybody's codes are its own; run `keyhouse down` and `keyhouse up`"
    return check(name, errcode.startswith(_THE_DOOR_SAYS), "answers to codes, and refuses what is none", bad)


def _asking() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=_ANSWERS_WITHIN)
