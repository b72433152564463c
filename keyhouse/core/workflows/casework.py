"""What clinicians do with a case: take it, let it go, close it."""

from dataclasses import replace
from datetime import datetime

from keyhouse.core.cases import Case, Outcome, claimed, closed, may_act, may_claim, released
from keyhouse.core.ids import CaseNumber, EventId, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.alerting import card_edit


def claim(tx: Transaction, number: CaseNumber, by: UserId, now: datetime) -> Case | Refused:
    """Take a case; of two who try at once exactly one gets it. Taking one's own again changes nothing."""
    case = _to_change(tx, number, by)
    if isinstance(case, Refused):
        return case
    verdict = may_claim(case, by)
    if isinstance(verdict, Refused):
        return verdict
    return case if case.claimed_by == by else _keep(tx, claimed(case, by, now), "case.claimed", by, now)


def release(tx: Transaction, number: CaseNumber, by: UserId, now: datetime) -> Case | Refused:
    """Give a case back, so that a colleague can take it."""
    case = _to_change(tx, number, by)
    if isinstance(case, Refused):
        return case
    if case.claimed_by is None:
        return Refused(Reason.CASE_OPEN)
    return _keep(tx, released(case), "case.released", by, now)


def close(tx: Transaction, number: CaseNumber, outcome: Outcome, by: UserId, now: datetime) -> Case | Refused:
    """End a case with an outcome."""
    case = _to_change(tx, number, by)
    if isinstance(case, Refused):
        return case
    return _keep(tx, closed(case, by, outcome, now), "case.closed", by, now)


def card_sent(tx: Transaction, number: CaseNumber, card: EventId) -> None:
    """Note which event is the case's card, so that reactions to it are understood."""
    case = tx.cases.get(number)
    if case is not None:
        tx.cases.update(replace(case, card=card))


def _to_change(tx: Transaction, number: CaseNumber, by: UserId) -> Case | Refused:
    verdict = may_act(tx.people.get(by))
    if isinstance(verdict, Refused):
        return verdict
    case = tx.cases.get(number)
    if case is None:
        return Refused(Reason.CASE_UNKNOWN)
    return case if case.is_open else Refused(Reason.CASE_CLOSED)


def _keep(tx: Transaction, case: Case, action: str, by: UserId, now: datetime) -> Case:
    tx.cases.update(case)
    tx.outbox.add(card_edit(case, f"{action}:{now.isoformat()}", now), now)
    tx.audit.append(action, actor=by, detail={"case": case.number, "outcome": case.outcome or ""}, now=now)
    return case
