"""Accounts that no referral makes: the team's and the house's own."""

from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows.moves import follow_keys


def reserve(tx: Transaction, user_id: UserId, role: Role, name: str, by: str, now: datetime) -> Person:
    """Reserve an account before it is made, so that the door lets it be made; doing it twice changes nothing."""
    known = tx.people.get(user_id)
    if known is not None:
        return known
    person = Person(user_id, role, PersonState.ACTIVE, name, now)
    tx.people.add(person)
    tx.audit.append("account.reserved", actor=by, subject=user_id, detail={"role": role.value}, now=now)
    return person


def welcome(tx: Transaction, person: Person, now: datetime) -> int:
    """Invite a team member into every room of the role; return how many invitations were decided."""
    return follow_keys(tx, person, "welcome", now)
