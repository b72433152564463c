"""The first tables: people, rooms, cases, what is to be done, and the audit chain."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of version 0.1."""
    _people()
    _rooms()
    _cases()
    _work()
    _audit()


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("localpart", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_person"),
    )
    op.create_index("ix_person_localpart", "person", ["localpart"])
    op.create_index("ix_person_role", "person", ["role"])
    op.create_table(
        "person_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.user_id"], name="fk_person_key_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_person_key"),
    )
    op.create_index(
        "uq_person_key_unrevoked",
        "person_key",
        ["person", "condition"],
        unique=True,
        **_only_where("revoked_at IS NULL"),
    )
    op.create_table(
        "referral",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_by", sa.String(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_referral"),
        sa.UniqueConstraint("code_hash", name="uq_referral_code_hash"),
        sa.UniqueConstraint("pseudonym", name="uq_referral_pseudonym"),
    )


def _rooms() -> None:
    op.create_table(
        "room",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("room_id", name="pk_room"),
        sa.UniqueConstraint("slug", name="uq_room_slug"),
    )
    op.create_index("ix_room_kind_service", "room", ["kind", "service"])
    op.create_table(
        "room_role",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["room.room_id"], name="fk_room_role_room_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "role", name="pk_room_role"),
    )
    op.create_index("ix_room_role_role_room_id", "room_role", ["role", "room_id"])
    op.create_table(
        "room_condition",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("condition", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["room.room_id"], name="fk_room_condition_room_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "condition", name="pk_room_condition"),
    )
    op.create_index("ix_room_condition_condition_room_id", "room_condition", ["condition", "room_id"])
    op.create_table(
        "room_member",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["room.room_id"], name="fk_room_member_room_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("room_id", "user_id", name="pk_room_member"),
    )
    op.create_index("ix_room_member_user_id_room_id", "room_member", ["user_id", "room_id"])
    op.create_table(
        "membership",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person", "room_id", name="pk_membership"),
    )


def _cases() -> None:
    op.create_table(
        "care_case",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("care_room", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("card", sa.String(), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="ck_care_case_closed"),
        sa.ForeignKeyConstraint(["author"], ["person.user_id"], name="fk_care_case_author"),
        sa.PrimaryKeyConstraint("number", name="pk_care_case"),
        sa.UniqueConstraint("card", name="uq_care_case_card"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_care_case_open_number", "care_case", ["number"], **_only_where("closed_at IS NULL"))
    op.create_index(
        "uq_care_case_open", "care_case", ["author", "service"], unique=True, **_only_where("closed_at IS NULL")
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("case_number", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["care_case.number"], name="fk_alert_case_number", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
        sa.UniqueConstraint("event_id", name="uq_alert_event_id"),
    )
    op.create_index("ix_alert_case_number_id", "alert", ["case_number", "id"])


def _work() -> None:
    op.create_table(
        "outgoing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("once_hash", sa.String(), nullable=False),
        sa.Column("seal_key_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("txn_id", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(sealed IS NULL) = (done_at IS NOT NULL)", name="ck_outgoing_wiped"),
        sa.PrimaryKeyConstraint("id", name="pk_outgoing"),
        sa.UniqueConstraint("once_hash", name="uq_outgoing_once_hash"),
        sa.UniqueConstraint("txn_id", name="uq_outgoing_txn_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outgoing_undone", "outgoing", ["worker", "due_at", "id"], **_only_where("done_at IS NULL"))
    op.create_table(
        "lease",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_lease"),
    )
    op.create_table(
        "heartbeat",
        sa.Column("process", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counters", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("process", name="pk_heartbeat"),
    )


def _audit() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_entry"),
    )
    op.create_table(
        "audit_anchor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("last_mac", sa.String(), nullable=False),
        sa.Column("mac", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_audit_anchor_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_anchor"),
    )
    op.create_table(
        "audit_person_key",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("seal_key_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_audit_person_key"),
    )


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
