"""A named account for somebody of the team: reserved, made, given its power, invited."""

import asyncio
import secrets
import unicodedata

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building_plan import Action
from keyhouse.core.ids import UserId
from keyhouse.core.names import team_name
from keyhouse.core.people import TEAM_ROLES, Person, Role
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.team import reserve, welcome
from provisioning.answers import Failure, House, now
from provisioning.builder import Builder
from provisioning.held_accounts import signed_in
from provisioning.homeserver import SECRET_FILES

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def add_team_member(house: House, role: Role, name: str, by: str = "host") -> tuple[UserId, str]:
    """Make a team account under this name, with the team's mark, and return its user id and password.

    The password is kept nowhere. The concierge invites the account into its rooms.
    """
    if role not in TEAM_ROLES:
        raise Failure(f"a {role.value} has no named account; issue a code with `keyhouse referral issue`")
    marked_name = team_name(name)
    if isinstance(marked_name, Refused):
        raise Failure(_why_not(marked_name.reason))
    user_id = UserId(house.settings.user_id(f"{_as_localpart(name)}-{_drawn(4)}"))
    return user_id, asyncio.run(_add(house, user_id, role, marked_name, by))


def _why_not(reason: Reason) -> str:
    if reason is Reason.NAME_OF_TEAM:
        return (
            "a name holds neither the team's mark, which is added by itself, nor what a program is called; see --name"
        )
    return sentence(reason)


async def _add(house: House, user_id: UserId, role: Role, name: str, by: str) -> str:
    password = "-".join(_drawn(5) for _ in range(4))
    # Signed in first: when the homeserver is away nothing has been reserved.
    async with signed_in(house.settings.homeserver, house.directory.account(ServiceAccount.OWNER)) as owner:
        person = await asyncio.to_thread(_reserve, house, user_id, role, name, by)
        secret = (house.directory.homeserver / SECRET_FILES["registration_shared_secret_path"]).read_text().strip()
        await owner.register(user_id[1:].partition(":")[0], password, secret, name=name)
        builder = Builder(house, house.building(), owner)
        changes = [change for change in await builder.plan() if change.action is Action.SET_POWER]
        await builder.do(changes, lambda done, of: None)
    await asyncio.to_thread(_welcome, house, person)
    return password


def _reserve(house: House, user_id: UserId, role: Role, name: str, by: str) -> Person:
    with house.store.writing() as tx:
        return reserve(tx, user_id, role, name, by, now())


def _welcome(house: House, person: Person) -> None:
    with house.store.writing() as tx:
        welcome(tx, person, now())


def _as_localpart(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split())[:40] or "team"


def _drawn(letters: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(letters))
