"""Tables of cases with their alerts."""

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, text

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

care_case = Table(
    "care_case",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("author", ForeignKey("person.user_id"), nullable=False),
    Column("service", String, nullable=False),
    Column("care_room", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("state", String, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("claimed_by", String),
    Column("claimed_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("outcome", String),
    Column("card", String, unique=True),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    # A case number is spoken aloud in the team: it is never given twice, not even after a deletion.
    sqlite_autoincrement=True,
)
_OPEN = text("closed_at IS NULL")
Index(
    "uq_care_case_open",
    care_case.c.author,
    care_case.c.service,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)
Index("ix_care_case_open_number", care_case.c.number, sqlite_where=_OPEN, postgresql_where=_OPEN)

alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("case_number", ForeignKey("care_case.number", ondelete="CASCADE"), nullable=False),
    Column("room_id", String, nullable=False),
    Column("author", String, nullable=False),
    Column("urgency", String, nullable=False),
    Column("category", String, nullable=False),
    Column("rules", JSON, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Index(None, "case_number", "id"),
)
