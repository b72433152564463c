"""Tables of the tamper-evident chain."""

from sqlalchemy import JSON, CheckConstraint, Column, Integer, LargeBinary, String, Table

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("mac", String, nullable=False),
)

audit_anchor = Table(
    "audit_anchor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", Integer, nullable=False),
    Column("last_mac", String, nullable=False),
    Column("mac", String, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)

audit_person_key = Table(
    "audit_person_key",
    metadata,
    Column("person", String, primary_key=True),
    Column("seal_key_id", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
