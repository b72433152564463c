"""All or nothing, one moment, no naive time, plain faults."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Store
from keyhouse.storage.column_types import UtcDateTime
from keyhouse.storage.errors import NaiveTime, StoreAway, StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from keyhouse.storage.tables import metadata
from tests.support.household import ANOREXIA, NOW, alert, care_room, case, key, person, referral, user


class _PowerCut(Exception):
    """What ends a transaction in the middle."""


def _fill(store: Store, *, fails: bool) -> None:
    with store.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.referrals.add(referral("clover"))
        tx.rooms.put(care_room())
        tx.cases.add(case("river", alert("one", "river")))
        tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "once", {}, NOW), NOW)
        tx.audit.append("test", actor=user("river"), now=NOW)
        if fails:
            raise _PowerCut


def _count(store: Store) -> list[int]:
    with store.reading() as tx:
        return [
            len(tx.people.all()),
            len(tx.people.keys(user("river"))),
            len(tx.referrals.all()),
            len(tx.rooms.all()),
            len(tx.cases.listed(only_open=False, limit=9)),
            tx.outbox.undone(Worker.BOOKING, NOW),
            tx.audit.verify().entries,
        ]


def test_nothing_is_half_kept_when_a_transaction_raises(store: Store) -> None:
    with pytest.raises(_PowerCut):
        _fill(store, fails=True)
    after_the_failure = _count(store)
    _fill(store, fails=False)

    assert after_the_failure == [0] * 7
    assert _count(store) == [1] * 7


def test_no_table_keeps_anything_of_a_transaction_that_raised(sql_store: SqlStore, database_url: str) -> None:
    with pytest.raises(_PowerCut):
        _fill(sql_store, fails=True)

    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert [table.name for table in metadata.sorted_tables if connection.execute(select(table)).first()] == []
    engine.dispose()


def test_a_reading_transaction_sees_one_moment(sql_store: SqlStore) -> None:
    with sql_store.reading() as before:
        first = before.people.all()
        with sql_store.writing() as tx:
            tx.people.add(person("river"))
        second = before.people.all()

    with sql_store.reading() as after:
        assert (first, second, len(after.people.all())) == ([], [], 1)


def test_a_reading_transaction_changes_nothing(sql_store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"answer|read-only"), sql_store.reading() as tx:
        tx.people.add(person("river"))

    with sql_store.writing() as tx:
        assert tx.people.all() == []


def test_a_time_without_a_zone_is_refused(sql_store: SqlStore) -> None:
    naive = datetime(2027, 3, 29, 10, 0)

    with pytest.raises(NaiveTime), sql_store.writing() as tx:
        tx.people.add(replace(person("river"), since=naive))
    with pytest.raises(NaiveTime), sql_store.reading() as tx:
        tx.outbox.due(Worker.BOOKING, naive, 1)
    with pytest.raises(NaiveTime), sql_store.writing() as tx:
        tx.audit.append("test", actor="host", now=naive)
    with sql_store.writing() as tx:
        tx.people.add(person("river"))


def test_every_column_of_times_refuses_naive_ones() -> None:
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    times = [column for column in columns if "date" in str(column.type).lower() or column.name.endswith("_at")]

    assert len(times) > 20
    assert [str(column) for column in times if not isinstance(column.type, UtcDateTime)] == []


def test_a_moment_comes_back_as_utc_whatever_zone_it_was_given_in(sql_store: SqlStore) -> None:
    in_delhi = datetime.fromisoformat("2027-03-29T15:30:00.123456+05:30")

    with sql_store.writing() as tx:
        tx.people.add(replace(person("river"), since=in_delhi))

    with sql_store.reading() as tx:
        (found,) = tx.people.all()
    assert found.since.isoformat() == "2027-03-29T10:00:00.123456+00:00"


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("postgresql+psycopg2://test@127.0.0.1:1/house", id="PostgreSQL that is not there"),
        pytest.param("sqlite://{folder}/not-a-database", id="a file that is no database"),
    ],
)
def test_a_database_that_is_away_is_said_plainly(url: str, tmp_path: Path, house_keys: HouseKeys) -> None:
    (tmp_path / "not-a-database").write_text("This is a letter and no database at all. " * 200)

    with pytest.raises(StoreAway) as away:
        open_store(url.format(folder=f"/{tmp_path}"), house_keys)

    assert "\n" not in str(away.value)
    assert "sqlalche" not in str(away.value).lower()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/house", "sqlite://"], ids=str)
def test_an_address_that_cannot_be_used_is_said_plainly(url: str, house_keys: HouseKeys) -> None:
    with pytest.raises(StoreFault, match="write sqlite:////path"):
        open_store(url, house_keys)


def test_a_fault_never_shows_what_was_to_be_kept(sql_store: SqlStore) -> None:
    canary = "canary-in-a-fault"
    with sql_store.writing() as tx:
        tx.people.add(replace(person("river"), name="first"))

    with pytest.raises(StoreFault) as fault, sql_store.writing() as tx:
        tx.people.add(replace(person("river"), name=canary))

    assert canary not in f"{fault.value!r} {fault.value.__cause__!r} {fault.value.__cause__}"
