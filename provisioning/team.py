"""A named account for somebody of the team: reserved, made, given its power, invited."""

import asyncio
import secrets
import unicodedata

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building_plan import Action
from keyhouse.core.ids import UserId
from keyhouse.core.people import TEAM_ROLES, Person, Role
from keyhouse.core.workflows.team import reserve, welcome
from provisioning.answers import Failure, House, now
from provisioning.builder import Builder
from provisioning.held_accounts import signed_in
from provisioning.homeserver import SECRET_FILES

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
LONGEST_NAME = 60


def add_team_member(house: House, role: Role, name: str, by: str = "host") -> tuple[UserId, str]:
    """Make a team account under this name and return its user id and password, which is kept nowhere.

    The concierge invites it into its rooms.
    """
    if role not in TEAM_ROLES:
        raise Failure(f"a {role.value} has no named account; issue a code with `keyhouse referral issue`")
    words = " ".join(name.split())
    if not 0 < len(words) <= LONGEST_NAME:
        raise Failure(f"a name has 1 to {LONGEST_NAME} letters; choose another with --name")
    user_id = UserId(house.settings.user_id(f"{_as_localpart(words)}-{_drawn(4)}"))
    return user_id, asyncio.run(_add(house, user_id, role, f"{words} (team)", by))


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
