"""Brings the tables to this version; knows which version they are of."""

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from keyhouse.storage.engine import open_engines, parse_address, plain_faults, sqlite_file
from keyhouse.storage.errors import StoreAway, StoreNewer, StoreOlder

_ONE_AT_A_TIME = 0x6B657969


def migrate(url: str) -> None:
    """Make the tables, or change them to what this version needs; all or nothing, and only one at a time.

    Raises StoreAway when the database cannot be reached or made, StoreNewer when a newer version has written it.
    """
    _make_private(sqlite_file(parse_address(url)))
    engines = open_engines(url)
    try:
        with plain_faults(), engines.writing.begin() as connection:
            _upgrade(connection)
    finally:
        engines.dispose()


def require_current(url: str, engine: Engine) -> None:
    """Raise unless the tables are of exactly this version."""
    file = sqlite_file(parse_address(url))
    if file is not None and not file.exists():
        raise StoreOlder
    with plain_faults(), engine.connect() as connection:
        revision = _revision(connection)
    scripts = ScriptDirectory.from_config(_config())
    _refuse_unknown(revision, scripts)
    if revision != scripts.get_current_head():
        raise StoreOlder


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    _refuse_unknown(_revision(connection), ScriptDirectory.from_config(_config()))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _refuse_unknown(revision: str | None, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreNewer


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


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
