"""A drawn name belongs to one person, for ever: also when it was given away, or its owner has left."""

from keyhouse.core.names import may_be_given
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Allowed


def name_key(name: str) -> str:
    """Return the key under which the giving of this name to somebody who lives here is remembered."""
    return f"name:{name}"


def is_free(tx: Transaction, name: str) -> bool:
    """Say whether this name was never reserved nor given, and can be taken for nobody of the team or the house.

    name: as it is drawn, in plain small letters and digits, so that no two names differ in look-alikes alone.
    """
    if tx.referrals.by_pseudonym(name) is not None or tx.people.has_name(name) or tx.outbox.known(name_key(name)):
        return False
    return isinstance(may_be_given(name), Allowed)
