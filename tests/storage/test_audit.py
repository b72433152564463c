"""The chain: whatever somebody changes in the tables by hand is found."""

import random
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, delete, insert, select, update

from keyhouse.core.ports import Store
from keyhouse.storage import audit
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import SqlStore, open_store
from keyhouse.storage.tables import audit_anchor, audit_entry, audit_person_key
from tests.support.fresh import SEED
from tests.support.household import NOW, user

ENTRIES = 12


@pytest.fixture
def chain(sql_store: SqlStore) -> SqlStore:
    """A store with a chain of a few acts."""
    _act(sql_store, ENTRIES)
    return sql_store


@pytest.fixture
def by_hand(database_url: str) -> Iterator[Engine]:
    """The database, without the house between."""
    engine = create_engine(database_url)
    yield engine
    engine.dispose()


def _act(store: Store, times: int) -> None:
    with store.writing() as tx:
        for number in range(times):
            tx.audit.append("case.claimed", actor=user("dr"), subject="host", detail={"case": number}, now=NOW)


def _rows(connection: Connection) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(select(audit_entry).order_by(audit_entry.c.sequence))]


def _put(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(delete(audit_entry))
    if rows:
        connection.execute(insert(audit_entry), rows)


def _edit(rows: list[dict[str, Any]], at: int) -> None:
    rows[at]["detail"] = {"case": 999}


def _delete(rows: list[dict[str, Any]], at: int) -> None:
    del rows[at]


def _delete_and_renumber(rows: list[dict[str, Any]], at: int) -> None:
    del rows[at]
    for sequence, row in enumerate(rows, 1):
        row["sequence"] = sequence


def _swap(rows: list[dict[str, Any]], at: int) -> None:
    other = (at + 1) % len(rows)
    rows[at]["sequence"], rows[other]["sequence"] = rows[other]["sequence"], rows[at]["sequence"]


def _insert(rows: list[dict[str, Any]], at: int) -> None:
    rows.insert(at, dict(rows[at]))
    for sequence, row in enumerate(rows, 1):
        row["sequence"] = sequence


def _append(rows: list[dict[str, Any]], at: int) -> None:
    rows.append({**rows[at], "sequence": len(rows) + 1})


def _truncate(rows: list[dict[str, Any]], at: int) -> None:
    del rows[at:]


TAMPERINGS = [_edit, _delete, _delete_and_renumber, _swap, _insert, _append, _truncate]


def test_an_untouched_chain_holds(store: Store) -> None:
    with store.reading() as tx:
        empty = tx.audit.verify()
    _act(store, ENTRIES)

    with store.reading() as tx:
        finding = tx.audit.verify()
    assert (empty.ok, empty.entries, finding.ok, finding.entries) == (True, 0, True, ENTRIES)


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.__name__.strip("_"))
def test_every_tampering_is_found_wherever_it_is(
    chain: SqlStore, by_hand: Engine, tampering: Callable[[list[dict[str, Any]], int], None]
) -> None:
    with by_hand.begin() as connection:
        original = _rows(connection)
    for at in range(ENTRIES):
        rows = [dict(row) for row in original]
        tampering(rows, at)
        with by_hand.begin() as connection:
            _put(connection, rows)
        with chain.reading() as tx:
            assert not tx.audit.verify().ok, f"{tampering.__name__} at {at + 1} was not found"

    with by_hand.begin() as connection:
        _put(connection, original)
    with chain.reading() as tx:
        assert tx.audit.verify().ok


@pytest.mark.parametrize("field", ["at", "action", "actor", "subject", "detail", "mac"])
def test_a_change_of_any_field_is_found_at_its_entry(chain: SqlStore, by_hand: Engine, field: str) -> None:
    changed = {"at": NOW.replace(year=2020), "detail": {"case": 1, "more": 1}}.get(field, "0" * 64)

    with by_hand.begin() as connection:
        connection.execute(update(audit_entry).where(audit_entry.c.sequence == 5).values({field: changed}))

    with chain.reading() as tx:
        assert tx.audit.verify().first_bad == 5


def test_two_hundred_random_tamperings_are_all_found(sqlite_url: str, house_keys: HouseKeys) -> None:
    chance = random.Random(SEED)
    store, engine = open_store(sqlite_url, house_keys), create_engine(sqlite_url)
    _act(store, ENTRIES)
    with engine.begin() as connection:
        original = _rows(connection)
    missed = []
    for _ in range(200):
        rows = [dict(row) for row in original]
        tampering, at = chance.choice(TAMPERINGS), chance.randrange(ENTRIES)
        tampering(rows, at)
        with engine.begin() as connection:
            _put(connection, rows)
        with store.reading() as tx:
            missed += [(tampering.__name__, at)] if tx.audit.verify().ok else []
    store.close()
    engine.dispose()

    assert missed == [], f"seed {SEED}"


@pytest.mark.parametrize("lost", [1, ENTRIES], ids=["the last entry", "every entry"])
@pytest.mark.parametrize("anchor_too", [False, True], ids=["the anchor stays", "the anchor goes too"])
def test_an_end_that_was_cut_off_is_found_also_after_more_acts(
    chain: SqlStore, by_hand: Engine, lost: int, anchor_too: bool
) -> None:
    with by_hand.begin() as connection:
        connection.execute(delete(audit_entry).where(audit_entry.c.sequence > ENTRIES - lost))
        if anchor_too:
            connection.execute(update(audit_anchor).values(entries=ENTRIES - lost))
    with chain.reading() as tx:
        at_once = tx.audit.verify()
    _act(chain, 2)

    with chain.reading() as tx:
        later = tx.audit.verify()
    assert (at_once.ok, later.ok) == (False, False)
    assert later.first_bad == ENTRIES - lost + 1


def test_the_house_goes_on_when_the_anchor_is_gone_and_the_loss_is_found(chain: SqlStore, by_hand: Engine) -> None:
    with by_hand.begin() as connection:
        connection.execute(delete(audit_anchor))
        connection.execute(delete(audit_entry).where(audit_entry.c.sequence > ENTRIES - 3))
    _act(chain, 2)

    with chain.reading() as tx:
        assert tx.audit.verify().first_bad == ENTRIES - 3 + 1


def test_a_chain_under_another_key_does_not_hold(chain: SqlStore, database_url: str, house_keys: HouseKeys) -> None:
    other = open_store(database_url, HouseKeys(house_keys.code_hash, house_keys.seal, secrets.token_bytes(32)))

    with other.reading() as tx:
        assert tx.audit.verify().first_bad == 1
    with chain.reading() as tx:
        assert tx.audit.verify().ok
    other.close()


def test_a_long_chain_is_walked_in_batches(sqlite_url: str, house_keys: HouseKeys) -> None:
    store, engine = open_store(sqlite_url, house_keys), create_engine(sqlite_url)
    _act(store, audit.BATCH + 5)
    with store.reading() as tx:
        assert tx.audit.verify().ok

    with engine.begin() as connection:
        connection.execute(update(audit_entry).where(audit_entry.c.sequence == audit.BATCH + 1).values(actor=""))
    with store.reading() as tx:
        assert tx.audit.verify().first_bad == audit.BATCH + 1
    store.close()
    engine.dispose()


def test_an_erased_person_can_be_linked_to_nothing_and_the_chain_still_holds(
    sql_store: SqlStore, by_hand: Engine
) -> None:
    for _ in range(2):
        with sql_store.writing() as tx:
            tx.audit.append("referral.redeemed", actor=user("river"), now=NOW)
            tx.audit.append("rooms.made", actor="host", now=NOW)
    with sql_store.writing() as tx:
        tx.audit.forget(user("river"))
    with sql_store.writing() as tx:
        tx.audit.append("referral.redeemed", actor=user("river"), now=NOW)

    with by_hand.begin() as connection:
        river, host, river_again, host_again, newcomer = (row["actor"] for row in _rows(connection))
        keys = [row.person for row in connection.execute(select(audit_person_key))]
    assert (river, host) == (river_again, host_again)
    assert newcomer not in (river, host)
    assert keys == [user("river")]
    with sql_store.reading() as tx:
        assert tx.audit.verify().ok


def test_nobody_stands_in_the_chain_by_name(chain: SqlStore, by_hand: Engine) -> None:
    with by_hand.begin() as connection:
        entries = repr(_rows(connection))

    assert user("dr") not in entries
    assert "host" not in entries
