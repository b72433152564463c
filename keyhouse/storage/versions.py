"""Which version the tables are of. Apart from `migrating`, because Alembic takes long to import and much memory."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from keyhouse.storage.engine import open_engines, parse_address, plain_faults, sqlite_file
from keyhouse.storage.errors import StoreNewer, StoreOlder

_STEPS = Path(__file__).parent / "migrations" / "versions"


def known_versions() -> list[str]:
    """Return the version after each step, in their order; a step's file is vVERSION_words.py."""
    return sorted(file.name[1:].partition("_")[0] for file in _STEPS.glob("v*_*.py"))


def require_current(url: str, engine: Engine) -> None:
    """Raise unless the tables are of exactly this version."""
    file = sqlite_file(parse_address(url))
    if file is not None and not file.exists():
        raise StoreOlder
    with plain_faults(), engine.connect() as connection:
        version = version_of(connection)
    refuse_unknown(version)
    if version != known_versions()[-1]:
        raise StoreOlder


def version_at(url: str) -> str:
    """Return the version of the tables at this address; StoreOlder when there are none."""
    file = sqlite_file(parse_address(url))
    if file is not None and not file.exists():
        raise StoreOlder
    engines = open_engines(url)
    try:
        with plain_faults(), engines.reading.connect() as connection:
            version = version_of(connection)
    finally:
        engines.dispose()
    if version is None:
        raise StoreOlder
    return version


def refuse_unknown(version: str | None) -> None:
    """Raise for tables that a newer keyhouse has written. version: None when there are none yet."""
    if version is not None and version not in known_versions():
        raise StoreNewer


def version_of(connection: Connection) -> str | None:
    """Return the version of the tables; None when nothing was made yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version
