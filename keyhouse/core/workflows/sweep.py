"""Compare keys with memberships and decide what repairs them: what ran out, what failed, what was done behind us."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from keyhouse.core.ids import UserId
from keyhouse.core.memberships import INSIDE
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind
from keyhouse.core.ports import Transaction
from keyhouse.core.workflows.moves import decisions, invitation, removal

AT_MOST = 500
"""People in one sweep. Newcomers wait behind what is decided, so a house that changed whole is repaired in steps."""

AT_ONCE = 25
"""People in one transaction: other processes wait for its end."""

DESKS_AT_ONCE = 100
"""Desks in one sweep into which an account of the house is brought."""

_CAUSE = "sweep"
_UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Astray:
    """People who may stand wrong. next_after: where the next sweep begins, so that nobody is passed over for ever."""

    people: Sequence[UserId]
    next_after: str

    def batches(self) -> list[Sequence[UserId]]:
        """Return them in portions of one transaction."""
        return [self.people[start : start + AT_ONCE] for start in range(0, len(self.people), AT_ONCE)]


def find_astray(tx: Transaction, after: str, now: datetime) -> Astray:
    """Look through the whole house, from a user id on, for people who stand where their keys do not let them."""
    people = tx.memberships.astray(now, AT_MOST, after)
    return Astray(people, people[-1] if len(people) == AT_MOST else "")


def repair(tx: Transaction, people: Sequence[UserId], by: str, now: datetime) -> Counter[OutgoingKind]:
    """Decide what brings these people where their keys say; return how many decisions of each kind were new.

    What is decided and not done yet is not decided again. What was done and did not last is decided again in the
    place of the old decision, so that sweeping every minute leaves no rows behind.
    """
    decided = [decision for user_id in people for decision in _decisions(tx, user_id, now)]
    repaired = Counter(decision.kind for decision in decided if tx.outbox.add_again(decision, now))
    if repaired:
        detail: dict[str, str | int] = {kind.value: count for kind, count in sorted(repaired.items())}
        tx.audit.append("memberships.repaired", actor=by, detail=detail, now=now)
    return repaired


def bring_to_desks(tx: Transaction, service: UserId, now: datetime) -> int:
    """Decide that one of the house's own accounts is invited to desks that are without it; return how many.

    A house of an earlier version has desks that were made before this account was.
    """
    if tx.people.get(service) is None:
        return 0
    desks = tx.memberships.desks_without(service, now, DESKS_AT_ONCE)
    return sum(tx.outbox.add_again(invitation(service, desk, _CAUSE, now, anew=True), now) for desk in desks)


def _decisions(tx: Transaction, user_id: UserId, now: datetime) -> list[NewOutgoing]:
    person, places = tx.people.get(user_id), tx.memberships.of(user_id)
    if person is None:
        return [removal(user_id, place.room_id, _CAUSE, now) for place in places if place.state in INSIDE]
    decided = decisions(tx, person, _CAUSE, now)
    leaving = {decision.content["room_id"] for decision in decided if decision.kind is OutgoingKind.REMOVAL}
    unanswered = [place.room_id for place in places if place.is_unanswered(now) and place.room_id not in leaving]
    return decided + [invitation(user_id, room, _UNANSWERED, now, anew=True) for room in unanswered]
