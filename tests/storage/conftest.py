"""One suite over memory, SQLite and PostgreSQL; every test begins with an empty house."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from keyhouse.core.ports import Store
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.memory import MemoryStore
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import SqlStore, open_store
from keyhouse.storage.tables import metadata
from tests.support.postgres import new_database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty file that each test copies."""
    file = tmp_path_factory.mktemp("template") / "house.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_house(postgres_url: str) -> str:
    """A migrated database that each test finds empty."""
    url = new_database(postgres_url, f"storage_{secrets.token_hex(4)}")
    migrate(url)
    return url


@pytest.fixture
def house_keys() -> HouseKeys:
    """Keys of this test's house."""
    return HouseKeys(*(secrets.token_bytes(32) for _ in range(3)))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """An empty house in a file of its own."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'house.db')}"


@pytest.fixture
def postgres_house_url(postgres_house: str) -> str:
    """An empty house on PostgreSQL."""
    engine = create_engine(postgres_house)
    with engine.begin() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return postgres_house


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty house, once on each database."""
    fixture = {"sqlite": "sqlite_url", "postgres": "postgres_house_url"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
def sql_store(database_url: str, house_keys: HouseKeys) -> Iterator[SqlStore]:
    """A store on each database."""
    store = open_store(database_url, house_keys)
    yield store
    store.close()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, house_keys: HouseKeys) -> Iterator[Store]:
    """A store of every sort."""
    if request.param == "memory":
        yield MemoryStore()
        return
    fixture = {"sqlite": "sqlite_url", "postgres": "postgres_house_url"}[request.param]
    kept = open_store(request.getfixturevalue(fixture), house_keys)
    yield kept
    kept.close()
