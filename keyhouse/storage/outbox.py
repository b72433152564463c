"""Decisions to be done. Their content is sealed at rest and wiped when done."""

import json
import secrets
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, null, or_, select, union_all, update

from keyhouse.core.ids import OutgoingId
from keyhouse.core.outgoing import DECIDED_ONCE, NewOutgoing, Outgoing, OutgoingKind, Rank, Worker, lane_of, rank_of
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import outgoing
from keyhouse.storage.work import Work

_SEVERAL = "several"
"""Stands in tried_by once more than one device has tried: no device has this id."""

_FORGOTTEN_KINDS = sorted(kind.value for kind in OutgoingKind if kind not in DECIDED_ONCE)


class SqlOutbox:
    """Keeps decisions in the table `outgoing`."""

    def __init__(self, work: Work, seal: Seal) -> None:
        self._work = work
        self._seal = seal

    def add(self, new: NewOutgoing, now: datetime) -> bool:
        """Keep a decision; False when an equal one (same `once`) is there already, done or not."""
        return self.add_all([new], now) == 1

    def add_all(self, decisions: Sequence[NewOutgoing], now: datetime) -> int:
        """Keep decisions, all in one statement; return how many of them were not there already."""
        insert = self._work.insert(outgoing).on_conflict_do_nothing(index_elements=[outgoing.c.once_hash])
        return self._work.added_of(insert.returning(outgoing.c.id), [self._values(new, now) for new in decisions])

    def add_again(self, new: NewOutgoing, now: datetime) -> bool:
        """Keep a decision also when an equal one is done, in its place; False while an equal one is still to be done.

        The row gets a number of its own: rows of one moment are done in the order in which they were decided.
        """
        equal = outgoing.c.once_hash == self._seal.fingerprint(new.once)
        self._work.change_quietly(delete(outgoing).where(equal, outgoing.c.done_at.is_not(None)))
        return self.add(new, now)

    def due(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Undone decisions whose time has come, oldest first."""
        query = select(outgoing).where(*_undone(worker), outgoing.c.due_at <= now)
        rows = self._work.all(query.order_by(outgoing.c.due_at, outgoing.c.id).limit(limit))
        return [self._opened(row) for row in rows]

    def ready(self, worker: Worker, now: datetime, limit: int) -> Sequence[Outgoing]:
        """Of each lane the oldest due decision, the most urgent first, then the longest due."""
        # Rank by rank, so that the index gives the first ones of each without a look at the others.
        ranks = (select(_heads(worker, rank, now).limit(limit).subquery()) for rank in Rank)
        rows = self._work.all(union_all(*ranks).order_by("rank", "due_at", "id").limit(limit))
        return [self._opened(row) for row in rows]

    def next_due_at(self, worker: Worker) -> datetime | None:
        """When the next undone decision is due; None when there is none."""
        query = select(outgoing.c.due_at).where(*_undone(worker)).order_by(outgoing.c.due_at).limit(1)
        moment: datetime | None = self._work.scalar(query)
        return moment

    def done(self, outgoing_id: OutgoingId, now: datetime) -> None:
        """Mark as done and wipe the content."""
        undone = (outgoing.c.id == outgoing_id, outgoing.c.done_at.is_(None))
        self._work.change(update(outgoing).where(*undone).values(done_at=now, sealed=null(), lane=null()))

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
        undone = (outgoing.c.id == outgoing_id, outgoing.c.done_at.is_(None))
        since = null() if failed_at is None else func.coalesce(outgoing.c.failing_since, failed_at)
        values = {"due_at": until, "fault": fault, "tries": outgoing.c.tries + 1, "holds_up": holds_up}
        self._work.change(update(outgoing).where(*undone).values(values | {"failing_since": since}))

    def failing_since(self, worker: Worker) -> datetime | None:
        """Since when the undone decision that has failed for the longest fails; None when none does."""
        fails = (*_undone(worker), outgoing.c.failing_since.is_not(None))
        query = select(outgoing.c.failing_since).where(*fails).order_by(outgoing.c.failing_since).limit(1)
        moment: datetime | None = self._work.scalar(query)
        return moment

    def hasten(self, once: str, now: datetime) -> None:
        """Make a waiting decision due now, its tries counted anew; one that is done or due already stays as it is."""
        waiting = (outgoing.c.once_hash == self._seal.fingerprint(once), outgoing.c.done_at.is_(None))
        self._work.change(update(outgoing).where(*waiting, outgoing.c.due_at > now).values(due_at=now, tries=0))

    def undone(self, worker: Worker, now: datetime) -> int:
        """How many decisions are due and not done."""
        query = select(func.count()).select_from(outgoing).where(*_undone(worker), outgoing.c.due_at <= now)
        return int(self._work.scalar(query))

    def trying(self, outgoing_id: OutgoingId, device_id: str) -> str | None:
        """Keep which device is about to try; return the device that tried before, None when nobody has."""
        row, before = outgoing.c.id == outgoing_id, outgoing.c.tried_by
        if self._work.change_quietly(update(outgoing).where(row, before.is_(None)).values(tried_by=device_id)) == 1:
            return None
        self._work.change_quietly(update(outgoing).where(row, before != device_id).values(tried_by=_SEVERAL))
        tried_by: str | None = self._work.scalar(select(before).where(row))
        return tried_by

    def known(self, once: str) -> bool:
        """Say whether a decision under this key is there, done or not."""
        query = select(outgoing.c.id).where(outgoing.c.once_hash == self._seal.fingerprint(once))
        return self._work.scalar(query) is not None

    def forget(self, worker: Worker, before: datetime, limit: int) -> int:
        """Delete up to so many that were done before this moment, and return how many; what is decided once stays."""
        # Two devices of one account forget the same rows, each in its own order, which could be a deadlock.
        self._work.one_at_a_time(zlib.crc32(f"outbox of {worker.value}".encode()))
        done = (outgoing.c.worker == worker.value, outgoing.c.kind.in_(_FORGOTTEN_KINDS), outgoing.c.done_at < before)
        ids = [row.id for row in self._work.all(select(outgoing.c.id).where(*done).limit(limit))]
        if ids:
            self._work.change_quietly(delete(outgoing).where(outgoing.c.id.in_(ids)))
        return len(ids)

    def _values(self, new: NewOutgoing, now: datetime) -> dict[str, Any]:
        txn_id = secrets.token_hex(16)
        return {
            "kind": new.kind.value,
            "worker": new.worker.value,
            "once_hash": self._seal.fingerprint(new.once),
            "seal_key_id": self._seal.key_id,
            "sealed": self._closed(new, txn_id),
            "due_at": new.due_at,
            "created_at": now,
            "txn_id": txn_id,
            "tries": 0,
            "lane": self._seal.fingerprint(f"lane:{new.worker.value}:{lane_of(new)}"),
            "rank": rank_of(new.kind).value,
        }

    def _closed(self, new: NewOutgoing, txn_id: str) -> bytes:
        words = json.dumps({"once": new.once, "content": dict(new.content)}, separators=(",", ":"))
        return self._seal.close(words.encode(), outgoing.name, txn_id)

    def _opened(self, row: Row[Any]) -> Outgoing:
        words = json.loads(self._seal.open(row.sealed, outgoing.name, row.txn_id, row.seal_key_id))
        return Outgoing(
            id=OutgoingId(row.id),
            kind=OutgoingKind(row.kind),
            worker=Worker(row.worker),
            once=words["once"],
            content=words["content"],
            due_at=row.due_at,
            created_at=row.created_at,
            txn_id=row.txn_id,
            tries=row.tries,
        )


def _heads(worker: Worker, rank: Rank, now: datetime) -> Select[Any]:
    earlier = outgoing.alias("earlier")
    in_the_way = or_(earlier.c.due_at <= now, earlier.c.holds_up)
    same_lane = (earlier.c.lane == outgoing.c.lane, earlier.c.id < outgoing.c.id, earlier.c.done_at.is_(None))
    blocked = select(earlier.c.id).where(*same_lane, in_the_way).exists()
    due = (*_undone(worker), outgoing.c.rank == rank.value, outgoing.c.due_at <= now)
    return select(outgoing).where(*due, ~blocked).order_by(outgoing.c.due_at, outgoing.c.id)


def _undone(worker: Worker) -> tuple[Any, ...]:
    return outgoing.c.worker == worker.value, outgoing.c.done_at.is_(None)
