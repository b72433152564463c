"""What Synapse says is so: who is in which room. Observed, never decided."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from keyhouse.core.ids import RoomId, UserId


class MembershipState(StrEnum):
    """As in Matrix, with leaving by choice told apart from being removed."""

    INVITED = "invited"
    JOINED = "joined"
    LEFT_BY_CHOICE = "left_by_choice"
    REMOVED = "removed"


INSIDE = frozenset({MembershipState.INVITED, MembershipState.JOINED})

ANSWERED_WITHIN = timedelta(seconds=30)
"""Synapse answers an invitation for the person at once, and gives up after 15 seconds of trying (decision 0005)."""


@dataclass(frozen=True, slots=True)
class Membership:
    """One person's place in one room, as last observed."""

    room_id: RoomId
    person: UserId
    state: MembershipState
    observed_at: datetime

    def is_unanswered(self, now: datetime) -> bool:
        """Say whether this is an invitation that nobody will answer any more."""
        return self.state is MembershipState.INVITED and now - self.observed_at >= ANSWERED_WITHIN


def observed_state(membership: str, person: UserId, sender: UserId) -> MembershipState | None:
    """Name what a membership event says; a knock or an unknown word is None."""
    match membership:
        case "join":
            return MembershipState.JOINED
        case "invite":
            return MembershipState.INVITED
        case "leave":
            return MembershipState.LEFT_BY_CHOICE if person == sender else MembershipState.REMOVED
        case "ban":
            return MembershipState.REMOVED
        case _:
            return None
