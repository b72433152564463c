"""Tables of the rooms, of what opens them, and of who was seen where."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, text

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

room = Table(
    "room",
    metadata,
    Column("room_id", String, primary_key=True),
    Column("slug", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("service", String),
    Column("policy_version", BigInteger, nullable=False, server_default=text("1"), index=True),
    Index(None, "kind", "service"),
)

# Apart from the room, so that a number stays taken when the room is gone.
room_number = Table(
    "room_number",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("room_id", String, nullable=False, unique=True),
    sqlite_autoincrement=True,
)

room_role = Table(
    "room_role",
    metadata,
    Column("room_id", ForeignKey("room.room_id", ondelete="CASCADE"), primary_key=True),
    Column("role", String, primary_key=True),
    Index(None, "role", "room_id"),
)

room_condition = Table(
    "room_condition",
    metadata,
    Column("room_id", ForeignKey("room.room_id", ondelete="CASCADE"), primary_key=True),
    Column("condition", String, primary_key=True),
    Index(None, "condition", "room_id"),
)

room_member = Table(
    "room_member",
    metadata,
    Column("room_id", ForeignKey("room.room_id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", String, primary_key=True),
    Index(None, "user_id", "room_id"),
)

membership = Table(
    "membership",
    metadata,
    Column("person", String, primary_key=True),
    Column("room_id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
)
