"""Dumps of a PostgreSQL database by PostgreSQL's own programs, and the way back."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import URL

from keyhouse.storage.engine import CONNECT_S, LOCK_WAIT_S, parse_address, plain_faults, sqlite_file
from keyhouse.storage.errors import StoreAway, StoreFault

DUMPED_WITHIN_S = 3600.0


def is_postgres(url: str) -> bool:
    """Say whether a copy of this database is a dump and not a SQLite file."""
    return sqlite_file(parse_address(url)) is None


class PostgresSnapshot:
    """Keeps a transaction open whose view of the database pg_dump takes over."""

    def __init__(self, url: str, snapshot_id: str) -> None:
        self._url, self._snapshot_id = url, snapshot_id

    def copy_to(self, file: Path) -> None:
        """Write the database to a new file that pg_restore reads."""
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _run("pg_dump", self._url, ["--format=custom", f"--snapshot={self._snapshot_id}", f"--file={file}"])


@contextmanager
def postgres_snapshot(url: str) -> Iterator[PostgresSnapshot]:
    """Give the database as it is now."""
    _program("pg_dump")
    with _engine(url) as engine, plain_faults(), engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield PostgresSnapshot(url, str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()))


@contextmanager
def no_postgres_decisions(url: str) -> Iterator[None]:
    """Let nobody decide anything new, or mark a decision as done, until the end; everybody waits meanwhile."""
    with _engine(url) as engine, plain_faults(), engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
        connection.execute(text("LOCK TABLE outgoing IN SHARE MODE"))
        yield


def require_empty(url: str) -> None:
    """Refuse a database that holds tables: a dump is never put over something else."""
    _program("pg_restore")
    with _engine(url) as engine, plain_faults(), engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise StoreFault("the PostgreSQL database is not empty; make a new one and name it with `--database`")


def fill(url: str, dump: Path) -> None:
    """Put a dump into an empty database; all of it or nothing."""
    _run("pg_restore", url, ["--single-transaction", "--exit-on-error"], [str(dump)])


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    # None of the house's own time limits: a dump may take long, and its transaction stays open as long.
    address, waits = parse_address(url), {"connect_timeout": CONNECT_S}
    engine = create_engine(address, hide_parameters=True, connect_args=waits)
    try:
        yield engine
    finally:
        engine.dispose()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise StoreFault(f"{name} is not installed; install the package postgresql-client, then try again")
    return found


def _run(name: str, url: str, options: Sequence[str], rest: Sequence[str] = ()) -> None:
    address = parse_address(url)
    # The password goes by the environment: every account of this machine sees the arguments of a program.
    environment = {**os.environ, **({"PGPASSWORD": str(address.password)} if address.password else {})}
    everywhere = ["--no-password", "--no-owner", "--no-privileges", f"--dbname={_without_password(address)}"]
    command = [_program(name), *everywhere, *options, *rest]
    try:
        done = subprocess.run(
            command, check=False, env=environment, capture_output=True, text=True, timeout=DUMPED_WITHIN_S
        )
    except subprocess.TimeoutExpired:
        raise StoreAway(f"{name} was not done within an hour; try again when the database has less to do") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[0]
        raise StoreAway(f"{name} failed ({said}); correct that, then try again")


def _without_password(address: URL) -> str:
    host, port, name = address.host, address.port, address.database
    return URL.create("postgresql", address.username, None, host, port, name, address.query).render_as_string()
