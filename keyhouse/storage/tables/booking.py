"""Tables of slots, bookings and the waiting list."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, desc, text

from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.tables.names import metadata

slot = Table(
    "slot",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("therapist", ForeignKey("person.user_id"), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("mode", String, nullable=False),
    # With its buffers.
    Column("blocked_from", UtcDateTime, nullable=False),
    Column("blocked_until", UtcDateTime, nullable=False),
    # Of the start, by the wall clock: no database knows the zone.
    Column("weekday", Integer, nullable=False),
    Column("minute", Integer, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    CheckConstraint("starts_at < ends_at", name="lasts"),
    Index(None, "starts_at", "number"),
    # Also the withdrawn ones: a calendar strikes out what was booked there.
    Index(None, "therapist", "starts_at"),
    # People type the number, from a message of last month if need be: it is never given twice.
    sqlite_autoincrement=True,
)

# With the start beside it, so that a page of what is open to somebody is one walk along one index.
slot_condition = Table(
    "slot_condition",
    metadata,
    Column("slot", ForeignKey("slot.number", ondelete="CASCADE"), primary_key=True),
    Column("condition", String, primary_key=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Index(None, "condition", "starts_at", "slot"),
)

booking = Table(
    "booking",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("slot", ForeignKey("slot.number"), nullable=False),
    Column("person", ForeignKey("person.user_id"), nullable=False),
    Column("state", String, nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("booked_at", UtcDateTime, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("ended_at", UtcDateTime),
    CheckConstraint("(state = 'booked') = (ended_at IS NULL)", name="ended"),
    Index(None, "starts_at", "number"),
    Index(None, "person", "ends_at"),
    # Also the cancelled ones.
    Index(None, "slot"),
    # Calendars know the session by it, for ever.
    sqlite_autoincrement=True,
)

booking_event = Table(
    "booking_event",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("booking", ForeignKey("booking.number", ondelete="CASCADE"), nullable=False),
)

waiting = Table(
    "waiting",
    metadata,
    Column("person", ForeignKey("person.user_id", ondelete="CASCADE"), primary_key=True),
    # One bit for each day, Monday is the lowest.
    Column("weekdays", Integer, nullable=False),
    Column("from_minute", Integer, nullable=False),
    Column("until_minute", Integer, nullable=False),
    Column("mode", String),
    Column("since", UtcDateTime, nullable=False),
    Column("priority", Integer, nullable=False),
)
Index("ix_waiting_order", desc(waiting.c.priority), waiting.c.since, waiting.c.person)

slot_offer = Table(
    "slot_offer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slot", ForeignKey("slot.number", ondelete="CASCADE"), nullable=False),
    Column("person", ForeignKey("person.user_id", ondelete="CASCADE"), nullable=False),
    Column("offered_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("outcome", String),
    CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    Index(None, "slot", "person"),
    # What is to be done names it, also after it is gone.
    sqlite_autoincrement=True,
)

calendar_feed = Table(
    "calendar_feed",
    metadata,
    Column("person", ForeignKey("person.user_id", ondelete="CASCADE"), primary_key=True),
    Column("secret_hash", String, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)


def _only_where(name: str, condition: str, *columns: Column[object], unique: bool = False) -> None:
    Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


_only_where("ix_slot_blocked", "withdrawn_at IS NULL", slot.c.therapist, slot.c.blocked_from)
_only_where("uq_booking_slot", "state <> 'cancelled'", booking.c.slot, unique=True)
_only_where("ix_booking_upcoming", "state = 'booked'", booking.c.person, booking.c.ends_at)
_only_where("ix_booking_unsettled", "state = 'booked'", booking.c.ends_at)
_only_where("ix_booking_missed", "state = 'missed'", booking.c.person, booking.c.starts_at)
_only_where("uq_slot_offer_slot", "ended_at IS NULL", slot_offer.c.slot, unique=True)
_only_where("uq_slot_offer_person", "ended_at IS NULL", slot_offer.c.person, unique=True)
