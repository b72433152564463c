"""The tables come to be by migrations alone, and their version is known."""

import secrets
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from keyhouse.core.ids import ReferralId, RoomId
from keyhouse.core.outgoing import Worker
from keyhouse.core.rooms import RoomKind
from keyhouse.core.speaking import PolicyChange, Speaker
from keyhouse.storage import check
from keyhouse.storage.errors import StoreAway, StoreNewer, StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.sealing import Seal
from keyhouse.storage.store import open_store
from keyhouse.storage.tables import metadata
from keyhouse.storage.versions import known_versions
from tests.support.household import NOW, care_room, person, user
from tests.support.postgres import new_database


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was made yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fresh.db'}"
    return new_database(request.getfixturevalue("postgres_url"), f"fresh_{secrets.token_hex(4)}")


def _execute(url: str, statement: str, **bound: str | bytes) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement), bound)
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


def _migrate_to(url: str, version: str) -> None:
    """Bring the tables to an older version, as that version of the house would have left them."""
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    config = Config()
    config.set_main_option("script_location", str(Path(check.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    engine.dispose()


def test_a_house_of_the_first_version_keeps_everything_and_its_rooms_get_numbers(
    fresh_url: str, house_keys: HouseKeys
) -> None:
    _migrate_to(fresh_url, "0001")
    _execute(fresh_url, "INSERT INTO room (room_id, slug, kind, name) VALUES ('!b', 'birch', 'quiet', 'Birch')")
    _execute(fresh_url, "INSERT INTO room (room_id, slug, kind, name) VALUES ('!a', 'willow', 'quiet', 'Willow')")
    _execute(
        fresh_url,
        "INSERT INTO outgoing (kind, worker, once_hash, seal_key_id, sealed, due_at, created_at, txn_id, tries)"
        " VALUES ('greeting', 'booking', :once, :key, :sealed, :now, :now, 'txn', 2)",
        once=Seal(house_keys.seal).fingerprint("once"),
        key=Seal(house_keys.seal).key_id,
        sealed=Seal(house_keys.seal).close(b'{"once": "once", "content": {"a": 1}}', "outgoing", "txn"),
        now="2027-03-29 10:00:00.000000",
    )

    migrate(fresh_url)

    store = open_store(fresh_url, house_keys)
    with store.writing() as tx:
        assert tx.rooms.numbers() == {"!b": 1, "!a": 2}
        tx.rooms.put(care_room())
        assert tx.rooms.number_of(care_room().room_id) == 3
        (row,) = tx.outbox.due(Worker.BOOKING, NOW, 9)
        assert (row.once, row.content, row.tries) == ("once", {"a": 1}, 2)
        assert [one.id for one in tx.outbox.ready(Worker.BOOKING, NOW, 9)] == [row.id]
        assert tx.outbox.trying(row.id, "A") is None
    store.close()
    assert check.differences(fresh_url) == []


def test_in_a_house_from_before_the_rules_nobody_falls_silent_and_everything_is_the_first_change(
    fresh_url: str, house_keys: HouseKeys
) -> None:
    _migrate_to(fresh_url, "0003")
    river, now = person("river"), "2027-03-29 10:00:00.000000"
    _execute(
        fresh_url,
        "INSERT INTO person (user_id, localpart, role, state, name, since)"
        " VALUES (:who, 'river', 'patient', 'active', 'river', :now)",
        who=river.user_id,
        now=now,
    )
    _execute(fresh_url, "INSERT INTO room (room_id, slug, kind, name) VALUES ('!a', 'willow', 'quiet', 'Willow')")
    _execute(
        fresh_url,
        "INSERT INTO referral (id, code_hash, role, conditions, pseudonym, issued_by, issued_at, expires_at)"
        " VALUES ('r-clover', 'hash-clover', 'patient', '[]', 'clover', 'host', :now, :now)",
        now=now,
    )

    migrate(fresh_url)

    store = open_store(fresh_url, house_keys)
    with store.reading() as tx:
        change = tx.policy.changed_since(0, 9)
        assert tx.people.all() == [replace(river, rules_agreed=1)]
        assert change == PolicyChange(
            1, {river.user_id: Speaker(river.role, river.state, has_agreed=True)}, {RoomId("!a"): RoomKind.QUIET}
        )
        assert (tx.policy.newest(), tx.referrals.reference_of(ReferralId("r-clover"))) == (1, None)
    with store.writing() as tx:
        tx.people.add(person("birch"))
    with store.reading() as tx:
        assert tx.policy.changed_since(1, 9) == PolicyChange(2, {user("birch"): Speaker.of(person("birch"))}, {})
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
    _execute(fresh_url, "CREATE TABLE alarm (person INTEGER)")

    with pytest.raises(Exception, match=r"answer|already exists"):
        migrate(fresh_url)

    assert _tables(fresh_url) == {"alarm"}


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(database_url: str, house_keys: HouseKeys) -> None:
    newest = known_versions()[-1]
    _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    try:
        with pytest.raises(StoreNewer, match="written by a newer version of keyhouse; install that version"):
            open_store(database_url, house_keys)
        with pytest.raises(StoreNewer):
            migrate(database_url)
    finally:
        _execute(database_url, "UPDATE alembic_version SET version_num = :newest", newest=newest)
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
