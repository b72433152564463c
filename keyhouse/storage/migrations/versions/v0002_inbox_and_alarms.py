"""The inbox, the devices of the bots, alarms, room numbers, the lanes of decisions and which device tried them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the new tables, and give every room that is there its number."""
    _lanes()
    _room_numbers()
    _inbox()
    _devices()
    _alarms()


def _lanes() -> None:
    op.add_column("outgoing", sa.Column("tried_by", sa.String(), nullable=True))
    op.add_column("outgoing", sa.Column("lane", sa.String(), nullable=True))
    op.add_column("outgoing", sa.Column("rank", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("outgoing", sa.Column("holds_up", sa.Boolean(), nullable=False, server_default=sa.false()))
    undone = _only_where("done_at IS NULL")
    op.create_index("ix_outgoing_rank", "outgoing", ["worker", "rank", "due_at", "id"], **undone)
    op.create_index("ix_outgoing_lane", "outgoing", ["lane", "id"], **undone)


def _room_numbers() -> None:
    op.create_table(
        "room_number",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_room_number"),
        sa.UniqueConstraint("room_id", name="uq_room_number_room_id"),
        sqlite_autoincrement=True,
    )
    op.execute("INSERT INTO room_number (room_id) SELECT room_id FROM room ORDER BY slug")


def _inbox() -> None:
    op.create_table(
        "incoming",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("seal_key_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("room_key_hash", sa.String(), nullable=True),
        sa.Column("unread_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(sealed IS NULL) = (done_at IS NOT NULL)", name="ck_incoming_wiped"),
        sa.PrimaryKeyConstraint("place", name="pk_incoming"),
        sa.UniqueConstraint("worker", "event_id", name="uq_incoming_worker"),
        sqlite_autoincrement=True,
    )
    unread = "done_at IS NULL AND quarantined_at IS NULL AND unread_since IS NOT NULL AND alarmed_at IS NULL"
    op.create_index("ix_incoming_worker_received_at", "incoming", ["worker", "received_at"])
    op.create_index("ix_incoming_undone", "incoming", ["worker", "place"], **_only_where("done_at IS NULL"))
    op.create_index("ix_incoming_unread", "incoming", ["worker", "unread_since"], **_only_where(unread))
    by_key = _only_where("room_key_hash IS NOT NULL")
    op.create_index("ix_incoming_room_key", "incoming", ["worker", "room_key_hash"], **by_key)
    op.create_index("ix_incoming_done", "incoming", ["worker", "done_at"], **_only_where("done_at IS NOT NULL"))


def _devices() -> None:
    op.create_table(
        "bot_device",
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name="pk_bot_device"),
    )


def _alarms() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarm"),
    )
    op.create_index("uq_alarm_open", "alarm", ["kind", "subject"], unique=True, **_only_where("ended_at IS NULL"))


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
