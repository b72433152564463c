"""Load what is known of a person and a room, and ask the rule."""

from datetime import datetime

from keyhouse.core.access import may_come_in
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import REFERRED_ROLES
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason, Refused, Verdict

NOWHERE: frozenset[RoomId] = frozenset()


def decide_entry(
    tx: Transaction, user_id: UserId, room_id: RoomId, now: datetime, standing: frozenset[RoomId] = NOWHERE
) -> Verdict:
    """Decide whether this account may enter, or be invited to, this room now.

    standing: rooms in which Synapse has the account joined; empty also where nobody asks whether it is still leaving.
    """
    person = tx.people.get(user_id)
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    # The team and the house enter without a key. Whoever is in the room already enters nothing.
    leaves_first = person.role in REFERRED_ROLES and room_id not in standing
    known = {scope.room_id: scope for scope in tx.rooms.among({room_id, *(standing if leaves_first else ())})}
    return may_come_in(known.get(room_id), person, tx.people.keys(user_id), known.values(), now)
