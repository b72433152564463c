"""Tell what was decided to be told: the caretaker's Outgoing rows of kind page."""

from datetime import datetime, timedelta

import structlog

from bots.runtime.clock import Clock
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import NotYet
from keyhouse.core.alarm_sentences import clock_time
from keyhouse.core.outgoing import Outgoing, OutgoingKind
from keyhouse.core.workflows.watching import record_channels
from provisioning.paging.pager import Attempt, Page, Pager, was_taken

LATE_AFTER = timedelta(minutes=2)
AGAIN_AFTER = timedelta(seconds=10)

log = structlog.get_logger()


class Paging:
    """Sends pages, and keeps as alarms which channels fail."""

    def __init__(self, pager: Pager, ledger: Ledger, clock: Clock, again_after: timedelta = AGAIN_AFTER) -> None:
        self._pager, self._ledger, self._clock, self._again_after = pager, ledger, clock, again_after
        self._known: dict[str, bool] = {}
        self.counters = {"pages_sent": 0, "pages_refused": 0}

    async def do(self, row: Outgoing) -> None:
        """Tell somebody; while no channel takes the page, it stays and is tried again. Without channels it is done."""
        if row.kind is not OutgoingKind.PAGE:
            raise ValueError(f"the caretaker does not know how to do {row.kind.value}")
        attempts = await self._pager.send(page_of(row, self._pager.house, self._clock()))
        await self._record(attempts)
        self.counters["pages_sent"] += was_taken(attempts)
        self.counters["pages_refused"] += sum(attempt.fault is not None for attempt in attempts)
        if attempts and not was_taken(attempts):
            raise NotYet("a channel", self._again_after)

    async def _record(self, attempts: list[Attempt]) -> None:
        failed = {attempt.channel: attempt.fault is not None for attempt in attempts}
        if failed.items() <= self._known.items():
            return
        for attempt in attempts:
            if attempt.fault is not None:
                log.warning("channel_failed", channel=attempt.channel, fault=attempt.fault)
        await self._ledger.write(lambda tx: record_channels(tx, failed, self._clock()))
        self._known |= failed


def page_of(row: Outgoing, house: str, now: datetime) -> Page:
    """Return the page of a row; one that comes late says so, because the house may be well again by now."""
    content = {name: str(value) for name, value in row.content.items()}
    text, at = content["text"], datetime.fromisoformat(content["at"])
    if now - at >= LATE_AFTER:
        text += f"; told late, decided at {clock_time(at)}"
    return Page(row.txn_id, text, content["kind"], content["subject"], house, at)
