"""Since when a decision fails, and the ways to what is old enough to be forgotten."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what tells a decision that fails from one that waits; what failed before begins to count at its next try."""
    op.add_column("outgoing", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
    failing = _only_where("done_at IS NULL AND failing_since IS NOT NULL")
    op.create_index("ix_outgoing_failing", "outgoing", ["worker", "failing_since"], **failing)
    done = _only_where("done_at IS NOT NULL")
    op.create_index("ix_outgoing_done", "outgoing", ["worker", "kind", "done_at"], **done)
    op.create_index("ix_alarm_ended", "alarm", ["ended_at"], **_only_where("ended_at IS NOT NULL"))


def _only_where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
