"""Table of how many times it was changed who may write where."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table

from keyhouse.storage.tables.names import metadata

policy = Table(
    "policy",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("counter", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
