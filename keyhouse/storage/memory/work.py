"""What the house does and has done, in memory."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from keyhouse.core.alerts import Alert
from keyhouse.core.audit import GENESIS, AuditEntry, AuditFinding, link, pseudonymous
from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber, EventId, OutgoingId, UserId
from keyhouse.core.outgoing import CLOCKS_MAY_DIFFER, DECIDED_ONCE, NewOutgoing, Outgoing, Worker, lane_of, rank_of
from keyhouse.core.ports import Heartbeat
from keyhouse.storage.memory.shelves import Done, Shelves, only_once

_SEVERAL = "several"
_AUDIT_KEY = b"kept nowhere, so nothing to protect"


class MemoryCases:
    """Cases with their alerts."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, number: CaseNumber) -> Case | None:
        """Find a case by its number."""
        return self._shelves.cases.get(number)

    def by_card(self, card: EventId) -> Case | None:
        """Find the case whose card this event is."""
        return next((case for case in self._shelves.cases.values() if case.card == card), None)

    def by_event(self, event_id: EventId) -> Case | None:
        """Find the case in which this event is an alert, open or closed."""
        cases = self._shelves.cases.values()
        return next((case for case in cases if any(alert.event_id == event_id for alert in case.alerts)), None)

    def open_of(self, author: UserId) -> Sequence[Case]:
        """The person's open cases."""
        return [case for case in self._shelves.cases.values() if case.author == author and case.is_open]

    def listed(self, *, only_open: bool, limit: int) -> Sequence[Case]:
        """Newest first."""
        newest_first = [self._shelves.cases[number] for number in sorted(self._shelves.cases, reverse=True)]
        return [case for case in newest_first if case.is_open or not only_open][:limit]

    def has_alert(self, event_id: EventId) -> bool:
        """Say whether this event was raised before."""
        return event_id in self._shelves.alerts

    def add(self, case: Case) -> Case:
        """Keep a new case with its alerts; its number is given here."""
        only_once(case.is_open and any(case.service == other.service for other in self.open_of(case.author)))
        numbered = replace(case, number=CaseNumber(len(self._shelves.cases) + 1))
        self._keep(numbered, known=frozenset())
        return numbered

    def update(self, case: Case) -> None:
        """Keep the case as it is now."""
        self._keep(case, known=frozenset(alert.event_id for alert in self._shelves.cases[case.number].alerts))

    def correct(self, known: Alert) -> None:
        """Keep of a known alert what is known now: urgency, category and rules."""
        case = self.by_event(known.event_id)
        before = self._shelves.alerts.get(known.event_id)
        if case is None or before is None:
            return
        now = replace(before, urgency=known.urgency, category=known.category, rules=known.rules)
        alerts = tuple(now if alert.event_id == known.event_id else alert for alert in case.alerts)
        self._shelves.alerts[known.event_id] = now
        self._shelves.cases[case.number] = replace(case, alerts=alerts)

    def _keep(self, case: Case, known: frozenset[EventId]) -> None:
        for alert in case.alerts:
            only_once(alert.event_id in self._shelves.alerts and alert.event_id not in known)
            self._shelves.alerts[alert.event_id] = alert
        self._shelves.cases[case.number] = case


class MemoryOutbox:
    """Decisions to be done."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def add(self, new: NewOutgoing, now: datetime) -> bool:
        """Keep a decision; False when an equal one is there already, done or not."""
        if new.once in self._shelves.once:
            return False
        number = OutgoingId(max(self._shelves.once.values(), default=0) + 1)
        self._shelves.once[new.once] = number
        self._shelves.outgoing[number] = Outgoing(
            id=number,
            kind=new.kind,
            worker=new.worker,
            once=new.once,
            content=dict(new.content),
            due_at=new.due_at,
            created_at=now,
            txn_id=secrets.token_hex(16),
            tries=0,
        )
        return True

    def add_all(self, decisions: Sequence[NewOutgoing], now: datetime) -> int:
        """Keep decisions; return how many of them were not there already."""
        return sum(self.add(new, now) for new in decisions)

    def add_again(self, new: NewOutgoing, now: datetime) -> bool:
        """Keep a decision also when an equal one is done, in its place; False while an equal one is to be done."""
        if self._shelves.once.get(new.once) not in self._shelves.outgoing:
            self._shelves.once.pop(new.once, None)
            self._shelves.done.pop(new.once, None)
        return self.add(new, now)

    def due(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Undone decisions whose time has come, oldest first."""
        return [row for row in self._undone(worker) if row.due_at <= now][:limit]

    def ready(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Of each lane the oldest due decision, the most urgent first, then the longest due."""
        heads: dict[str, Outgoing | None] = {}
        for row in sorted(self._undone(worker), key=lambda row: row.id):
            if row.due_at <= now:
                heads.setdefault(lane_of(row), row)
            elif self._shelves.holding_up.get(row.id):
                heads.setdefault(lane_of(row), None)
        ready = [row for row in heads.values() if row is not None]
        return sorted(ready, key=lambda row: (rank_of(row.kind), row.due_at, row.id))[:limit]

    def next_due_at(self, worker: Worker) -> datetime | None:
        """When the next undone decision is due."""
        return next((row.due_at for row in self._undone(worker)), None)

    def done(self, outgoing_id: OutgoingId, now: datetime) -> None:
        """Mark as done: only its `once` stays."""
        row = self._shelves.outgoing.pop(outgoing_id, None)
        if row is not None:
            self._shelves.done[row.once] = Done(row.kind, row.worker, now)
        self._shelves.tried_by.pop(outgoing_id, None)
        self._shelves.holding_up.pop(outgoing_id, None)
        self._shelves.failing_since.pop(outgoing_id, None)

    def postpone(
        self,
        outgoing_id: OutgoingId,
        until: datetime,
        fault: str,
        *,
        holds_up: bool = False,
        failed_at: datetime | None = None,
    ) -> None:
        """Try again later, and count the try; of failures one after the other the first one's moment is kept."""
        row = self._shelves.outgoing.get(outgoing_id)
        if row is None:
            return
        self._shelves.holding_up[outgoing_id] = holds_up
        self._shelves.outgoing[outgoing_id] = replace(row, due_at=until, tries=row.tries + 1)
        if failed_at is None:
            self._shelves.failing_since.pop(outgoing_id, None)
        else:
            self._shelves.failing_since.setdefault(outgoing_id, failed_at)

    def failing_since(self, worker: Worker) -> datetime | None:
        """Since when the undone decision that has failed for the longest fails; None when none does."""
        fails = self._shelves.failing_since
        return min((fails[row.id] for row in self._undone(worker) if row.id in fails), default=None)

    def hasten(self, once: str, now: datetime) -> None:
        """Make a waiting decision due now, its tries counted anew; one that is done or due already stays as it is."""
        row = self._shelves.outgoing.get(self._shelves.once.get(once, OutgoingId(0)))
        if row is not None and row.due_at > now:
            self._shelves.outgoing[row.id] = replace(row, due_at=now, tries=0)

    def undone(self, worker: Worker, now: datetime) -> int:
        """How many decisions are due and not done."""
        return sum(row.due_at <= now for row in self._undone(worker))

    def trying(self, outgoing_id: OutgoingId, device_id: str) -> str | None:
        """Keep which device is about to try; return the device that tried before, None when nobody has."""
        before = self._shelves.tried_by.get(outgoing_id)
        after = device_id if before in (None, device_id) else _SEVERAL
        self._shelves.tried_by[outgoing_id] = after
        return before and after

    def known(self, once: str) -> bool:
        """Say whether a decision under this key is there, done or not."""
        return once in self._shelves.once

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many that were done before this moment, and return how many; what is decided once stays."""
        done = ((once, row) for once, row in self._shelves.done.items() if row.kind not in DECIDED_ONCE)
        old = [once for once, row in done if row.worker is worker and row.done_at < before][:limit]
        for once in old:
            del self._shelves.once[once], self._shelves.done[once]
        return len(old)

    def _undone(self, worker: Worker) -> list[Outgoing]:
        rows = (row for row in self._shelves.outgoing.values() if row.worker is worker)
        return sorted(rows, key=lambda row: (row.due_at, row.id))


class MemoryLeases:
    """The right of one process at a time to drain."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def take(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> bool:
        """Take or renew the lease; False while another holder's has not run out, if the clock was not set back."""
        held = self._shelves.leases.get(worker)
        if held is not None and held[0] != holder and now < held[1] <= now + lasts + CLOCKS_MAY_DIFFER:
            return False
        self._shelves.leases[worker] = (holder, now + lasts)
        return True

    def seize(self, worker: Worker, holder: str, now: datetime, lasts: timedelta) -> None:
        """Take the lease from whoever holds it."""
        self._shelves.leases[worker] = (holder, now + lasts)

    def release(self, worker: Worker, holder: str) -> None:
        """Let the next one take it at once; somebody else's lease stays."""
        if self._shelves.leases.get(worker, ("",))[0] == holder:
            del self._shelves.leases[worker]


class MemoryAudit:
    """The chain; there is nobody who could tamper with it."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def append(
        self,
        action: str,
        *,
        actor: str,
        subject: str = "",
        detail: Mapping[str, str | int] | None = None,
        now: datetime,
    ) -> None:
        """Add an act at the end of the chain."""
        count = len(self._shelves.audit)
        previous = self._shelves.audit[count].mac if count else GENESIS
        who, whom = self._standing_for(actor), self._standing_for(subject)
        entry = AuditEntry(count + 1, now, action, who, whom, dict(detail or {}), "")
        self._shelves.audit[count + 1] = replace(entry, mac=link(previous, entry, _AUDIT_KEY))

    def verify(self) -> AuditFinding:
        """Walk the whole chain."""
        previous = GENESIS
        for entry in self._shelves.audit.values():
            if entry.mac != link(previous, entry, _AUDIT_KEY):
                return AuditFinding(len(self._shelves.audit), entry.sequence)
            previous = entry.mac
        return AuditFinding(len(self._shelves.audit), None)

    def forget(self, person: str) -> None:
        """Destroy the key under which a person stands in the chain."""
        self._shelves.audit_keys.pop(person, None)

    def _standing_for(self, who: str) -> str:
        if not who.startswith("@"):
            return pseudonymous(who, _AUDIT_KEY) if who else ""
        return pseudonymous(who, self._shelves.audit_keys.setdefault(who, secrets.token_bytes(32)))


class MemoryHeartbeats:
    """Signs of life of the processes."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def beat(self, heartbeat: Heartbeat) -> None:
        """Keep a sign of life in place of the process's last one."""
        self._shelves.heartbeats[heartbeat.process] = heartbeat

    def all(self) -> Sequence[Heartbeat]:
        """The last sign of life of every process, by name."""
        return [self._shelves.heartbeats[process] for process in sorted(self._shelves.heartbeats)]
