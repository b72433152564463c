"""A whole house out and in again: nothing is missing, and nothing is there that must not be."""

import json
import secrets
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bots.runtime.credentials import BotCredentials, BotFiles
from keyhouse.core.outgoing import Worker
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import load_house, save_house
from keyhouse.storage.errors import StoreFault
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from keyhouse.storage.versions import known_versions
from provisioning.answers import Failure
from provisioning.backup import last_backup_at, make_backup
from provisioning.backup_manifest import FILE, Manifest
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from provisioning.house_lock import HouseLock
from provisioning.restore import restore_house
from tests.backup.pieces import CANARY, NOW, nothing_is_left_of, settings_of
from tests.support.household import person, user
from tests.support.postgres import binaries, new_database

NEVER = ("session.json", "pickle_key.json", "crypto.db", "look_back.json", "ready.json", "up.pid")


def test_a_house_comes_back_whole_with_a_new_device_for_each_bot(
    stopped: HouseDirectory, made: Path, target: HouseDirectory
) -> None:
    restore_house(target, made, None, NOW + timedelta(hours=1))

    before, after = load_house(stopped.root), load_house(target.root)
    old, new = (BotFiles(each.bot("risk_monitor")) for each in (stopped, target))
    credentials = BotCredentials.load(new.directory)
    assert after == before.model_copy(
        update={"database": f"sqlite:///{target.database}", "config": target.root / "config"}
    )
    assert credentials == replace(BotCredentials.load(old.directory), device_id=credentials.device_id)
    assert credentials.device_id.startswith("WATCHER-")
    assert credentials.device_id != "WATCHER-OLD"
    assert (new.signing_seeds.read_text(), new.room_key_export.read_text()) == ("seeds", "sealed room keys")
    assert (target.homeserver / "media/local_content/ab/cd/picture").read_bytes() == b"an encrypted picture"
    assert (target.homeserver / "signing.key").read_bytes() == (stopped.homeserver / "signing.key").read_bytes()
    assert (target.root / "config/lexicons").is_dir()
    assert [(target.root / place).read_text() for place in ("lexicon/accepted.json", "secrets/pager-url")] == [
        "kept"
    ] * 2
    assert last_backup_at(stopped) == last_backup_at(target) == NOW


def test_what_was_kept_and_was_to_do_is_there_again_and_both_acts_stand_in_the_chain(
    made: Path, target: HouseDirectory
) -> None:
    restore_house(target, made, None, NOW)

    store = open_store(load_house(target.root).database, HouseKeys.load(target.house_keys))
    with store.reading() as tx:
        assert tx.people.get(user("river")) == person("river")
        assert [row.content["words"] for row in tx.outbox.due(Worker.BOOKING, NOW, 9)] == [CANARY]
        assert tx.audit.verify().ok
    store.close()
    with closing(sqlite3.connect(target.database)) as database:
        actions = [row[0] for row in database.execute("SELECT action FROM audit_entry ORDER BY sequence")]
    assert actions[-1] == "house.restored"


def test_a_backup_is_for_its_owner_alone_and_holds_no_store_no_session_and_no_words(made: Path) -> None:
    everything = [made, *made.rglob("*")]
    modes = (
        {stat.S_IMODE(each.stat().st_mode) for each in everything if each.is_dir()},
        {stat.S_IMODE(each.stat().st_mode) for each in everything if each.is_file()},
    )
    contents = {each: each.read_bytes() for each in everything if each.is_file()}

    assert modes == ({0o700}, {0o600})
    assert [each for each in contents if each.name in NEVER or each.suffix in (".log", ".part")] == []
    assert [each for each, content in contents.items() if CANARY.encode() in content] == []
    assert {each.relative_to(made).as_posix() for each in contents} == {*Manifest.load(made).paths, FILE}


def test_a_house_on_postgresql_comes_back_in_an_empty_database_alone(
    stopped: HouseDirectory, target: HouseDirectory, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(binaries()), prepend=":")
    first, second = (new_database(postgres_url, f"backup_{secrets.token_hex(4)}") for _ in range(2))
    directory = HouseDirectory(tmp_path / "on-postgres")
    shutil.copytree(stopped.homeserver, directory.homeserver)
    house = make_house(directory, settings_of(first))
    with house.store.writing() as tx:
        tx.people.add(person("clover"))
    make_backup(directory, tmp_path / "made", NOW)

    with pytest.raises(StoreFault, match="is not empty; make a new one and name it with `--database`"):
        restore_house(target, tmp_path / "made", None, NOW)
    assert nothing_is_left_of(target)
    restore_house(target, tmp_path / "made", second, NOW)

    store = open_store(second, HouseKeys.load(target.house_keys))
    with store.reading() as tx:
        assert tx.people.get(user("clover")) == person("clover")
    store.close()
    assert load_house(target.root).database == second
    assert not (target.root / "keyhouse.dump").exists()


def test_a_backup_that_is_whole_is_restored_by_the_command(
    made: Path, target: HouseDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    target.root.mkdir()

    status = run(["--data", str(target.root), "restore", str(made)], as_json=True)

    document = json.loads(capsys.readouterr().out)
    assert (status, document["ok"], document["directory"]) == (0, True, str(target.root))
    assert datetime.fromisoformat(document["made_at"]) == NOW
    assert stat.S_IMODE(target.root.stat().st_mode) == 0o700


def test_a_house_is_never_restored_over_something_else(made: Path, target: HouseDirectory) -> None:
    other = "choose another place with `--data DIR`"
    target.root.write_text("a file")
    with pytest.raises(Failure, match=f"is a file, not a directory; {other}"):
        restore_house(target, made, None, NOW)
    target.root.unlink()
    target.root.mkdir()
    (target.root / "letter").write_text("mine")
    with pytest.raises(Failure, match=f"is not empty; {other}"):
        restore_house(target, made, None, NOW)
    save_house(target.root, settings_of("sqlite:////nowhere/house.db"))
    with pytest.raises(Failure, match=f"holds a house already, and a backup is never put over one; {other}"):
        restore_house(target, made, None, NOW)
    with HouseLock(target.supervisor_pid), pytest.raises(Failure, match="this house is already up"):
        restore_house(target, made, None, NOW)

    assert (target.root / "letter").read_text() == "mine"
    assert not target.database.exists()


def test_a_backup_is_made_only_where_nothing_is_and_only_of_a_house(
    stopped: HouseDirectory, target: HouseDirectory, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    make_backup(stopped, taken, NOW)
    with pytest.raises(Failure, match="is there already and is not empty; name a folder that does not exist yet"):
        make_backup(stopped, taken, NOW)
    with pytest.raises(Failure, match="lies in the house itself and would be lost with it"):
        make_backup(stopped, stopped.root / "backup", NOW)
    with pytest.raises(SettingsFault, match="holds no house yet"):
        make_backup(target, tmp_path / "none", NOW)

    assert not (tmp_path / "none").exists()
    assert Manifest.load(taken).tables == known_versions()[-1]


def test_a_backup_without_the_keys_or_the_homeserver_is_not_made(stopped: HouseDirectory, tmp_path: Path) -> None:
    house = HouseDirectory(tmp_path / "house")
    shutil.copytree(stopped.root, house.root)
    house.house_keys.rename(house.house_keys.with_suffix(".away"))
    with pytest.raises(StoreFault, match=r"house\.keys is missing"):
        make_backup(house, tmp_path / "first", NOW)
    house.house_keys.with_suffix(".away").rename(house.house_keys)
    house.homeserver_database.rename(tmp_path / "away.db")
    with pytest.raises(Failure, match=r"homeserver\.db is missing; start the house once with `keyhouse up`"):
        make_backup(house, tmp_path / "second", NOW)
    (tmp_path / "away.db").rename(house.homeserver_database)
    make_backup(house, tmp_path / "third", NOW)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["house", "third"]


def test_when_the_last_backup_was_made_is_unknown_until_one_is(stopped: HouseDirectory, tmp_path: Path) -> None:
    house = HouseDirectory(tmp_path / "house")
    shutil.copytree(stopped.root, house.root, ignore=shutil.ignore_patterns("run"))
    never = last_backup_at(house)
    make_backup(house, tmp_path / "made", NOW)
    once = last_backup_at(house)
    house.last_backup.write_text("{}")

    assert (never, once, last_backup_at(house)) == (None, NOW, None)
