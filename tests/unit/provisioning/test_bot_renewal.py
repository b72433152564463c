"""Renewing a bot changes nothing until it can be done, and deletes nothing."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.cross_signing import SigningSeeds
from bots.runtime.crypto_store import StoreLock
from bots.runtime.errors import StoreInUse
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat
from keyhouse.settings.house import HouseSettings
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.bot_accounts import kept_credentials
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from provisioning.held_accounts import HeldAccount
from provisioning.house_lock import HouseLock
from provisioning.matrix import HomeserverAway
from provisioning.preflight import SHIPPED_CONFIG
from provisioning.renewing import renew_bot
from tests.support.ports import free_port

WATCHER = Worker.RISK_MONITOR


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that was up, whose homeserver is away, with a watcher."""
    directory = HouseDirectory(tmp_path / "house")
    homeserver, front_door = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver=homeserver,
        front_door=front_door,
        database=f"sqlite:///{directory.database}",
        config=SHIPPED_CONFIG,
    )
    house = make_house(directory, settings)
    HeldAccount.load_or_draw(directory.account(ServiceAccount.CARETAKER), UserId("@caretaker:keyhouse.test"))
    files = BotFiles(directory.bot(WATCHER))
    BotCredentials(homeserver, "@watcher:keyhouse.test", "a password", "WATCHER-1").save(files.directory)
    files.store("WATCHER-1").mkdir(parents=True)
    (files.store("WATCHER-1") / "crypto.db").write_text("a store")
    files.pickle_key.write_text("")
    SigningSeeds.make(files.signing_seeds)
    return house


def contents(house: House) -> dict[str, str]:
    """Every file of the watcher, by its path; a lock is no content."""
    root = house.directory.bot(WATCHER)
    files = [each for each in root.rglob("*") if each.is_file() and each.name != "lock"]
    return {str(each.relative_to(root)): each.read_text() for each in files}


def renewals(house: House) -> int:
    with sqlite3.connect(house.directory.database) as database:
        (count,) = database.execute("SELECT count(*) FROM audit_entry WHERE action = 'bot.renewed'").fetchone()
    database.close()
    return int(count)


async def test_while_the_house_is_down_all_but_the_seeds_is_put_aside_and_nothing_is_deleted(house: House) -> None:
    before = contents(house)

    assert await renew_bot(house, WATCHER) is None

    after = contents(house)
    assert sorted(after.values()) == sorted(before.values())
    assert [name for name in after if ".replaced-" not in name] == ["signing_seeds.json"]
    assert kept_credentials(house, WATCHER) is None
    assert renewals(house) == 1


def has_worked(house: House) -> None:
    now = datetime.now(UTC)
    with house.store.writing() as tx:
        tx.heartbeats.beat(Heartbeat(WATCHER, 1, now, now, now, {}))


def renewed(house: House) -> int:
    """The exit status of the command."""
    return run(["--data", str(house.directory.root), "bot", "renew", WATCHER], as_json=False)


@pytest.mark.parametrize("seeds", ["", "{}", "seeds"], ids=["empty", "no_seed_in_it", "no_json"])
def test_a_bot_whose_signing_seeds_are_damaged_is_refused_in_one_sentence_and_nothing_changes(
    house: House, seeds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    BotFiles(house.directory.bot(WATCHER)).signing_seeds.write_text(seeds)
    before = contents(house)

    status = renewed(house)

    said = capsys.readouterr()
    assert status == 1
    assert "signing_seeds.json is damaged. Restore signing_seeds.json from a copy" in said.err
    assert said.out == ""
    assert contents(house) == before


def test_a_bot_that_has_worked_and_has_no_signing_seeds_is_refused_and_nothing_changes(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    BotFiles(house.directory.bot(WATCHER)).signing_seeds.unlink()
    has_worked(house)
    before = contents(house)

    status = renewed(house)

    assert status == 1
    assert contents(house) == before
    assert "or that file is missing. Restore signing_seeds.json from a copy" in capsys.readouterr().err


def test_a_bot_that_never_worked_and_has_no_signing_seeds_is_renewed(house: House) -> None:
    BotFiles(house.directory.bot(WATCHER)).signing_seeds.unlink()

    assert renewed(house) == 0
    assert renewals(house) == 1


def test_a_bot_that_has_worked_and_has_its_seeds_is_renewed(house: House) -> None:
    has_worked(house)

    assert renewed(house) == 0
    assert renewals(house) == 1


async def test_the_old_devices_token_is_kept_for_signing_it_out(house: House) -> None:
    files = BotFiles(house.directory.bot(WATCHER))
    files.session.write_text('{"access_token": "a token", "device_id": "WATCHER-1"}')

    await renew_bot(house, WATCHER)

    assert not files.session.exists()
    assert "a token" in (files.replaced_sessions / "WATCHER-1.json").read_text()


async def test_a_bot_that_runs_is_refused_and_nothing_changes(house: House) -> None:
    before = contents(house)
    lock = StoreLock(BotFiles(house.directory.bot(WATCHER)).store("WATCHER-1"))

    with pytest.raises(StoreInUse, match="Another process already runs this bot"):
        await renew_bot(house, WATCHER)

    lock.release()
    assert contents(house) == before
    assert renewals(house) == 0


async def test_while_the_homeserver_of_a_house_that_is_up_is_away_nothing_changes(house: House) -> None:
    before = contents(house)

    with HouseLock(house.directory.supervisor_pid), pytest.raises(HomeserverAway, match="does not answer"):
        await renew_bot(house, WATCHER)

    assert contents(house) == before
    assert renewals(house) == 0


async def test_damaged_credentials_are_put_aside_too(house: House) -> None:
    BotFiles(house.directory.bot(WATCHER)).credentials.write_text("{half")

    await renew_bot(house, WATCHER)

    assert kept_credentials(house, WATCHER) is None


def test_another_name_is_wrong_usage_and_the_names_are_told(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--data", str(house.directory.root), "bot", "renew", "watcher"], as_json=False) == 2
    assert "risk_monitor or room_gatekeeper" in capsys.readouterr().err
