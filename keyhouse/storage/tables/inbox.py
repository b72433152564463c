"""Tables of what the bots received, and of the devices that received it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

incoming = Table(
    "incoming",
    metadata,
    # SQLite's INTEGER has eight bytes, and only a column of that very type counts up by itself there.
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("worker", String, nullable=False),
    Column("event_id", String, nullable=False),
    Column("room_id", String, nullable=False),
    Column("seal_key_id", String, nullable=False),
    Column("sealed", LargeBinary),
    Column("received_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    # A keyed hash of the room and the session under which the event can be read.
    Column("room_key_hash", String),
    Column("unread_since", UtcDateTime),
    Column("reason", String),
    Column("alarmed_at", UtcDateTime),
    Column("quarantined_at", UtcDateTime),
    Column("fault", String),
    Column("done_at", UtcDateTime),
    UniqueConstraint("worker", "event_id"),
    CheckConstraint("(sealed IS NULL) = (done_at IS NOT NULL)", name="wiped"),
    Index(None, "worker", "received_at"),
    # A start goes on after the place at which it stopped, so a place is never given again.
    sqlite_autoincrement=True,
)


def _only_where(name: str, condition: str, *columns: Column[object]) -> None:
    Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


_UNREAD = "done_at IS NULL AND quarantined_at IS NULL AND unread_since IS NOT NULL"
_only_where("ix_incoming_undone", "done_at IS NULL", incoming.c.worker, incoming.c.place)
_only_where("ix_incoming_unread", f"{_UNREAD} AND alarmed_at IS NULL", incoming.c.worker, incoming.c.unread_since)
_only_where("ix_incoming_room_key", "room_key_hash IS NOT NULL", incoming.c.worker, incoming.c.room_key_hash)
_only_where("ix_incoming_done", "done_at IS NOT NULL", incoming.c.worker, incoming.c.done_at)

bot_device = Table(
    "bot_device",
    metadata,
    Column("device_id", String, primary_key=True),
    Column("worker", String, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("reached_at", UtcDateTime, nullable=False),
)
