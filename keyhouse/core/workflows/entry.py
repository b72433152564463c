"""Load what is known of a person and a room, and ask the rule."""

from datetime import datetime

from keyhouse.core.access import may_join
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Verdict


def decide_entry(tx: Transaction, user_id: UserId, room_id: RoomId, now: datetime) -> Verdict:
    """Decide whether this account may enter, or be invited to, this room now."""
    person = tx.people.get(user_id)
    keys = tx.people.keys(user_id) if person else ()
    return may_join(tx.rooms.get(room_id), person, keys, now)
