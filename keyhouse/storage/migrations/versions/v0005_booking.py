"""Slots, bookings and the waiting list."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables and the ways to what is in them."""
    _slots()
    _bookings()
    _waiting()


def _moment(name: str, *, may_be_empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=may_be_empty)


def _number(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _words(name: str, *, may_be_empty: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(), nullable=may_be_empty)


def _of_person(table: str, column: str, *, goes_with: bool = False) -> sa.ForeignKeyConstraint:
    ondelete = "CASCADE" if goes_with else None
    return sa.ForeignKeyConstraint([column], ["person.user_id"], f"fk_{table}_{column}", ondelete=ondelete)


def _of_slot(table: str, *, goes_with: bool = False) -> sa.ForeignKeyConstraint:
    ondelete = "CASCADE" if goes_with else None
    return sa.ForeignKeyConstraint(["slot"], ["slot.number"], f"fk_{table}_slot", ondelete=ondelete)


def _only_where(name: str, table: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def _slots() -> None:
    op.create_table(
        "slot",
        _number("number"),
        _words("therapist"),
        *(_moment(name) for name in ("starts_at", "ends_at")),
        _words("mode"),
        *(_moment(name) for name in ("blocked_from", "blocked_until")),
        *(_number(name) for name in ("weekday", "minute")),
        _moment("withdrawn_at", may_be_empty=True),
        sa.CheckConstraint("starts_at < ends_at", name="ck_slot_lasts"),
        _of_person("slot", "therapist"),
        sa.PrimaryKeyConstraint("number", name="pk_slot"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slot_starts_at_number", "slot", ["starts_at", "number"])
    _only_where("ix_slot_blocked", "slot", ["therapist", "blocked_from"], "withdrawn_at IS NULL")
    op.create_table(
        "slot_condition",
        _number("slot"),
        _words("condition"),
        _moment("starts_at"),
        _of_slot("slot_condition", goes_with=True),
        sa.PrimaryKeyConstraint("slot", "condition", name="pk_slot_condition"),
    )
    columns = ["condition", "starts_at", "slot"]
    op.create_index("ix_slot_condition_condition_starts_at_slot", "slot_condition", columns)


def _bookings() -> None:
    op.create_table(
        "booking",
        *(_number(name) for name in ("number", "slot")),
        *(_words(name) for name in ("person", "state")),
        *(_moment(name) for name in ("starts_at", "ends_at", "booked_at")),
        _number("sequence"),
        sa.Column("late", sa.Boolean(), nullable=False),
        _moment("ended_at", may_be_empty=True),
        sa.CheckConstraint("(state = 'booked') = (ended_at IS NULL)", name="ck_booking_ended"),
        _of_slot("booking"),
        _of_person("booking", "person"),
        sa.PrimaryKeyConstraint("number", name="pk_booking"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_booking_starts_at_number", "booking", ["starts_at", "number"])
    _only_where("uq_booking_slot", "booking", ["slot"], "state <> 'cancelled'", unique=True)
    _only_where("ix_booking_upcoming", "booking", ["person", "ends_at"], "state = 'booked'")
    _only_where("ix_booking_unsettled", "booking", ["ends_at"], "state = 'booked'")
    _only_where("ix_booking_missed", "booking", ["person", "starts_at"], "state = 'missed'")
    op.create_table(
        "booking_event",
        _words("event_id"),
        _number("booking"),
        sa.ForeignKeyConstraint(["booking"], ["booking.number"], "fk_booking_event_booking", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id", name="pk_booking_event"),
    )


def _waiting() -> None:
    op.create_table(
        "waiting",
        _words("person"),
        *(_number(name) for name in ("weekdays", "from_minute", "until_minute")),
        _words("mode", may_be_empty=True),
        _moment("since"),
        _number("priority"),
        _of_person("waiting", "person", goes_with=True),
        sa.PrimaryKeyConstraint("person", name="pk_waiting"),
    )
    op.create_index("ix_waiting_order", "waiting", [sa.text("priority DESC"), "since", "person"])
    op.create_table(
        "slot_offer",
        *(_number(name) for name in ("id", "slot")),
        _words("person"),
        *(_moment(name) for name in ("offered_at", "until_at")),
        *(_moment(name, may_be_empty=True) for name in ("told_at", "ended_at")),
        _words("outcome", may_be_empty=True),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ck_slot_offer_ended"),
        _of_slot("slot_offer", goes_with=True),
        _of_person("slot_offer", "person", goes_with=True),
        sa.PrimaryKeyConstraint("id", name="pk_slot_offer"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_slot_offer_slot_person", "slot_offer", ["slot", "person"])
    _only_where("uq_slot_offer_slot", "slot_offer", ["slot"], "ended_at IS NULL", unique=True)
    _only_where("uq_slot_offer_person", "slot_offer", ["person"], "ended_at IS NULL", unique=True)
