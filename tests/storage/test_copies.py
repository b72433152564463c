"""Copies of a database in use: of one moment, whole, and nothing but that."""

import secrets
import shutil
import sqlite3
import stat
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Store
from keyhouse.storage import copies
from keyhouse.storage.copies import opened_copy, same_moment
from keyhouse.storage.dumps import fill, is_postgres, require_empty
from keyhouse.storage.errors import StoreAway, StoreFault, StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from keyhouse.storage.versions import known_versions, version_at
from tests.support.household import NOW, person
from tests.support.postgres import binaries, new_database

WORKER = Worker.BOOKING


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's programs, as if its package were installed."""
    monkeypatch.setenv("PATH", str(binaries()), prepend=":")


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    """Stands for the homeserver's database: what was really sent, by number."""
    file = tmp_path / "sent.db"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE sent (number INTEGER)")
    return file


def _copied(url: str, beside: Path, folder: Path) -> tuple[str, Path]:
    """Copy both databases and give the address and the file of the copies."""
    folder.mkdir()
    with same_moment(url, beside) as (first, second):
        first.copy_to(folder / "ours")
        second.copy_to(folder / "other")
    return _opened(url, folder / "ours"), folder / "other"


def _opened(url: str, copy: Path) -> str:
    if not is_postgres(url):
        return f"sqlite:///{copy}"
    fresh = new_database(url, f"copy_{secrets.token_hex(4)}")
    require_empty(fresh)
    fill(fresh, copy)
    return fresh


def _numbers(url: str, keys: HouseKeys) -> tuple[set[int], set[int]]:
    """Give the decided ones and, among them, those that are still to be done."""
    store = open_store(url, keys)
    with store.reading() as tx:
        undone = {int(row.once) for row in tx.outbox.due(WORKER, NOW, 9_999)}
        decided = {number for number in range(9_999) if tx.outbox.known(str(number))}
    store.close()
    return decided, undone


def test_a_copy_holds_all_that_was_kept_in_a_file_of_its_own(
    sql_store: SqlStore, database_url: str, house_keys: HouseKeys, sent: Path, tmp_path: Path
) -> None:
    with sql_store.writing() as tx:
        tx.people.add(person("river"))

    copied, _ = _copied(database_url, sent, tmp_path / "copy")

    with sql_store.writing() as tx:
        tx.people.add(person("clover"))
    store = open_store(copied, house_keys)
    with store.reading() as tx:
        assert tx.people.all() == [person("river")]
    store.close()
    assert version_at(copied) == known_versions()[-1]
    assert stat.S_IMODE((tmp_path / "copy" / "ours").stat().st_mode) == 0o600


def test_copies_of_a_house_at_work_never_contradict_each_other(
    sql_store: SqlStore, database_url: str, house_keys: HouseKeys, sent: Path, tmp_path: Path
) -> None:
    stop, begun = threading.Event(), threading.Event()

    def work() -> None:
        with sqlite3.connect(sent) as database:
            number = 0
            while not stop.is_set():
                number += 1
                _decide(sql_store, number)
                database.execute("INSERT INTO sent VALUES (?)", (number,))
                database.commit()
                _finish(sql_store, number)
                begun.set()

    working = threading.Thread(target=work)
    working.start()
    assert begun.wait(30)
    copied = [_copied(database_url, sent, tmp_path / str(number)) for number in range(6)]
    stop.set()
    working.join(30)

    for url, other in copied:
        decided, undone = _numbers(url, house_keys)
        really_sent = {row[0] for row in sqlite3.connect(other).execute("SELECT number FROM sent")}
        assert len(decided) > 0
        # Whatever counts as done was sent; whatever was sent is at least known as decided.
        assert decided - undone <= really_sent <= decided


def _decide(store: Store, number: int) -> None:
    with store.writing() as tx:
        tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, WORKER, str(number), {}, NOW), NOW)


def _finish(store: Store, number: int) -> None:
    with store.writing() as tx:
        for row in tx.outbox.due(WORKER, NOW, 9):
            assert row.once == str(number)
            tx.outbox.done(row.id, NOW)


def test_while_a_copy_is_written_others_go_on_writing(
    sql_store: SqlStore, database_url: str, sent: Path, tmp_path: Path
) -> None:
    with same_moment(database_url, sent) as (first, _):
        with sql_store.writing() as tx:
            tx.people.add(person("river"))
        first.copy_to(tmp_path / "copy")

    with sql_store.reading() as tx:
        assert len(tx.people.all()) == 1


def test_a_copy_waits_only_so_long_for_a_writer_that_does_not_end(
    sql_store: SqlStore, database_url: str, sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "LOCK_WAIT_S", 0.2)
    monkeypatch.setattr("keyhouse.storage.dumps.LOCK_WAIT_S", 1)

    with ExitStack() as stack:
        tx = stack.enter_context(sql_store.writing())
        tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, WORKER, "1", {}, NOW), NOW)
        with pytest.raises(StoreAway, match="try again"):
            _copied(database_url, sent, tmp_path / "first")

    _copied(database_url, sent, tmp_path / "second")


def test_a_damaged_file_is_not_taken_for_a_house(sqlite_url: str, sent: Path, tmp_path: Path) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    content = bytearray(file.read_bytes())
    for place in range(4096 * 4, len(content) - 4096, 997):
        content[place] ^= 0xFF
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)

    with pytest.raises(StoreFault, match=r"damaged|cannot be copied"):
        _copied(f"sqlite:///{damaged}", sent, tmp_path / "first")
    _copied(sqlite_url, sent, tmp_path / "second")


def test_a_dump_is_never_put_over_something_else(
    postgres_house_url: str, postgres_url: str, sent: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreFault, match="is not empty"):
        require_empty(postgres_house_url)
    with same_moment(postgres_house_url, sent) as (first, _):
        first.copy_to(tmp_path / "dump")
    with pytest.raises(StoreAway, match=r"pg_restore failed \("):
        fill(postgres_house_url, tmp_path / "dump")

    require_empty(new_database(postgres_url, f"empty_{secrets.token_hex(4)}"))


def test_missing_programs_are_said_plainly(
    postgres_house_url: str, sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("pg_dump") is None

    with pytest.raises(StoreFault, match="pg_dump is not installed; install the package postgresql-client"):
        _copied(postgres_house_url, sent, tmp_path / "copy")
    with pytest.raises(StoreFault, match="pg_restore is not installed"):
        require_empty(postgres_house_url)


def test_a_change_to_a_copy_is_made_whole_or_not_at_all(sent: Path) -> None:
    with opened_copy(sent) as copy:
        copy.execute("INSERT INTO sent VALUES (1)")
    with pytest.raises(StoreAway), opened_copy(sent) as copy:
        copy.executescript("BEGIN; INSERT INTO sent VALUES (2); INSERT INTO nowhere VALUES (3)")

    assert sqlite3.connect(sent).execute("SELECT number FROM sent").fetchall() == [(1,)]


def test_the_version_of_what_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreOlder):
        version_at(f"sqlite:///{tmp_path / 'house.db'}")

    assert list(tmp_path.iterdir()) == []
