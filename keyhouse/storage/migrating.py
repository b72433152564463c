"""Brings the tables to this version."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from keyhouse.storage.engine import open_engines, parse_address, plain_faults, sqlite_file
from keyhouse.storage.errors import StoreAway
from keyhouse.storage.versions import refuse_unknown, version_of

_ONE_AT_A_TIME = 0x6B657969


def migrate(url: str) -> None:
    """Make the tables, or change them to what this version needs; all or nothing, and only one at a time.

    Raises StoreAway when the database cannot be reached or made, StoreNewer when a newer version has written it.
    """
    file = sqlite_file(parse_address(url))
    _make_private(file)
    with _alone_in(file.parent if file else None):
        engines = open_engines(url)
        try:
            with plain_faults(), engines.writing.begin() as connection:
                _upgrade(connection)
        finally:
            engines.dispose()


@contextmanager
def _alone_in(folder: Path | None) -> Iterator[None]:
    """Wait for who migrates in this folder: a new file's change to WAL is refused at once when two ask for it."""
    if folder is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    refuse_unknown(version_of(connection))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _make_private(file: Path | None) -> None:
    # SQLite would make the file readable for everybody; its companions take over the file's mode.
    if file is None or file.exists():
        return
    try:
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreAway(f"{file} cannot be made ({error.strerror}); check that its folder exists") from error
