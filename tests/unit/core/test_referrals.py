"""A referral's life, and who is referred at all."""

import re
from dataclasses import replace
from datetime import datetime

import pytest

from keyhouse.core.people import Role
from keyhouse.core.referrals import Referral, ReferralState, may_issue, may_redeem
from keyhouse.core.sentences import SENTENCES, error_code, sentence
from keyhouse.core.verdict import Allowed, Reason, Refused
from tests.support.household import A_SECOND, ANOREXIA, NOW, referral, user

ISSUED = referral("river", ANOREXIA, expires_at=NOW + A_SECOND)
USED = replace(ISSUED, redeemed_at=NOW, redeemed_by=user("river"))
REVOKED = replace(ISSUED, revoked_at=NOW)


@pytest.mark.parametrize(
    ("kept", "now", "state", "verdict"),
    [
        pytest.param(ISSUED, NOW, ReferralState.ISSUED, Allowed(), id="a second before it runs out"),
        pytest.param(ISSUED, NOW + A_SECOND, ReferralState.EXPIRED, Refused(Reason.CODE_EXPIRED), id="this second"),
        pytest.param(REVOKED, NOW, ReferralState.REVOKED, Refused(Reason.CODE_REVOKED), id="revoked"),
        pytest.param(REVOKED, NOW + A_SECOND, ReferralState.REVOKED, Refused(Reason.CODE_REVOKED),
                     id="revoked, and its time is over"),
        pytest.param(USED, NOW, ReferralState.REDEEMED, Refused(Reason.CODE_USED), id="used"),
        pytest.param(replace(USED, revoked_at=NOW), NOW + A_SECOND, ReferralState.REDEEMED, Refused(Reason.CODE_USED),
                     id="used, and everything else"),
    ],
)  # fmt: skip
def test_where_in_its_life_a_referral_is(kept: Referral, now: datetime, state: ReferralState, verdict: object) -> None:
    assert (kept.state(now), may_redeem(kept, now)) == (state, verdict)


def test_a_code_that_nobody_knows_is_refused() -> None:
    assert may_redeem(None, NOW) == Refused(Reason.CODE_UNKNOWN)


@pytest.mark.parametrize("role", list(Role))
def test_patients_carers_and_peers_come_by_a_referral_and_nobody_else(role: Role) -> None:
    referred = role in (Role.PATIENT, Role.CARER, Role.PEER)

    assert may_issue(role) == (Allowed() if referred else Refused(Reason.ROLE_NOT_REFERRED))


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_with_a_next_step_and_a_code(reason: Reason) -> None:
    said = sentence(reason)

    assert set(SENTENCES) == set(Reason)
    assert len(re.split("[.,;] ", said)) >= 2
    assert said.endswith(".")
    assert "\n" not in said
    assert error_code(reason) == f"UK.KEYHOUSE.{reason.name}"
