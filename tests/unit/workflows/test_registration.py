"""Referral → account."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keyhouse.core.ids import Condition, ReferralId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.referrals import Referral, ReferralState
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.workflows.registration import (
    Draws,
    ReferralRequest,
    issue,
    may_register,
    present_code,
    redeem,
    revoke,
)
from keyhouse.core.workflows.team import reserve
from keyhouse.storage.memory import MemoryStore
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    EXCLUSIONS,
    KNOWN,
    NOW,
    PERINATAL,
    living_room,
    user,
)

REQUEST = ReferralRequest(Role.PATIENT, frozenset({ANOREXIA}), NOW + timedelta(days=7), "@dr-a:keyhouse.test", "R 17")
DRAWS = Draws(ReferralId("r1"), "river", "hash-1")


def _issue(house: MemoryStore, request: ReferralRequest = REQUEST, draws: Draws = DRAWS) -> Referral | Refused:
    with house.writing() as tx:
        return issue(tx, request, draws, KNOWN, EXCLUSIONS, NOW)


def _redeem(house: MemoryStore, name: str = "river", at: datetime = NOW) -> Person | Refused:
    with house.writing() as tx:
        return redeem(tx, user(name), at)


def test_an_issued_referral_keeps_what_was_asked_and_drawn(house: MemoryStore) -> None:
    issued = _issue(house)

    assert isinstance(issued, Referral)
    assert (issued.role, issued.conditions, issued.pseudonym) == (Role.PATIENT, REQUEST.conditions, "river")
    assert issued.state(NOW) is ReferralState.ISSUED
    with house.reading() as tx:
        assert present_code(tx, "hash-1", NOW) == issued
        assert tx.audit.verify().entries == 1


def test_an_issued_referral_keeps_its_reference_apart(house: MemoryStore) -> None:
    issued = _issue(house, replace(REQUEST, reference="EDS/2027-0417"))

    assert isinstance(issued, Referral)
    with house.reading() as tx:
        assert tx.referrals.reference_of(issued.id) == "EDS/2027-0417"
    assert "0417" not in repr(issued) + repr(replace(REQUEST, reference="EDS/2027-0417"))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        pytest.param(None, Reason.REFERENCE_MISSING, id="none"),
        pytest.param("River Phoenix", Reason.REFERENCE_UNFIT, id="a name"),
    ],
)
def test_a_referral_without_a_record_number_is_refused_and_not_kept(
    house: MemoryStore, reference: str | None, reason: Reason
) -> None:
    refused = _issue(house, replace(REQUEST, reference=reference))

    assert refused == Refused(reason)
    with house.reading() as tx:
        assert tx.referrals.all() == []
    assert isinstance(_issue(house), Referral)


def test_only_a_demonstration_needs_no_reference(house: MemoryStore) -> None:
    issued = _issue(house, replace(REQUEST, reference=None, needs_reference=False))

    assert isinstance(issued, Referral)
    with house.reading() as tx:
        assert tx.referrals.reference_of(issued.id) is None


@pytest.mark.parametrize(
    ("role", "conditions", "reason"),
    [
        pytest.param(Role.CLINICIAN, {ANOREXIA}, Reason.ROLE_NOT_REFERRED, id="a clinician"),
        pytest.param(Role.SERVICE, {ANOREXIA}, Reason.ROLE_NOT_REFERRED, id="a bot"),
        pytest.param(Role.PATIENT, {"flu"}, Reason.CONDITION_UNKNOWN, id="an unknown condition"),
        pytest.param(Role.CARER, set(), Reason.CONDITION_MISSING, id="no condition"),
        pytest.param(Role.PATIENT, {ANOREXIA, BULIMIA}, Reason.CONDITIONS_EXCLUDE, id="two that exclude each other"),
    ],
)
def test_a_referral_that_may_not_be_is_refused_and_not_kept(
    house: MemoryStore, role: Role, conditions: set[Condition], reason: Reason
) -> None:
    refused = _issue(house, replace(REQUEST, role=role, conditions=frozenset(conditions)))

    assert refused == Refused(reason)
    with house.reading() as tx:
        assert tx.referrals.all() == []
    assert isinstance(_issue(house), Referral)


@pytest.mark.parametrize("taken_by", ["a referral", "an account"])
def test_a_name_that_is_taken_asks_for_another_draw(house: MemoryStore, taken_by: str) -> None:
    if taken_by == "a referral":
        _issue(house)
    else:
        with house.writing() as tx:
            reserve(tx, user("river"), Role.CLINICIAN, "Dr River", "host", NOW)

    assert _issue(house, draws=Draws(ReferralId("r2"), "river", "hash-2")) == Refused(Reason.PSEUDONYM_TAKEN)
    assert isinstance(_issue(house, draws=Draws(ReferralId("r2"), "clover", "hash-2")), Referral)


@pytest.mark.parametrize(
    ("code_hash", "now", "reason"),
    [
        pytest.param(None, NOW, Reason.CODE_UNKNOWN, id="text that cannot be a code"),
        pytest.param("hash-9", NOW, Reason.CODE_UNKNOWN, id="a code that nobody knows"),
        pytest.param("hash-1", REQUEST.expires_at, Reason.CODE_EXPIRED, id="runs out this second"),
    ],
)
def test_a_code_that_opens_nothing_is_refused(
    house: MemoryStore, code_hash: str | None, now: datetime, reason: Reason
) -> None:
    _issue(house)

    with house.reading() as tx:
        assert present_code(tx, code_hash, now) == Refused(reason)
        assert isinstance(present_code(tx, "hash-1", REQUEST.expires_at - A_SECOND), Referral)


def test_a_redeemed_referral_gives_a_person_keys_a_desk_and_invitations(house: MemoryStore) -> None:
    _issue(house, replace(REQUEST, conditions=frozenset({ANOREXIA, PERINATAL})))

    moved_in = _redeem(house)

    assert moved_in == Person(user("river"), Role.PATIENT, PersonState.ACTIVE, "river", NOW)
    with house.reading() as tx:
        assert [key.condition for key in tx.people.keys(user("river"))] == [ANOREXIA, PERINATAL]
        decisions = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 99)
        assert present_code(tx, "hash-1", NOW) == Refused(Reason.CODE_USED)
    invited = {row.content["room_id"] for row in decisions if row.kind is OutgoingKind.INVITATION}
    assert invited == {living_room(ANOREXIA).room_id, living_room(PERINATAL).room_id}
    assert [row.kind for row in decisions].count(OutgoingKind.DESK_ROOM) == 1
    assert {row.content["person"] for row in decisions} == {user("river")}


def test_redeeming_twice_changes_nothing(house: MemoryStore) -> None:
    _issue(house)
    first = _redeem(house)
    with house.reading() as tx:
        before = (tx.outbox.undone(Worker.ROOM_GATEKEEPER, NOW), tx.audit.verify().entries)

    second = _redeem(house, at=REQUEST.expires_at)

    with house.reading() as tx:
        assert (tx.outbox.undone(Worker.ROOM_GATEKEEPER, NOW), tx.audit.verify().entries) == before
    assert first == second


@pytest.mark.parametrize(
    ("name", "at", "reason"),
    [
        pytest.param("clover", NOW, Reason.CODE_UNKNOWN, id="a name that nobody reserved"),
        pytest.param("river", REQUEST.expires_at, Reason.CODE_EXPIRED, id="runs out this second"),
    ],
)
def test_an_account_without_a_good_referral_is_nobody(
    house: MemoryStore, name: str, at: datetime, reason: Reason
) -> None:
    _issue(house)

    assert _redeem(house, name, at) == Refused(reason)
    with house.reading() as tx:
        assert tx.people.get(user(name)) is None
    assert isinstance(_redeem(house, at=REQUEST.expires_at - A_SECOND), Person)


def test_only_reserved_names_may_register(house: MemoryStore) -> None:
    _issue(house)
    with house.writing() as tx:
        reserve(tx, user("risk-monitor"), Role.SERVICE, "The watcher", "host", NOW)

    with house.reading() as tx:
        assert may_register(tx, "river", NOW) == Allowed()
        assert may_register(tx, "risk-monitor", NOW) == Allowed()
        assert may_register(tx, "river", REQUEST.expires_at) == Refused(Reason.CODE_EXPIRED)
        assert may_register(tx, "stranger", NOW) == Refused(Reason.CODE_UNKNOWN)
    _redeem(house)
    with house.reading() as tx:
        assert may_register(tx, "river", NOW) == Refused(Reason.CODE_USED)


def test_a_revoked_referral_opens_nothing_and_a_used_one_is_not_revoked(house: MemoryStore) -> None:
    _issue(house)
    _issue(house, draws=Draws(ReferralId("r2"), "clover", "hash-2"))
    _redeem(house, "clover")

    with house.writing() as tx:
        withdrawn = revoke(tx, ReferralId("r1"), "host", NOW)
        again = revoke(tx, ReferralId("r1"), "host", NOW + A_SECOND)
        used = revoke(tx, ReferralId("r2"), "host", NOW)
        unknown = revoke(tx, ReferralId("r3"), "host", NOW)
        shown = present_code(tx, "hash-1", NOW)

    assert isinstance(withdrawn, Referral)
    assert (withdrawn.revoked_at, again, shown) == (NOW, withdrawn, Refused(Reason.CODE_REVOKED))
    assert (used, unknown) == (Refused(Reason.CODE_USED), Refused(Reason.CODE_UNKNOWN))
    assert _redeem(house) == Refused(Reason.CODE_REVOKED)


def test_an_account_is_reserved_once(house: MemoryStore) -> None:
    with house.writing() as tx:
        first = reserve(tx, user("dr"), Role.CLINICIAN, "Dr Clover", "host", NOW)
        entries = tx.audit.verify().entries
        second = reserve(tx, user("dr"), Role.ADMIN, "Another", "host", NOW + A_SECOND)

        assert (first, tx.audit.verify().entries) == (second, entries)
