"""Agreeing to the rules of the house: asked of everybody who came by a referral, and never twice of anybody."""

from dataclasses import replace
from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.core.ports import Transaction


def agree(tx: Transaction, user_id: UserId, version: int, now: datetime) -> bool:
    """Keep that a person agreed to this version of the rules; False when nothing changed by it.

    version: at least 1.  An older version than the one agreed to before changes nothing.
    """
    person = tx.people.get(user_id)
    if person is None or (person.rules_agreed or 0) >= version:
        return False
    tx.people.update(replace(person, rules_agreed=version))
    tx.audit.append("rules.agreed", actor=user_id, detail={"version": version}, now=now)
    return True
