"""How the two databases are spoken to: time limits, locks, durability."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from keyhouse.storage.errors import StoreAway, StoreConflict, StoreFault

LOCK_WAIT_S = 5
STATEMENT_S = 10
CONNECT_S = 5
_READERS = 20

POSTGRES_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        f"statement_timeout={STATEMENT_S}s",
        f"lock_timeout={LOCK_WAIT_S}s",
        "idle_in_transaction_session_timeout=60s",
        "timezone=UTC",
    )
)


@dataclass(frozen=True, slots=True)
class Engines:
    """Connections of two sorts: those that only read, and those that write."""

    reading: Engine
    writing: Engine

    def dispose(self) -> None:
        """Give every connection back."""
        self.reading.dispose()
        self.writing.dispose()


def open_engines(url: str) -> Engines:
    """Prepare connections to the database at this SQLAlchemy address; nothing is connected yet."""
    address = parse_address(url)
    return _sqlite(address) if address.get_backend_name() == "sqlite" else _postgres(address)


def parse_address(url: str) -> URL:
    """Read a database address; raises StoreFault for one that the house cannot use."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise StoreFault("the database address cannot be understood; write sqlite:////path/to/house.db") from None
    if address.get_backend_name() == "postgresql":
        return address.set(drivername="postgresql+psycopg2")
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        raise StoreFault("the database must be a SQLite file or PostgreSQL; write sqlite:////path/to/house.db")
    return address


def sqlite_file(address: URL) -> Path | None:
    """Return the file of a SQLite database, None for PostgreSQL."""
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


@contextmanager
def plain_faults() -> Iterator[None]:
    """Turn what the driver raises into our own faults, once, at this edge."""
    try:
        yield
    except IntegrityError as error:
        raise StoreConflict("something that there may be only once is there already; nothing was kept") from error
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreAway("the database does not answer or is locked; try again in a minute") from error
    except DatabaseError as error:
        if isinstance(error.orig, sqlite3.DatabaseError) and type(error.orig) is sqlite3.DatabaseError:
            raise StoreAway("the database file is damaged or is not a database; restore a backup") from error
        raise


def _sqlite(address: URL) -> Engines:
    # Writers of one process queue for one connection, which is fair; SQLite's own waiting is a lottery.
    writing = create_engine(address, hide_parameters=True, pool_size=1, max_overflow=0, pool_timeout=LOCK_WAIT_S)
    reading = create_engine(address, hide_parameters=True, pool_size=_READERS, pool_timeout=LOCK_WAIT_S)
    for engine, begin in ((writing, "BEGIN IMMEDIATE"), (reading, "BEGIN")):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _beginning(begin))
    event.listen(reading, "connect", _only_queries)
    return Engines(reading, writing)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: it would begin them too late and not IMMEDIATE.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_WAIT_S * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # What is wiped is overwritten with zeros, not only unlinked.
    connection.execute("PRAGMA secure_delete = ON")


def _only_queries(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _beginning(statement: str) -> Any:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _postgres(address: URL) -> Engines:
    engine = create_engine(
        address,
        hide_parameters=True,
        pool_size=5,
        max_overflow=_READERS,
        pool_timeout=LOCK_WAIT_S,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_S, "options": POSTGRES_OPTIONS, "application_name": "keyhouse"},
    )
    # Repeatable read: what one transaction reads is of one moment, as it is on SQLite.
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(reading, engine)
