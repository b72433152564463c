"""Who waits is woken by what others keep, and by nothing else."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest

from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat, Transaction
from keyhouse.storage.changes import ChangeSignal
from keyhouse.storage.errors import StoreAway, StoreConflict
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from tests.support.household import NOW, person

AT_ONCE_S = 0.01
SOON_S = 10.0


@pytest.fixture
def signal(database_url: str) -> Iterator[ChangeSignal]:
    """A signal on each database."""
    made = ChangeSignal(database_url)
    yield made
    made.close()


def _add(store: SqlStore, name: str) -> None:
    with store.writing() as tx:
        tx.people.add(person(name))


def _add_twice(tx: Transaction) -> None:
    tx.people.add(person("river"))
    tx.people.add(person("river"))


def test_a_kept_transaction_wakes_who_waits_once(sql_store: SqlStore, signal: ChangeSignal) -> None:
    before = signal.wait(AT_ONCE_S)
    _add(sql_store, "river")

    assert (before, signal.wait(SOON_S), signal.wait(AT_ONCE_S)) == (False, True, False)


def test_a_thread_that_waits_already_is_woken(sql_store: SqlStore, signal: ChangeSignal) -> None:
    heard: list[bool] = []
    waiting = threading.Thread(target=lambda: heard.append(signal.wait(SOON_S)))
    waiting.start()
    _add(sql_store, "river")
    waiting.join(SOON_S)

    assert heard == [True]


def test_what_is_undone_or_only_read_wakes_nobody(sql_store: SqlStore, signal: ChangeSignal) -> None:
    _add(sql_store, "clover")
    assert signal.wait(SOON_S)
    with pytest.raises(StoreConflict), sql_store.writing() as tx:
        _add_twice(tx)
    with sql_store.reading() as tx:
        tx.people.all()
    with sql_store.writing() as tx:
        tx.people.all()
        tx.outbox.hasten("nothing of this name", NOW)
        tx.memberships.observe([])

    assert not signal.wait(AT_ONCE_S)
    _add(sql_store, "river")
    assert signal.wait(SOON_S)


def test_leases_and_heartbeats_wake_nobody(sql_store: SqlStore, signal: ChangeSignal) -> None:
    with sql_store.writing() as tx:
        tx.leases.take(Worker.BOOKING, "a", NOW, timedelta(seconds=1))
        tx.heartbeats.beat(Heartbeat("booking", 1, NOW, NOW, None, {}))
        tx.leases.release(Worker.BOOKING, "a")

    assert not signal.wait(AT_ONCE_S)
    _add(sql_store, "river")
    assert signal.wait(SOON_S)


def test_closing_frees_who_waits(database_url: str) -> None:
    signal, heard = ChangeSignal(database_url), list[bool]()
    waiting = threading.Thread(target=lambda: heard.append(signal.wait(SOON_S * 10)))
    waiting.start()
    signal.close()
    waiting.join(SOON_S)
    signal.close()

    assert heard == [False]


def test_a_lost_connection_is_made_again_and_counts_as_a_change(postgres_house_url: str, house_keys: HouseKeys) -> None:
    store, signal = open_store(postgres_house_url, house_keys), ChangeSignal(postgres_house_url)
    connection = psycopg2.connect(postgres_house_url.replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyhouse-listen'"
        )
        assert cursor.rowcount == 1
    connection.close()

    deadline = time.monotonic() + SOON_S
    woken = False
    while not woken and time.monotonic() < deadline:
        woken = signal.wait(AT_ONCE_S)
    _add(store, "river")

    assert woken
    assert signal.wait(SOON_S)
    signal.close()
    store.close()


def test_a_signal_on_a_database_that_is_not_there_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreAway, match="keyhouse up"):
        ChangeSignal(f"sqlite:///{tmp_path / 'nothing.db'}")
    with pytest.raises(StoreAway, match="PostgreSQL does not answer"):
        ChangeSignal("postgresql+psycopg2://test@127.0.0.1:1/house")
    assert list(tmp_path.iterdir()) == []
