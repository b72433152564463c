"""Secret links to people's own calendars, and the ways to what calendars and the week's figures show."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of links, and the indexes."""
    op.create_table(
        "calendar_feed",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["person"], ["person.user_id"], "fk_calendar_feed_person", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person", name="pk_calendar_feed"),
        sa.UniqueConstraint("secret_hash", name="uq_calendar_feed_secret_hash"),
    )
    op.create_index("ix_slot_therapist_starts_at", "slot", ["therapist", "starts_at"])
    op.create_index("ix_booking_person_ends_at", "booking", ["person", "ends_at"])
    op.create_index("ix_booking_slot", "booking", ["slot"])
