"""Copies of the house's database and of Synapse's, taken at one moment while others go on writing."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from keyhouse.storage.dumps import no_postgres_decisions, postgres_snapshot
from keyhouse.storage.engine import LOCK_WAIT_S, parse_address, sqlite_file
from keyhouse.storage.errors import StoreAway, StoreFault


class Snapshot(Protocol):
    """A database as it was at one moment."""

    def copy_to(self, file: Path) -> None:
        """Write it to a new file for this account alone; raises StoreFault when it cannot be, or is damaged."""
        ...


@contextmanager
def same_moment(url: str, beside: Path) -> Iterator[tuple[Snapshot, Snapshot]]:
    """Give the house's database, and a SQLite file beside it (Synapse's), as both are at one moment.

    While the two are taken, some milliseconds, nobody can write down a decision. So what ours says was done, the other
    shows; and what the other shows without ours knowing is looked for before it is done, as after any crash.
    """
    ours = sqlite_file(parse_address(url))
    first: Snapshot
    with ExitStack() as stack:
        with no_postgres_decisions(url) if ours is None else _no_writers(ours):
            if ours is None:
                first = stack.enter_context(postgres_snapshot(url))
            else:
                first = stack.enter_context(_sqlite_snapshot(ours))
            second = stack.enter_context(_sqlite_snapshot(beside))
        yield first, second


@contextmanager
def opened_copy(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy to change it, in one transaction; what is deleted is overwritten with zeros."""
    with plain_sqlite(file), _connection(file) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def plain_sqlite(file: Path) -> Iterator[None]:
    """Turn what SQLite raises about a file into one plain sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreAway(f"{file} cannot be copied or read ({error}); correct that, then try again") from error
    except UnicodeDecodeError as error:
        # The driver could not even read the sentence in which SQLite quotes what it found.
        raise StoreFault(f"{file} is damaged; keep it, and restore the last good backup elsewhere") from error


class SqliteSnapshot:
    """Reads a SQLite file in one transaction, which hinders nobody while the file is in WAL mode."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection, self._file = connection, file
        connection.execute("BEGIN")
        # A transaction sees the moment of its first look.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def copy_to(self, file: Path) -> None:
        """Write the database to one new file, with no companions."""
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with plain_sqlite(self._file), _connection(file) as target:
            self._connection.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")
            if target.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise StoreFault(f"{self._file} is damaged; keep it, and restore the last good backup elsewhere")


@contextmanager
def _no_writers(file: Path) -> Iterator[None]:
    with plain_sqlite(file), _connection(file) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def _sqlite_snapshot(file: Path) -> Iterator[SqliteSnapshot]:
    with plain_sqlite(file), _connection(file) as connection:
        yield SqliteSnapshot(connection, file)


@contextmanager
def _connection(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that is there; the driver begins no transactions by itself."""
    address = f"{file.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=LOCK_WAIT_S, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
