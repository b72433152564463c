"""Who agreed to the rules, what has changed about who may write where, and the sealed reference of a referral."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns and the counter; people and rooms that are there are its first change."""
    _agreements()
    _policy()
    op.add_column("referral", sa.Column("reference_key_id", sa.String(), nullable=True))
    op.add_column("referral", sa.Column("reference_sealed", sa.LargeBinary(), nullable=True))


def _agreements() -> None:
    op.add_column("person", sa.Column("rules_agreed", sa.Integer(), nullable=True))
    # Nobody could agree in a version that did not ask: people who write here today would fall silent overnight.
    op.execute("UPDATE person SET rules_agreed = 1")


def _policy() -> None:
    op.create_table(
        "policy",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_policy_one_row"),
        sa.PrimaryKeyConstraint("id", name="pk_policy"),
    )
    op.execute(
        "INSERT INTO policy (id, counter)"
        " SELECT 1, 1 WHERE EXISTS (SELECT 1 FROM person) OR EXISTS (SELECT 1 FROM room)"
    )
    for table in ("person", "room"):
        version = sa.Column("policy_version", sa.BigInteger(), nullable=False, server_default=sa.text("1"))
        op.add_column(table, version)
        op.create_index(f"ix_{table}_policy_version", table, ["policy_version"])
