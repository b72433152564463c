"""Checks of what the house keeps: the outbox, the audit chain, the crisis lines, backups."""

from datetime import UTC, datetime, timedelta

from keyhouse.core.alarm_sentences import clock_time
from keyhouse.core.outgoing import Worker
from keyhouse.settings.signposting import load_signposting
from provisioning.answers import House
from provisioning.backup import last_backup_at
from provisioning.checks import Check, Look, State, check

LATE_AFTER = timedelta(seconds=60)
BACKUP_YOUNG = timedelta(hours=26)
"""A backup every day, which may take its time or be started a little later than the day before."""

FIRST_DAY = timedelta(days=1)
_SOON = timedelta(days=30)
_MOST = 1000


def outbox_check(worker: Worker) -> Look:
    """Return the check that everything decided for a program is done in time."""

    async def look(house: House, name: str) -> Check:
        now = datetime.now(UTC)
        with house.store.reading() as tx:
            late = len(tx.outbox.due(worker, now - LATE_AFTER, _MOST))
            undone = tx.outbox.undone(worker, now)
            failing_since = tx.outbox.failing_since(worker)
        if failing_since is not None and now - failing_since >= LATE_AFTER:
            # It is tried again so soon that it is never late.
            failing = f"one has failed at every try since {clock_time(failing_since)}; see logs/{worker.value}.log"
            return Check(name, State.FAIL, failing)
        bad = f"{late} should have been done a minute ago; see logs/{worker.value}.log"
        return check(name, not late, f"{undone} to do, none late", bad)

    return look


async def audit_check(house: House, name: str) -> Check:
    """Walk the audit chain."""
    with house.store.reading() as tx:
        found = tx.audit.verify()
    bad = f"the chain is broken at entry {found.first_bad}; keep the database as it is and find out who changed it"
    return check(name, found.ok, f"{found.entries} entries, every link holds", bad)


async def seal_check(house: House, name: str) -> Check:
    """See that no rotation of the keys was left half done."""
    bad = "a rotation was stopped in its midst; stop the house and run `keyhouse keys rotate` again"
    return check(name, house.keys.retiring is None, "one key seals everything", bad)


async def signposting_check(house: House, name: str) -> Check:
    """See that the crisis lines were checked by somebody not too long ago."""
    lines = load_signposting(house.settings.config / "signposting.yaml")
    today = datetime.now(UTC).date()
    if today > lines.review_by:
        bad = f"should have been reviewed by {lines.review_by}; check every number and move the dates"
        return Check(name, State.FAIL, bad)
    state = State.WARN if lines.review_by - today < _SOON else State.OK
    return Check(name, state, f"checked on {lines.checked_on}, to be reviewed by {lines.review_by}")


async def backups_check(house: House, name: str) -> Check:
    """See that the last backup is young; a house that has not yet been up for a day may be without one."""
    last, now = last_backup_at(house.directory), datetime.now(UTC)
    if last is not None and now - last <= BACKUP_YOUNG:
        return Check(name, State.OK, f"the last is {_hours(now - last)} old")
    said = f"the last is {_hours(now - last)} old" if last else "none was ever made"
    detail = f"{said}; if this disk is lost, so is the house: run `keyhouse backup` every day (docs/operating.md)"
    # The keys are made when the house is, and never again.
    age = now - datetime.fromtimestamp(house.directory.house_keys.stat().st_mtime, UTC)
    is_early = last is None and age < FIRST_DAY
    return Check(name, State.WARN if is_early or house.settings.demo else State.FAIL, detail)


def _hours(age: timedelta) -> str:
    return f"{age / timedelta(hours=1):.0f} h"
