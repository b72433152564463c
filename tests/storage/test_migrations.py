"""The tables come to be by migrations alone, and their version is known."""

import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from keyhouse.storage import check
from keyhouse.storage.errors import StoreAway, StoreNewer, StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import open_store
from keyhouse.storage.tables import metadata
from keyhouse.storage.versions import known_versions
from tests.support.household import person
from tests.support.postgres import new_database


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was made yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fresh.db'}"
    return new_database(request.getfixturevalue("postgres_url"), f"fresh_{secrets.token_hex(4)}")


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _tables(url: str) -> set[str]:
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_a_migrated_database_is_exactly_what_the_code_uses(fresh_url: str, house_keys: HouseKeys) -> None:
    migrate(fresh_url)

    assert check.differences(fresh_url) == []
    assert _tables(fresh_url) == {*metadata.tables, "alembic_version"}
    open_store(fresh_url, house_keys).close()


@pytest.mark.parametrize(
    "change",
    ["DROP INDEX ix_outgoing_undone", "ALTER TABLE person ADD COLUMN more VARCHAR", "DROP TABLE lease"],
    ids=["an index", "a column", "a table"],
)
def test_a_difference_between_tables_and_migrations_is_found(sqlite_url: str, change: str) -> None:
    _execute(sqlite_url, change)

    assert len(check.differences(sqlite_url)) == 1


def test_the_check_runs_from_the_command_line() -> None:
    run = subprocess.run([sys.executable, "-m", "keyhouse.storage.check"], capture_output=True, text=True, timeout=60)

    assert (run.returncode, run.stderr) == (0, "")


def test_migrating_again_keeps_everything(fresh_url: str, house_keys: HouseKeys) -> None:
    migrate(fresh_url)
    store = open_store(fresh_url, house_keys)
    with store.writing() as tx:
        tx.people.add(person("river"))

    migrate(fresh_url)

    with store.reading() as tx:
        assert tx.people.all() == [person("river")]
    store.close()


def test_the_versions_that_are_known_are_those_that_the_migrations_make() -> None:
    steps = ScriptDirectory(str(Path(check.__file__).parent / "migrations")).walk_revisions()

    assert known_versions() == [step.revision for step in steps][::-1]


def test_when_five_migrate_at_once_all_of_them_find_it_done(fresh_url: str) -> None:
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(migrate, [fresh_url] * 5))

    assert check.differences(fresh_url) == []


def test_a_migration_that_fails_leaves_nothing_half_made(fresh_url: str) -> None:
    if fresh_url.startswith("sqlite"):
        migrate(fresh_url)
        for table in [*metadata.tables, "alembic_version"]:
            _execute(fresh_url, f"DROP TABLE {table}")
    # A table that is in the way of the last step.
    _execute(fresh_url, "CREATE TABLE audit_person_key (person INTEGER)")

    with pytest.raises(Exception, match=r"answer|already exists"):
        migrate(fresh_url)

    assert _tables(fresh_url) == {"audit_person_key"}


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(database_url: str, house_keys: HouseKeys) -> None:
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(StoreNewer, match="written by a newer version of keyhouse; install that version"):
            open_store(database_url, house_keys)
        with pytest.raises(StoreNewer):
            migrate(database_url)
    finally:
        _execute(database_url, "UPDATE alembic_version SET version_num = '0001'")
    open_store(database_url, house_keys).close()


def test_a_database_that_was_not_migrated_is_refused(fresh_url: str, house_keys: HouseKeys) -> None:
    with pytest.raises(StoreOlder, match="start it with `keyhouse up`"):
        open_store(fresh_url, house_keys)

    migrate(fresh_url)
    open_store(fresh_url, house_keys).close()


def test_opening_what_is_not_there_makes_no_file(tmp_path: Path, house_keys: HouseKeys) -> None:
    with pytest.raises(StoreOlder):
        open_store(f"sqlite:///{tmp_path / 'house.db'}", house_keys)

    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_private_and_a_missing_folder_is_said_plainly(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path / 'house.db'}")

    assert stat.S_IMODE((tmp_path / "house.db").stat().st_mode) == 0o600
    with pytest.raises(StoreAway, match=r"cannot be made \(No such file or directory\); check that its folder exists"):
        migrate(f"sqlite:///{tmp_path / 'nowhere' / 'house.db'}")
