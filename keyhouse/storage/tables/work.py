"""Tables of what is to be done, who may do it, and what is wrong."""

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, false, text

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

outgoing = Table(
    "outgoing",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("worker", String, nullable=False),
    # A keyed hash: the word itself names persons and rooms, and stays after the content is wiped.
    Column("once_hash", String, nullable=False, unique=True),
    Column("seal_key_id", String, nullable=False),
    Column("sealed", LargeBinary),
    Column("due_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("txn_id", String, nullable=False, unique=True),
    Column("tries", Integer, nullable=False),
    Column("fault", String),
    # Empty while it was not tried, and while it only waits for a person.
    Column("failing_since", UtcDateTime),
    Column("tried_by", String),
    # A keyed hash, too; empty for rows of an earlier version, each of which is a lane of its own.
    Column("lane", String),
    Column("rank", Integer, nullable=False, server_default=text("0")),
    Column("holds_up", Boolean, nullable=False, server_default=false()),
    Column("done_at", UtcDateTime),
    CheckConstraint("(sealed IS NULL) = (done_at IS NOT NULL)", name="wiped"),
    # A transaction id stands for one row for ever, so a row's number is never given again.
    sqlite_autoincrement=True,
)
_UNDONE = text("done_at IS NULL")
Index(
    "ix_outgoing_undone",
    outgoing.c.worker,
    outgoing.c.due_at,
    outgoing.c.id,
    sqlite_where=_UNDONE,
    postgresql_where=_UNDONE,
)
Index(
    "ix_outgoing_rank",
    outgoing.c.worker,
    outgoing.c.rank,
    outgoing.c.due_at,
    outgoing.c.id,
    sqlite_where=_UNDONE,
    postgresql_where=_UNDONE,
)
Index("ix_outgoing_lane", outgoing.c.lane, outgoing.c.id, sqlite_where=_UNDONE, postgresql_where=_UNDONE)
_FAILING = text("done_at IS NULL AND failing_since IS NOT NULL")
Index(
    "ix_outgoing_failing",
    outgoing.c.worker,
    outgoing.c.failing_since,
    sqlite_where=_FAILING,
    postgresql_where=_FAILING,
)
_DONE = text("done_at IS NOT NULL")
# By kind, because one kind is never deleted and would lie before all others.
Index(
    "ix_outgoing_done",
    outgoing.c.worker,
    outgoing.c.kind,
    outgoing.c.done_at,
    sqlite_where=_DONE,
    postgresql_where=_DONE,
)

lease = Table(
    "lease",
    metadata,
    Column("worker", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("process", String, primary_key=True),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("last_sync_at", UtcDateTime),
    Column("counters", JSON, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("paged_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)
_STANDS = text("ended_at IS NULL")
Index(
    "uq_alarm_open",
    alarm.c.kind,
    alarm.c.subject,
    unique=True,
    sqlite_where=_STANDS,
    postgresql_where=_STANDS,
)
_ENDED = text("ended_at IS NOT NULL")
Index("ix_alarm_ended", alarm.c.ended_at, sqlite_where=_ENDED, postgresql_where=_ENDED)
