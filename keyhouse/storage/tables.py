"""The tables. Rows never leave this package.

Every index is there for a query: see the test that asks SQLite for the plan of each.
"""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    text,
)

from keyhouse.storage.column_types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

person = Table(
    "person",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("localpart", String, nullable=False, index=True),
    Column("role", String, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("name", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

person_key = Table(
    "person_key",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", ForeignKey("person.user_id", ondelete="CASCADE"), nullable=False),
    Column("condition", String, nullable=False),
    Column("source", String, nullable=False),
    Column("granted_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
_UNREVOKED = text("revoked_at IS NULL")
Index(
    "uq_person_key_unrevoked",
    person_key.c.person,
    person_key.c.condition,
    unique=True,
    sqlite_where=_UNREVOKED,
    postgresql_where=_UNREVOKED,
)

referral = Table(
    "referral",
    metadata,
    Column("id", String, primary_key=True),
    Column("code_hash", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("conditions", JSON, nullable=False),
    Column("pseudonym", String, nullable=False, unique=True),
    Column("issued_by", String, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("redeemed_at", UtcDateTime),
    Column("redeemed_by", String),
    Column("revoked_at", UtcDateTime),
)

room = Table(
    "room",
    metadata,
    Column("room_id", String, primary_key=True),
    Column("slug", String, nullable=False, unique=True),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("service", String),
    Index(None, "kind", "service"),
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

lease = Table(
    "lease",
    metadata,
    Column("worker", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

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
