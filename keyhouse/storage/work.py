"""One transaction's connection, as the nouns use it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Executable, Row, Select, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

CHANNEL = "keyhouse"
"""On which PostgreSQL tells that something has changed."""

_LARGEST_COUNT = 2**31 - 1


class Work:
    """Runs statements inside one transaction, and remembers whether anything changed."""

    def __init__(self, connection: Connection, *, writing: bool) -> None:
        self._connection = connection
        self._writing = writing
        self._changed = False
        self._on_postgres = connection.dialect.name == "postgresql"

    def one(self, query: Select[Any]) -> Row[Any] | None:
        """Return the only row, or None; in a writing transaction it is held until the end."""
        return self._connection.execute(self._held(query)).one_or_none()

    def all(self, query: Select[Any] | CompoundSelect[Any]) -> Sequence[Row[Any]]:
        """Return every row, without holding it."""
        return self._connection.execute(query).all()

    def scalar(self, query: Select[Any]) -> Any:
        """Return the first column of the first row, or None, without holding it."""
        return self._connection.execute(query).scalar()

    def change(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Change rows and tell other processes when all is kept; return how many there were."""
        count = self.change_quietly(statement, rows)
        # The driver does not always count (-1); only what surely changed nothing wakes nobody.
        self._changed = self._changed or count != 0
        return count

    def change_quietly(self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Change rows that nobody waits for: a lease that woke its own holder would be renewed for ever."""
        if rows is not None and not rows:
            return 0
        return self._connection.execute(statement, rows).rowcount

    def added(self, statement: Executable) -> Any:
        """Insert one row and return the value that it was given."""
        self._changed = True
        return self._connection.execute(statement).scalar_one()

    def added_of(self, statement: ReturningInsert[Any], rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert rows and return how many were new. statement: an insert that returns something of each new row."""
        added = len(self._connection.execute(statement, rows).all()) if rows else 0
        self._changed = self._changed or added > 0
        return added

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Begin an insert that may say what to do on a conflict."""
        return postgresql.insert(table) if self._on_postgres else sqlite.insert(table)

    def one_at_a_time(self, lock: int) -> None:
        """Let only one writing transaction at a time go on from here until its end."""
        # SQLite's writing transactions are one at a time from their beginning.
        if self._writing and self._on_postgres:
            self._connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})

    def tell_others(self) -> None:
        """Let waiting processes know, in the same transaction, that something changed."""
        if not self._changed:
            return
        if self._on_postgres:
            self._connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
        else:
            count = int(self._connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            self._connection.exec_driver_sql(f"PRAGMA user_version = {(count + 1) % _LARGEST_COUNT}")

    def _held(self, query: Select[Any]) -> Select[Any]:
        # NO KEY UPDATE: rows that refer to this one may still be added by others. SQLite leaves the words out.
        return query.with_for_update(key_share=True) if self._writing else query
