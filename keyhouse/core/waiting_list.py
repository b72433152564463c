"""Who waits for a slot, and how a freed one is offered: held for one person, in the daytime, then for the next."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import OfferId, SlotNumber, UserId
from keyhouse.core.local_time import next_between
from keyhouse.core.slots import Preference, Slot
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

HIGHEST_PRIORITY = 9


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody waits. since: keeps its place in the order also when the preference changes.

    How urgently the team wants this person seen, and how many are before, is not here: nobody is shown a rank.
    """

    person: UserId
    preference: Preference
    since: datetime


class OfferOutcome(StrEnum):
    """How an offer ended. given_back: no offer at all, the person had the slot and is not asked about it again."""

    TAKEN = "taken"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot held for one person. offered_at: from when on the person may be told.  until: then it is free again.

    told_at: when the message was made ready; the whole time of the hold counts from there.
    """

    id: OfferId
    slot: SlotNumber
    person: UserId
    offered_at: datetime
    until: datetime
    told_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: OfferOutcome | None = None

    def holds(self, now: datetime) -> bool:
        """Say whether nobody else may book the slot; at its last moment others may."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class OfferTimes:
    """When somebody is asked, and until when the slot is then held."""

    offered_at: datetime
    until: datetime


def find_offer_times(slot: Slot, rules: BookingRules, now: datetime) -> OfferTimes | None:
    """Find when a freed slot is offered: now or the next morning; None when it begins before an answer could come."""
    offered_at = next_between(now, rules.offers_from, rules.offers_until, rules.zone)
    until = offered_at + rules.hold_for
    return None if slot.withdrawn_at is not None or until > slot.starts_at else OfferTimes(offered_at, until)


def may_have_priority(priority: int) -> Verdict:
    """Decide whether this is a priority: 0 as everybody has, up to the highest."""
    return Allowed() if 0 <= priority <= HIGHEST_PRIORITY else Refused(Reason.PRIORITY_UNKNOWN)
