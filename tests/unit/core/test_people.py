"""What one person may hold."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.ids import Condition, UserId, localpart
from keyhouse.core.people import REFERRED_ROLES, TEAM_ROLES, Exclusions, Role, held, may_carry, may_hold
from keyhouse.core.verdict import Allowed, Reason, Refused
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    EXCLUSIONS,
    KNOWN,
    NOW,
    PERINATAL,
    key,
)

conditions = st.sampled_from([Condition(letter) for letter in "abcdef"])
pairs = st.sets(conditions, min_size=2, max_size=2).map(frozenset)


@pytest.mark.parametrize(
    ("expires_after", "revoked", "opens"),
    [
        pytest.param(None, False, True, id="no end"),
        pytest.param(A_SECOND, False, True, id="runs out in a second"),
        pytest.param(timedelta(0), False, False, id="runs out this second"),
        pytest.param(-A_SECOND, False, False, id="ran out a second ago"),
        pytest.param(None, True, False, id="revoked"),
    ],
)
def test_a_key_opens_until_its_last_moment(expires_after: timedelta | None, revoked: bool, opens: bool) -> None:
    granted = key("river", ANOREXIA, None if expires_after is None else NOW + expires_after)
    kept = replace(granted, revoked_at=NOW if revoked else None)

    assert kept.opens(NOW) is opens
    assert held([kept, key("river", PERINATAL)], NOW) == ({ANOREXIA, PERINATAL} if opens else {PERINATAL})


@pytest.mark.parametrize(
    ("role", "wanted", "verdict"),
    [
        pytest.param(Role.PATIENT, {ANOREXIA}, Allowed(), id="one condition"),
        pytest.param(Role.PATIENT, {ANOREXIA, PERINATAL}, Allowed(), id="two that go together"),
        pytest.param(Role.PATIENT, {ANOREXIA, BULIMIA}, Refused(Reason.CONDITIONS_EXCLUDE), id="two that exclude"),
        pytest.param(Role.PATIENT, KNOWN, Refused(Reason.CONDITIONS_EXCLUDE), id="an excluding pair among three"),
        pytest.param(Role.PATIENT, {"flu"}, Refused(Reason.CONDITION_UNKNOWN), id="one that is unknown"),
        pytest.param(Role.PATIENT, set(), Refused(Reason.CONDITION_MISSING), id="a patient with none"),
        pytest.param(Role.CARER, set(), Refused(Reason.CONDITION_MISSING), id="a carer with none"),
        pytest.param(Role.PEER, set(), Refused(Reason.CONDITION_MISSING), id="a peer with none"),
        pytest.param(Role.CLINICIAN, set(), Allowed(), id="a clinician with none"),
    ],
)
def test_what_a_person_may_carry(role: Role, wanted: set[Condition], verdict: object) -> None:
    assert may_carry(role, frozenset(wanted), KNOWN, EXCLUSIONS) == verdict


@given(st.frozensets(conditions), st.frozensets(pairs))
def test_nobody_may_hold_both_halves_of_an_excluding_pair(wanted: frozenset[Condition], exclusions: Exclusions) -> None:
    broken = [pair for pair in exclusions if pair <= wanted]

    assert may_hold(wanted, exclusions) == (Refused(Reason.CONDITIONS_EXCLUDE) if broken else Allowed())


@given(st.frozensets(conditions), st.frozensets(pairs))
def test_what_may_be_held_may_also_be_held_in_part(wanted: frozenset[Condition], exclusions: Exclusions) -> None:
    if may_hold(wanted, exclusions) == Allowed():
        for one in wanted:
            assert may_hold(wanted - {one}, exclusions) == Allowed()


def test_who_is_referred_is_never_of_the_team() -> None:
    assert not REFERRED_ROLES & TEAM_ROLES
    assert Role.SERVICE not in REFERRED_ROLES | TEAM_ROLES


@pytest.mark.parametrize(
    ("account", "name"),
    [("@river:keyhouse.test", "river"), ("@river:host:8448", "river"), ("@a.b=c:host", "a.b=c")],
)
def test_the_localpart_ends_at_the_first_colon(account: str, name: str) -> None:
    assert localpart(UserId(account)) == name
