"""The check of names: who works here is known by the team's mark."""

from keyhouse.core.names import bears_mark
from keyhouse.core.people import TEAM_ROLES, PersonState
from provisioning.answers import House
from provisioning.checks import Check, State


async def names_check(house: House, name: str) -> Check:
    """See that every team account bears the team's mark; in a house of before the mark some do not."""
    with house.store.reading() as tx:
        team = [person for role in sorted(TEAM_ROLES) for person in tx.people.with_role(role)]
    unmarked = [each for each in team if each.state is PersonState.ACTIVE and not bears_mark(each.name)]
    if not unmarked:
        return Check(name, State.OK, "everybody of the team bears the mark")
    said = ", ".join(each.user_id for each in unmarked)
    return Check(
        name, State.WARN, f"without the team's mark: {said}; add it with `keyhouse people rename` and the account"
    )
