"""A case: one or more alerts of one person, with a number, until a clinician closes it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from keyhouse.core.alerts import Alert
from keyhouse.core.ids import CaseNumber, EventId, RoomId, UserId
from keyhouse.core.people import TEAM_ROLES, Person, PersonState
from keyhouse.core.urgency import Urgency
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict


class CaseState(StrEnum):
    """raised → claimed → closed with an outcome; escalated when nobody took it in time."""

    RAISED = "raised"
    CLAIMED = "claimed"
    ESCALATED = "escalated"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a case ended."""

    SUPPORT = "support"
    SIGNPOSTED = "signposted"
    PLAN = "plan"
    EMERGENCY = "emergency"
    NO_CONCERN = "no-concern"
    FALSE_ALARM = "false-alarm"


@dataclass(frozen=True, slots=True)
class Case:
    """What the team has in hand. Its urgency is that of its most urgent alert.

    care_room: where its card is.  card: the card's event, None until it was sent.
    """

    number: CaseNumber
    author: UserId
    service: str
    care_room: RoomId
    urgency: Urgency
    state: CaseState
    raised_at: datetime
    claimed_by: UserId | None = None
    claimed_at: datetime | None = None
    closed_at: datetime | None = None
    outcome: Outcome | None = None
    card: EventId | None = None
    alerts: tuple[Alert, ...] = ()

    @property
    def is_open(self) -> bool:
        """Say whether somebody still has to do something."""
        return self.state is not CaseState.CLOSED


def case_to_join(open_cases: Iterable[Case], service: str) -> Case | None:
    """Find the person's open case in this service that a further alert belongs to; None means a new case."""
    fitting = [case for case in open_cases if case.is_open and case.service == service]
    return max(fitting, key=lambda case: case.number, default=None)


def with_alert(case: Case, alert: Alert) -> Case:
    """Add a further alert; the case becomes as urgent as its most urgent alert, never less."""
    urgency = max(case.urgency, alert.urgency, key=lambda urgency: urgency.rank)
    return replace(case, urgency=urgency, alerts=(*case.alerts, alert))


def may_act(person: Person | None) -> Verdict:
    """Decide whether this person may act on cases at all."""
    if person is None or person.role not in TEAM_ROLES or person.state is not PersonState.ACTIVE:
        return Refused(Reason.NOT_THE_TEAM)
    return Allowed()


def may_claim(case: Case, by: UserId) -> Verdict:
    """Decide whether this clinician may take the open case; taking one's own again is no fault."""
    return Refused(Reason.CASE_TAKEN) if case.claimed_by not in (None, by) else Allowed()


def claimed(case: Case, by: UserId, now: datetime) -> Case:
    """Return the case as taken; the first claim's time stays."""
    return replace(case, state=CaseState.CLAIMED, claimed_by=by, claimed_at=case.claimed_at or now)


def released(case: Case) -> Case:
    """Return the case as nobody's again."""
    return replace(case, state=CaseState.RAISED, claimed_by=None, claimed_at=None)


def reopened(case: Case) -> Case:
    """Return an ended case as nobody's again, because something of it was not known when it ended."""
    return replace(released(case), closed_at=None, outcome=None)


def closed(case: Case, by: UserId, outcome: Outcome, now: datetime) -> Case:
    """Return the case as ended; who closes an unclaimed one has also claimed it."""
    taken = case if case.claimed_by else claimed(case, by, now)
    return replace(taken, state=CaseState.CLOSED, closed_at=now, outcome=outcome)
