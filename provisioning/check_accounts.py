"""The check of accounts: whoever lives here is heard, so the homeserver hinders nobody whom the house lets write."""

import asyncio
from urllib.parse import quote

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.people import PersonState
from provisioning.answers import House
from provisioning.checks import Check, State
from provisioning.held_accounts import signed_in
from provisioning.matrix import Homeserver, HomeserverRefused

HINDRANCES = ("shadow_banned", "suspended", "locked", "deactivated")
"""What Synapse's administrator can do to an account; words of one that is shadow-banned vanish and nobody is told."""

_NAMED = 3
_ASKED_AT_ONCE = 6


async def accounts_check(house: House, name: str) -> Check:
    """See that the homeserver holds back nobody who is active here. One request for each: its list leaves out some."""
    with house.store.reading() as tx:
        active = sorted(each.user_id for each in tx.people.all() if each.state is not PersonState.CLOSED)
    caretaker = house.directory.account(ServiceAccount.CARETAKER)
    async with signed_in(house.settings.homeserver, caretaker) as homeserver:
        hindered = await _hindered(homeserver, active)
    if not hindered:
        return Check(name, State.OK, "the homeserver holds back nobody who lives here")
    return Check(name, State.FAIL, _said(hindered))


def _said(hindered: list[UserId]) -> str:
    named = ", ".join(hindered[:_NAMED]) + (", …" if len(hindered) > _NAMED else "")
    return (
        f"{len(hindered)} who may write here cannot be heard, because Synapse has shadow-banned, suspended, locked or "
        f"deactivated them: {named}; lift that with Synapse's admin API, or for one who has gone run "
        "`keyhouse people close` with the account"
    )


async def _hindered(homeserver: Homeserver, people: list[UserId]) -> list[UserId]:
    places = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def is_hindered(user_id: UserId) -> bool:
        async with places:
            return await _is_hindered(homeserver, user_id)

    answers = await asyncio.gather(*map(is_hindered, people))
    return [user_id for user_id, hindered in zip(people, answers, strict=True) if hindered]


async def _is_hindered(homeserver: Homeserver, user_id: UserId) -> bool:
    try:
        account = await homeserver.request("GET", f"/_synapse/admin/v2/users/{quote(user_id, safe='')}")
    except HomeserverRefused as refused:
        if refused.status != 404:
            raise
        # Reserved for somebody who has not come yet.
        return False
    return any(account.get(hindrance) for hindrance in HINDRANCES)
