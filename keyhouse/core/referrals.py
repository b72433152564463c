"""One person's permission to register."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyhouse.core.ids import Condition, ReferralId, UserId
from keyhouse.core.people import REFERRED_ROLES, Role
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict


class ReferralState(StrEnum):
    """issued → redeemed, or revoked, or expired (issued, and its time is over)."""

    ISSUED = "issued"
    REDEEMED = "redeemed"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Referral:
    """A permission to register once, with the name that the account will have.

    code_hash: keyed hash of the code.  expires_at: until when it may be redeemed; the keys it gives do not run out.
    """

    id: ReferralId
    code_hash: str
    role: Role
    conditions: frozenset[Condition]
    pseudonym: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    redeemed_at: datetime | None = None
    redeemed_by: UserId | None = None
    revoked_at: datetime | None = None

    def state(self, now: datetime) -> ReferralState:
        """Say where in its life the referral is; in its last moment it has expired."""
        if self.redeemed_at is not None:
            return ReferralState.REDEEMED
        if self.revoked_at is not None:
            return ReferralState.REVOKED
        return ReferralState.ISSUED if now < self.expires_at else ReferralState.EXPIRED


_REFUSALS = {
    ReferralState.REDEEMED: Reason.CODE_USED,
    ReferralState.REVOKED: Reason.CODE_REVOKED,
    ReferralState.EXPIRED: Reason.CODE_EXPIRED,
}


def may_redeem(referral: Referral | None, now: datetime) -> Verdict:
    """Decide whether an account may be made on this referral; None is a code that nobody knows."""
    if referral is None:
        return Refused(Reason.CODE_UNKNOWN)
    reason = _REFUSALS.get(referral.state(now))
    return Refused(reason) if reason else Allowed()


def may_issue(role: Role) -> Verdict:
    """Decide whether this role comes in by a referral at all."""
    return Allowed() if role in REFERRED_ROLES else Refused(Reason.ROLE_NOT_REFERRED)


_RECORD_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9/.-]([A-Za-z0-9 /.-]{0,62}[A-Za-z0-9/.-])?")


def may_refer_as(reference: str | None, *, needed: bool) -> Verdict:
    """Decide whether this looks like a local record number; None is a referral without one.

    Only its form is looked at: whether somebody has written a name beside a digit nobody can tell from here.
    """
    if reference is None:
        return Refused(Reason.REFERENCE_MISSING) if needed else Allowed()
    return Allowed() if _RECORD_NUMBER.fullmatch(reference) else Refused(Reason.REFERENCE_UNFIT)
