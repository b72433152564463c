"""Every sealed row under the house's newest seal, in bounded transactions, each of which leaves a whole house."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Table, bindparam, func, select, update

from keyhouse.storage.engine import Engines, open_engines, plain_faults
from keyhouse.storage.errors import SealBroken
from keyhouse.storage.inbox import bound_to
from keyhouse.storage.sealing import Seal
from keyhouse.storage.tables import audit_person_key, incoming, outgoing, referral
from keyhouse.storage.versions import require_current
from keyhouse.storage.work import Work

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """Where something sealed is kept. place: the primary key.  bound_to: the row's name in the seal."""

    table: Table
    place: Column[Any]
    sealed: Column[Any]
    key_id: Column[Any]
    bound_to: Callable[[Row[Any]], str]

    def is_old(self, key_id: str) -> ColumnElement[bool]:
        """Say of a row whether something in it is sealed under another key."""
        return self.sealed.is_not(None) & (self.key_id != key_id)


SEALED_COLUMNS = (
    SealedColumn(outgoing, outgoing.c.id, outgoing.c.sealed, outgoing.c.seal_key_id, lambda row: str(row.txn_id)),
    SealedColumn(
        incoming,
        incoming.c.place,
        incoming.c.sealed,
        incoming.c.seal_key_id,
        lambda row: bound_to(row.worker, row.event_id),
    ),
    SealedColumn(
        referral, referral.c.id, referral.c.reference_sealed, referral.c.reference_key_id, lambda row: str(row.id)
    ),
    SealedColumn(
        audit_person_key,
        audit_person_key.c.person,
        audit_person_key.c.sealed,
        audit_person_key.c.seal_key_id,
        lambda row: str(row.person),
    ),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction did. table: its name.  resealed: how many rows."""

    table: str
    resealed: int


def reseal(url: str, seal: Seal, rows_at_once: int = ROWS_AT_ONCE) -> Iterator[Batch]:
    """Seal anew what lies under an older key, a batch at a time; a row that does not open stays as it is.

    Each batch is kept when it is yielded. What has been done is not done again when this begins anew.
    """
    with _opened(url) as engines:
        require_current(url, engines.reading)
        for column in SEALED_COLUMNS:
            yield from _batches(engines, column, seal, rows_at_once)


def count_old(url: str, seal: Seal) -> int:
    """Count the rows that lie under another key than the newest."""
    with _opened(url) as engines, plain_faults(), engines.reading.connect() as connection:
        work = Work(connection, writing=False)
        counts = (select(func.count()).where(column.is_old(seal.key_id)) for column in SEALED_COLUMNS)
        return sum(int(work.scalar(count)) for count in counts)


@contextmanager
def _opened(url: str) -> Iterator[Engines]:
    engines = open_engines(url)
    try:
        yield engines
    finally:
        engines.dispose()


def _batches(engines: Engines, column: SealedColumn, seal: Seal, limit: int) -> Iterator[Batch]:
    query = select(column.table, column.place.label("at"), column.sealed.label("words"), column.key_id.label("was"))
    query = query.where(column.is_old(seal.key_id)).order_by(column.place).limit(limit)
    later = query
    while True:
        with plain_faults(), engines.writing.begin() as connection:
            work = Work(connection, writing=True)
            rows = work.all(later)
            resealed = _reseal(work, column, seal, rows)
        if not rows:
            return
        yield Batch(column.table.name, resealed)
        later = query.where(column.place > rows[-1].at)


def _reseal(work: Work, column: SealedColumn, seal: Seal, rows: Sequence[Row[Any]]) -> int:
    changed = [
        {"row": row.at, "key": row.was, "words": words}
        for row in rows
        if (words := _anew(column, seal, row)) is not None
    ]
    # What was wiped meanwhile stays wiped.
    same = (column.place == bindparam("row"), column.key_id == bindparam("key"), column.sealed.is_not(None))
    values = {column.sealed.name: bindparam("words"), column.key_id.name: seal.key_id}
    work.change_quietly(update(column.table).where(*same).values(values), changed)
    return len(changed)


def _anew(column: SealedColumn, seal: Seal, row: Row[Any]) -> bytes | None:
    table, name = column.table.name, column.bound_to(row)
    try:
        return seal.close(seal.open(row.words, table, name, row.was), table, name)
    except SealBroken:
        return None
