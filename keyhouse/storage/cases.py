"""Cases with their alerts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, Select, select, update

from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case, CaseState, Outcome
from keyhouse.core.ids import CaseNumber, EventId, RoomId, UserId
from keyhouse.core.urgency import Urgency
from keyhouse.storage.tables import alert, care_case
from keyhouse.storage.work import Work


class SqlCases:
    """Keeps cases in the table `care_case` and their alerts in `alert`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, number: CaseNumber) -> Case | None:
        """Find a case by its number."""
        return self._one(select(care_case).where(care_case.c.number == number))

    def by_card(self, card: EventId) -> Case | None:
        """Find the case whose card this event is."""
        return self._one(select(care_case).where(care_case.c.card == card))

    def by_event(self, event_id: EventId) -> Case | None:
        """Find the case in which this event is an alert, open or closed."""
        where = select(alert.c.case_number).where(alert.c.event_id == event_id).scalar_subquery()
        return self._one(select(care_case).where(care_case.c.number == where))

    def open_of(self, author: UserId) -> Sequence[Case]:
        """The person's open cases, one for each service at most."""
        query = select(care_case).where(care_case.c.author == author, care_case.c.closed_at.is_(None))
        return self._with_alerts(self._work.all(query.order_by(care_case.c.number)))

    def listed(self, *, only_open: bool, limit: int) -> Sequence[Case]:
        """Newest first."""
        query = select(care_case).order_by(care_case.c.number.desc()).limit(limit)
        return self._with_alerts(self._work.all(query.where(care_case.c.closed_at.is_(None)) if only_open else query))

    def has_alert(self, event_id: EventId) -> bool:
        """Say whether this event was raised before."""
        return self._work.scalar(select(alert.c.id).where(alert.c.event_id == event_id)) is not None

    def add(self, case: Case) -> Case:
        """Keep a new case with its alerts; its number is given here (the argument's is ignored)."""
        number = self._work.added(care_case.insert().values(**_values(case)).returning(care_case.c.number))
        numbered = replace(case, number=CaseNumber(number))
        self._add_alerts(numbered.number, numbered.alerts)
        return numbered

    def update(self, case: Case) -> None:
        """Keep the case as it is now; alerts that are new are added."""
        self._work.change(update(care_case).where(care_case.c.number == case.number).values(**_values(case)))
        query = select(alert.c.event_id).where(alert.c.case_number == case.number)
        kept = {row.event_id for row in self._work.all(query)}
        self._add_alerts(case.number, [new for new in case.alerts if new.event_id not in kept])

    def correct(self, known: Alert) -> None:
        """Keep of a known alert what is known now: urgency, category and rules."""
        values = {"urgency": known.urgency.value, "category": known.category, "rules": list(known.rules)}
        self._work.change(update(alert).where(alert.c.event_id == known.event_id).values(**values))

    def _add_alerts(self, number: CaseNumber, alerts: Sequence[Alert]) -> None:
        self._work.change(alert.insert(), [_alert_values(number, new) for new in alerts])

    def _one(self, query: Select[Any]) -> Case | None:
        row = self._work.one(query)
        return self._with_alerts([row])[0] if row else None

    def _with_alerts(self, rows: Sequence[Row[Any]]) -> list[Case]:
        """Add to each case its alerts, newest last, with one query for all of them."""
        if not rows:
            return []
        query = select(alert).where(alert.c.case_number.in_([row.number for row in rows]))
        alerts: dict[int, list[Alert]] = defaultdict(list)
        for row in self._work.all(query.order_by(alert.c.case_number, alert.c.id)):
            alerts[row.case_number].append(_alert(row))
        return [_case(row, tuple(alerts[row.number])) for row in rows]


def _values(case: Case) -> dict[str, Any]:
    return {
        "author": case.author,
        "service": case.service,
        "care_room": case.care_room,
        "urgency": case.urgency.value,
        "state": case.state.value,
        "raised_at": case.raised_at,
        "claimed_by": case.claimed_by,
        "claimed_at": case.claimed_at,
        "closed_at": case.closed_at,
        "outcome": case.outcome.value if case.outcome else None,
        "card": case.card,
    }


def _alert_values(number: CaseNumber, new: Alert) -> dict[str, Any]:
    return {
        "case_number": number,
        "event_id": new.event_id,
        "room_id": new.room_id,
        "author": new.author,
        "urgency": new.urgency.value,
        "category": new.category,
        "rules": list(new.rules),
        "raised_at": new.raised_at,
    }


def _alert(row: Row[Any]) -> Alert:
    return Alert(
        event_id=EventId(row.event_id),
        room_id=RoomId(row.room_id),
        author=UserId(row.author),
        urgency=Urgency(row.urgency),
        category=row.category,
        rules=tuple(row.rules),
        raised_at=row.raised_at,
    )


def _case(row: Row[Any], alerts: tuple[Alert, ...]) -> Case:
    return Case(
        number=CaseNumber(row.number),
        author=UserId(row.author),
        service=row.service,
        care_room=RoomId(row.care_room),
        urgency=Urgency(row.urgency),
        state=CaseState(row.state),
        raised_at=row.raised_at,
        claimed_by=UserId(row.claimed_by) if row.claimed_by else None,
        claimed_at=row.claimed_at,
        closed_at=row.closed_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        card=EventId(row.card) if row.card else None,
        alerts=alerts,
    )
