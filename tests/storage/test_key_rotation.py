"""A new seal for everything sealed: whenever it is killed, all opens, and nothing is decided a second time."""

import json
import multiprocessing
import os
import shutil
import signal
import stat
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, create_engine, text

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.private_files import write_private_bytes
from keyhouse.core.ids import EventId, ReferralId, RoomId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.settings.house import HouseSettings, save_house
from keyhouse.storage.errors import SealBroken
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.resealing import SEALED_COLUMNS, Batch, count_old
from keyhouse.storage.sealing import Seal
from keyhouse.storage.store import open_store
from keyhouse.storage.tables import metadata
from provisioning.answers import Failure
from provisioning.directory import HouseDirectory
from provisioning.keys import ROOM_KEYS, rotate_keys
from tests.support.household import NOW, referral, user

EVENTS = [EventId(f"${number}") for number in range(7)]
ONCE = [*EVENTS, "done"]
NAMES = ["river", "clover", "birch"]
WORKER = Worker.BOOKING
AT_ONCE = 3
BATCHES = ["outgoing"] * 3 + ["incoming"] * 3 + ["referral", "audit_person_key", ROOM_KEYS]
"""What is heard of a rotation of this house with three rows at once."""


@pytest.fixture
def directory(database_url: str, house_keys: HouseKeys, tmp_path: Path) -> HouseDirectory:
    """A house in which something of every sort lies sealed, and whose keys are those of an older version."""
    directory = HouseDirectory(tmp_path / "data")
    directory.house_keys.parent.mkdir(parents=True)
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:2",
        database=database_url,
        config=tmp_path,
    )
    save_house(directory.root, settings)
    three = {"code_hash": house_keys.code_hash, "seal": house_keys.seal, "audit": house_keys.audit}
    directory.house_keys.write_text(json.dumps({name: key.hex() for name, key in three.items()}))
    _furnish(database_url, house_keys)
    _keep_room_keys(directory, Seal.of(house_keys))
    return directory


def _decided(once: str) -> NewOutgoing:
    return NewOutgoing(OutgoingKind.GREETING, WORKER, once, {"words": once}, NOW)


def _furnish(url: str, keys: HouseKeys) -> None:
    store = open_store(url, keys)
    with store.writing() as tx:
        tx.outbox.add_all([_decided(once) for once in ONCE], NOW)
        tx.outbox.done(tx.outbox.due(WORKER, NOW, 9)[-1].id, NOW)
        tx.inbox.receive(WORKER, [NewIncoming(RoomId("!a"), event, {"body": event}) for event in EVENTS], NOW)
        tx.inbox.take(WORKER, EventId("$done"), NOW)
        tx.inbox.unread(WORKER, EVENTS[0], "a room key", "no_key", NOW)
        tx.referrals.add(referral("without"))
        for name in NAMES:
            tx.referrals.add(referral(name), f"R {name} 1")
        _act(tx)
    store.close()


def _act(tx: Transaction) -> None:
    for name in NAMES:
        tx.audit.append("test", actor=user(name), now=NOW)


def _keep_room_keys(directory: HouseDirectory, seal: Seal) -> None:
    files = BotFiles(directory.bot("booking"))
    BotCredentials("http://127.0.0.1:1", user("booking"), "password", "DEVICE").save(files.directory)
    version = "keyhouse room keys 1"
    sealed = seal.close(b"[]", version, user("booking"))
    write_private_bytes(files.room_key_export, f"{version}\n{seal.key_id}\n".encode() + sealed)
    shutil.copy(files.room_key_export, f"{files.room_key_export}.unreadable")
    write_private_bytes(directory.bot("other") / "room_keys.export", b"of somebody else")
    BotCredentials("http://127.0.0.1:1", user("other"), "password", "DEVICE2").save(directory.bot("other"))


def _see_that_all_opens(directory: HouseDirectory, url: str) -> None:
    """Read everything as the house would, and see that what was decided once is known."""
    store = open_store(url, HouseKeys.load(directory.house_keys))
    with store.reading() as tx:
        assert [(row.once, row.content["words"]) for row in tx.outbox.due(WORKER, NOW, 99)] == [(e, e) for e in EVENTS]
        assert [tx.referrals.reference_of(ReferralId(f"r-{name}")) for name in NAMES] == [f"R {one} 1" for one in NAMES]
        assert tx.referrals.reference_of(ReferralId("r-without")) is None
        assert [one.raw for one in tx.inbox.readable_by(WORKER, ["a room key"], 9)] == [{"body": EVENTS[0]}]
    with store.writing() as tx:
        assert tx.outbox.add_all([_decided(once) for once in ONCE], NOW) == 0
        assert [one.raw for one in tx.inbox.left_over(WORKER, 99)] == [{"body": event} for event in EVENTS[1:]]
        _act(tx)
        assert tx.audit.verify().ok
    store.close()
    assert len(_column(url, "SELECT DISTINCT actor FROM audit_entry WHERE action = 'test'")) == len(NAMES)


def _column(url: str, query: str) -> list[object]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(text(query)).scalars())
    engine.dispose()
    return found


def _execute(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _ignore(_batch: Batch) -> None:
    pass


def test_a_rotation_puts_everything_under_a_new_seal_and_forgets_the_old_one(
    directory: HouseDirectory, database_url: str, house_keys: HouseKeys
) -> None:
    made, heard = directory.house_keys.stat().st_mtime, list[str]()

    resealed = rotate_keys(directory, lambda batch: heard.append(batch.table), AT_ONCE)

    now = HouseKeys.load(directory.house_keys)
    assert resealed == {"outgoing": 7, "incoming": 7, "referral": 3, "audit_person_key": 3, ROOM_KEYS: 2}
    assert heard == BATCHES
    assert now.seal != house_keys.seal
    assert (now.retiring, now.code_hash, now.audit) == (None, house_keys.code_hash, house_keys.audit)
    assert house_keys.seal.hex() not in directory.house_keys.read_text()
    assert count_old(database_url, Seal.of(now)) == 0
    assert count_old(database_url, Seal.of(house_keys)) == 7 + 7 + 3 + 3
    _see_that_all_opens(directory, database_url)
    assert directory.house_keys.stat().st_mtime == made
    assert stat.S_IMODE(directory.house_keys.stat().st_mode) == 0o600
    assert os.listdir(directory.house_keys.parent) == ["house.keys"]


def test_the_copies_of_room_keys_open_under_the_new_seal_alone(
    directory: HouseDirectory, house_keys: HouseKeys
) -> None:
    rotate_keys(directory, _ignore)

    seal = Seal.of(HouseKeys.load(directory.house_keys))
    for name in ("room_keys.export", "room_keys.export.unreadable"):
        version, key_id, sealed = (directory.bot("booking") / name).read_bytes().split(b"\n", 2)
        assert seal.open(sealed, version.decode(), user("booking"), key_id.decode()) == b"[]"
        with pytest.raises(SealBroken):
            Seal.of(house_keys).open(sealed, version.decode(), user("booking"), key_id.decode())
    assert (directory.bot("other") / "room_keys.export").read_bytes() == b"of somebody else"


def test_what_finds_sealed_words_again_never_changes(
    directory: HouseDirectory, database_url: str, house_keys: HouseKeys
) -> None:
    for _ in range(3):
        rotate_keys(directory, _ignore)

    now = HouseKeys.load(directory.house_keys)
    assert Seal.of(now).fingerprint("word") == Seal(house_keys.seal).fingerprint("word")
    assert Seal(now.seal).fingerprint("word") != Seal(house_keys.seal).fingerprint("word")
    assert now.fingerprint == house_keys.fingerprint_key
    _see_that_all_opens(directory, database_url)


def _rotate_until(directory: HouseDirectory, batch: int) -> None:
    """What a process does that is killed after so many batches."""
    heard: list[Batch] = []

    def count(one: Batch) -> None:
        heard.append(one)
        if len(heard) == batch:
            os.kill(os.getpid(), signal.SIGKILL)

    rotate_keys(directory, count, AT_ONCE)


def _rotate_and_die(directory: HouseDirectory, batch: int) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=_rotate_until, args=(directory, batch))
    process.start()
    process.join(60)
    return process.exitcode


@pytest.mark.parametrize("batch", range(1, len(BATCHES) + 1))
def test_whenever_a_rotation_is_killed_all_opens_and_the_next_one_finishes_it(
    directory: HouseDirectory, database_url: str, house_keys: HouseKeys, batch: int
) -> None:
    assert _rotate_and_die(directory, batch) == -signal.SIGKILL

    half = HouseKeys.load(directory.house_keys)
    _see_that_all_opens(directory, database_url)
    rotate_keys(directory, _ignore)

    now = HouseKeys.load(directory.house_keys)
    assert half.retiring == house_keys.seal
    assert (now.seal, now.retiring) == (half.seal, None)
    assert count_old(database_url, Seal.of(now)) == 0
    _see_that_all_opens(directory, database_url)


def test_a_rotation_that_is_killed_again_and_again_comes_to_its_end(
    directory: HouseDirectory, database_url: str
) -> None:
    exits = [_rotate_and_die(directory, 2) for _ in BATCHES]
    rotate_keys(directory, _ignore)

    assert exits.count(-signal.SIGKILL) >= 4
    assert HouseKeys.load(directory.house_keys).retiring is None
    _see_that_all_opens(directory, database_url)


def test_a_house_that_was_up_between_two_halves_of_a_rotation_loses_nothing(
    directory: HouseDirectory, database_url: str
) -> None:
    _rotate_and_die(directory, 1)
    store = open_store(database_url, HouseKeys.load(directory.house_keys))
    with store.writing() as tx:
        tx.referrals.add(referral("new"), "R new 1")
        tx.outbox.done(tx.outbox.due(WORKER, NOW, 9)[-1].id, NOW)
    store.close()

    resealed = rotate_keys(directory, _ignore)

    assert (resealed["outgoing"], resealed["referral"]) == (7 - AT_ONCE - 1, 3)
    store = open_store(database_url, HouseKeys.load(directory.house_keys))
    with store.reading() as tx:
        assert tx.referrals.reference_of(ReferralId("r-new")) == "R new 1"
        assert len(tx.outbox.due(WORKER, NOW, 9)) == 6
    store.close()


def test_a_row_that_does_not_open_stays_as_it_is_and_keeps_the_old_seal(
    directory: HouseDirectory, database_url: str, house_keys: HouseKeys
) -> None:
    _execute(database_url, "UPDATE outgoing SET txn_id = 'changed by hand' WHERE id = 2")
    (before,) = _column(database_url, "SELECT sealed FROM outgoing WHERE id = 2")

    with pytest.raises(Failure, match="1 of the sealed rows cannot be opened and stay as they are"):
        rotate_keys(directory, _ignore)

    assert HouseKeys.load(directory.house_keys).retiring == house_keys.seal
    assert _column(database_url, "SELECT sealed FROM outgoing WHERE id = 2") == [before]
    _execute(database_url, "DELETE FROM outgoing WHERE id = 2")
    assert rotate_keys(directory, _ignore)["outgoing"] == 0
    assert HouseKeys.load(directory.house_keys).retiring is None


def test_what_a_killed_write_of_the_keys_left_is_cleared_away(directory: HouseDirectory) -> None:
    left = directory.house_keys.with_name("house.keys.0a1b2c3d.part")
    left.write_text("keys of then")

    rotate_keys(directory, _ignore)

    assert not left.exists()


def test_every_sealed_column_of_the_tables_is_rotated() -> None:
    sealed = {
        column for table in metadata.tables.values() for column in table.c if isinstance(column.type, LargeBinary)
    }

    assert sealed == {each.sealed for each in SEALED_COLUMNS}
