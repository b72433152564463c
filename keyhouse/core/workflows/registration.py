"""Referral → account: issue, look up, redeem, revoke."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from keyhouse.core.ids import Condition, ReferralId, UserId, localpart
from keyhouse.core.people import Exclusions, Key, Person, PersonState, Role, may_carry
from keyhouse.core.ports import Transaction
from keyhouse.core.referrals import Referral, ReferralState, may_issue, may_redeem, may_refer_as
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.workflows.moves import follow_keys
from keyhouse.core.workflows.naming import is_free


@dataclass(frozen=True, slots=True)
class ReferralRequest:
    """What the team asks for. by: the user id of who asks, or a word such as "host".

    reference: the service's local record number, which only a demonstration may do without.
    """

    role: Role
    conditions: frozenset[Condition]
    expires_at: datetime
    by: str
    reference: str | None = field(default=None, repr=False)
    needs_reference: bool = True


@dataclass(frozen=True, slots=True)
class Draws:
    """What chance gave: a referral id, a name that is to be reserved, the keyed hash of a code."""

    referral_id: ReferralId
    pseudonym: str
    code_hash: str


def issue(
    tx: Transaction,
    request: ReferralRequest,
    draws: Draws,
    known: frozenset[Condition],
    exclusions: Exclusions,
    now: datetime,
) -> Referral | Refused:
    """Keep a new referral and reserve its pseudonym; PSEUDONYM_TAKEN asks for another draw."""
    verdict = _may_ask(request, known, exclusions)
    if isinstance(verdict, Refused):
        return verdict
    if not is_free(tx, draws.pseudonym):
        return Refused(Reason.PSEUDONYM_TAKEN)
    referral = Referral(
        draws.referral_id,
        draws.code_hash,
        request.role,
        request.conditions,
        draws.pseudonym,
        request.by,
        now,
        request.expires_at,
    )
    tx.referrals.add(referral, request.reference)
    tx.audit.append("referral.issued", actor=request.by, detail={"referral": referral.id}, now=now)
    return referral


def _may_ask(request: ReferralRequest, known: frozenset[Condition], exclusions: Exclusions) -> Verdict:
    verdicts = (
        may_issue(request.role),
        may_carry(request.role, request.conditions, known, exclusions),
        may_refer_as(request.reference, needed=request.needs_reference),
    )
    return next((verdict for verdict in verdicts if isinstance(verdict, Refused)), Allowed())


def present_code(tx: Transaction, code_hash: str | None, now: datetime) -> Referral | Refused:
    """Find the referral that a code opens; None is text that cannot be a code."""
    referral = tx.referrals.by_code_hash(code_hash) if code_hash else None
    if referral is None:
        return Refused(Reason.CODE_UNKNOWN)
    verdict = may_redeem(referral, now)
    return verdict if isinstance(verdict, Refused) else referral


def may_register(tx: Transaction, name: str, now: datetime) -> Verdict:
    """Decide whether an account of this localpart may be made: reserved by a good referral, or by the house itself."""
    referral = tx.referrals.by_pseudonym(name)
    if referral is not None:
        return may_redeem(referral, now)
    return Allowed() if tx.people.has_name(name) else Refused(Reason.CODE_UNKNOWN)


def redeem(tx: Transaction, user_id: UserId, now: datetime) -> Person | Refused:
    """Turn the referral that reserved this account's name into a person with keys, a desk and invitations.

    Doing it twice for the same account changes nothing and returns the person.
    """
    referral = tx.referrals.by_pseudonym(localpart(user_id))
    if referral is None:
        return Refused(Reason.CODE_UNKNOWN)
    if referral.redeemed_by == user_id:
        return tx.people.get(user_id) or Refused(Reason.UNKNOWN_PERSON)
    verdict = may_redeem(referral, now)
    if isinstance(verdict, Refused):
        return verdict
    tx.referrals.update(replace(referral, redeemed_at=now, redeemed_by=user_id))
    return _move_in(tx, user_id, referral, now)


def _move_in(tx: Transaction, user_id: UserId, referral: Referral, now: datetime) -> Person:
    person = Person(user_id, referral.role, PersonState.ACTIVE, referral.pseudonym, now)
    tx.people.add(person)
    for condition in sorted(referral.conditions):
        tx.people.grant(Key(user_id, condition, f"referral:{referral.id}", now))
    follow_keys(tx, person, referral.id, now)
    tx.audit.append("referral.redeemed", actor=user_id, detail={"referral": referral.id}, now=now)
    return person


def revoke(tx: Transaction, referral_id: ReferralId, by: str, now: datetime) -> Referral | Refused:
    """Withdraw an unused referral; a used one is refused, because the person has moved in."""
    referral = tx.referrals.get(referral_id)
    if referral is None:
        return Refused(Reason.CODE_UNKNOWN)
    if referral.state(now) is ReferralState.REDEEMED:
        return Refused(Reason.CODE_USED)
    withdrawn = replace(referral, revoked_at=referral.revoked_at or now)
    tx.referrals.update(withdrawn)
    tx.audit.append("referral.revoked", actor=by, detail={"referral": referral.id}, now=now)
    return withdrawn
