"""Who is in the house, and the keys they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyhouse.core.ids import Condition, UserId
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict


class Role(StrEnum):
    """What somebody is in the house. Not a power level."""

    PATIENT = "patient"
    CARER = "carer"
    PEER = "peer"
    CLINICIAN = "clinician"
    GUARDIAN = "guardian"
    STAFF = "staff"
    ADMIN = "admin"
    SERVICE = "service"


REFERRED_ROLES = frozenset({Role.PATIENT, Role.CARER, Role.PEER})
"""Roles that come in by a referral, under a reserved pseudonym, each with a desk room."""

TEAM_ROLES = frozenset({Role.CLINICIAN})
"""Roles that enter shared patient rooms without holding a condition."""


class PersonState(StrEnum):
    """active; paused: may read, and write in the desk room; closed: has left."""

    ACTIVE = "active"
    PAUSED = "paused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Person:
    """One account of the house. Who it is outside is not here and nowhere near."""

    user_id: UserId
    role: Role
    state: PersonState
    name: str
    """What others see: the pseudonym, or a team member's or service's name."""
    since: datetime
    rules_agreed: int | None = None
    """The version of the rules of the house that the person agreed to last; None: to none yet."""


@dataclass(frozen=True, slots=True)
class Key:
    """A person holds a condition, from a source, until it expires or is revoked."""

    person: UserId
    condition: Condition
    source: str
    granted_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def opens(self, now: datetime) -> bool:
        """Say whether the key is good at this moment; at its last moment it is not."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def held(keys: Iterable[Key], now: datetime) -> frozenset[Condition]:
    """Return the conditions that these keys open now."""
    return frozenset(key.condition for key in keys if key.opens(now))


Exclusions = frozenset[frozenset[Condition]]
"""Pairs of conditions that nobody holds at once."""


def may_hold(conditions: frozenset[Condition], exclusions: Exclusions) -> Verdict:
    """Decide whether one person may hold all of these conditions at once. Empty is allowed."""
    if any(pair <= conditions for pair in exclusions):
        return Refused(Reason.CONDITIONS_EXCLUDE)
    return Allowed()


def may_carry(
    role: Role,
    conditions: frozenset[Condition],
    known: frozenset[Condition],
    exclusions: Exclusions,
    *,
    override_exclusion: bool = False,
) -> Verdict:
    """Decide whether a person of this role may be given these conditions.

    known: the conditions of the building.  Patients, carers and peers need at least one.  override_exclusion: a
    clinician has decided that this one person holds conditions that are never held together.
    """
    if conditions - known:
        return Refused(Reason.CONDITION_UNKNOWN)
    if role in REFERRED_ROLES and not conditions:
        return Refused(Reason.CONDITION_MISSING)
    return Allowed() if override_exclusion else may_hold(conditions, exclusions)
