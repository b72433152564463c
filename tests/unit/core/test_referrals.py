"""A referral's life, and who is referred at all."""

import re
from dataclasses import replace
from datetime import datetime

import pytest

from keyhouse.core.people import Role
from keyhouse.core.referrals import Referral, ReferralState, may_issue, may_redeem, may_refer_as
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


@pytest.mark.parametrize(
    "reference", ["7", "EDS-2027/0417", "943 476 5919", "RiO.12a", "x" * 63 + "1", "-1", "1.", "A 1/2 - 3"]
)
def test_a_local_record_number_is_taken(reference: str) -> None:
    assert may_refer_as(reference, needed=True) == may_refer_as(reference, needed=False) == Allowed()


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param("", id="nothing"),
        pytest.param("River Phoenix", id="a name"),
        pytest.param("river1970@example.org", id="an address of mail"),
        pytest.param("@river1:keyhouse.test", id="an account"),
        pytest.param("Phoenix, River 1970", id="a comma"),
        pytest.param("x" * 64 + "1", id="one too long"),
        pytest.param("1" * 100_000, id="far too long"),
        pytest.param(" 12", id="a space before"),
        pytest.param("12 ", id="a space after"),
        pytest.param("   ", id="spaces"),
        pytest.param("12\n", id="a line's end"),
        pytest.param("12\x00", id="NUL"),
        pytest.param("12\t3", id="a tabulator"),
        pytest.param("12\u202e34", id="a right-to-left mark"),
        pytest.param("12\u00a034", id="a space that does not break"),
        pytest.param("1\u200b2", id="a space without width"),
        pytest.param("R\u0456O 12", id="a letter that only looks like one of ours"),
        pytest.param("\u0661\u0662", id="digits of another script"),
        pytest.param("12\ud800", id="half of a surrogate pair"),
        pytest.param("12'; DROP TABLE person; --", id="a statement"),
    ],
)
def test_what_is_no_record_number_is_refused(reference: str) -> None:
    assert may_refer_as(reference, needed=True) == Refused(Reason.REFERENCE_UNFIT)
    assert may_refer_as(reference, needed=False) == Refused(Reason.REFERENCE_UNFIT)


@pytest.mark.parametrize("needed", [True, False])
def test_a_missing_reference_is_refused_where_one_is_needed(needed: bool) -> None:
    assert may_refer_as(None, needed=needed) == (Refused(Reason.REFERENCE_MISSING) if needed else Allowed())


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence_with_a_next_step_and_a_code(reason: Reason) -> None:
    said = sentence(reason)

    assert set(SENTENCES) == set(Reason)
    assert len(re.split("[.,;] ", said)) >= 2
    assert said.endswith(".")
    assert "\n" not in said
    assert error_code(reason) == f"UK.KEYHOUSE.{reason.name}"
