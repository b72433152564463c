"""Tables of who is in the house and how they came in."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

person = Table(
    "person",
    metadata,
    Column("user_id", String, primary_key=True),
    Column("localpart", String, nullable=False, index=True),
    Column("role", String, nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("name", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("rules_agreed", Integer),
    Column("policy_version", BigInteger, nullable=False, server_default=text("1"), index=True),
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
    Column("reference_key_id", String),
    Column("reference_sealed", LargeBinary),
)
