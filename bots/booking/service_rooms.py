"""In which care room a therapist is told about a session."""

from collections.abc import Mapping

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.memberships import MembershipState
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomScope


class ServiceRooms:
    """conditions: of each service, by its short name."""

    def __init__(self, conditions: Mapping[str, frozenset[Condition]]) -> None:
        self._conditions = conditions

    def of(self, tx: Transaction, therapist: UserId, conditions: frozenset[Condition]) -> RoomId | None:
        """Find the care room of a service that the session is for, and in which the therapist is; else any of theirs.

        Without any of theirs, a care room of the service all the same: somebody else of the team reads it there.
        """
        fitting = sorted(self._conditions, key=lambda service: (not conditions & self._conditions[service], service))
        rooms = [room for service in fitting if (room := tx.rooms.care_room(service)) is not None]
        joined = {place.room_id for place in tx.memberships.of(therapist) if place.state is MembershipState.JOINED}
        theirs: list[RoomScope] = [room for room in rooms if room.room_id in joined]
        found = theirs or rooms
        return found[0].room_id if found else None
