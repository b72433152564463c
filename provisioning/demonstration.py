"""The one unused patient code of a demonstration house, new at every start."""

from datetime import UTC, datetime

from keyhouse.core.ids import Condition
from keyhouse.core.people import Role
from keyhouse.core.referrals import ReferralState
from keyhouse.core.workflows import registration
from provisioning.answers import House
from provisioning.referrals import IssuedReferral, issue_referrals

ISSUED_BY = "demonstration"
CONDITION = Condition("anorexia")


def fresh_code(house: House) -> IssuedReferral:
    """Issue this start's patient code; an unused one of an earlier start is withdrawn, for nobody has it any more."""
    _withdraw_unused(house)
    return issue_referrals(house, Role.PATIENT, frozenset({CONDITION}), [None], by=ISSUED_BY)[0]


def _withdraw_unused(house: House) -> None:
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        for referral in tx.referrals.all():
            if referral.issued_by == ISSUED_BY and referral.state(now) is ReferralState.ISSUED:
                registration.revoke(tx, referral.id, ISSUED_BY, now)
