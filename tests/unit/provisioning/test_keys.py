"""`keyhouse keys rotate`: only in a house that is down, and alone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Heartbeat
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.house_keys import HouseKeys
from provisioning import keys
from provisioning.answers import House
from provisioning.bootstrap import make_house
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from provisioning.house_lock import HouseLock
from provisioning.in_use import KeysInUse

CONFIG = Path(__file__).parents[3] / "config"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that was never up."""
    root = tmp_path / "data"
    settings = HouseSettings(
        server_name="keyhouse.test",
        homeserver="http://127.0.0.1:1",
        front_door="http://127.0.0.1:8090",
        database=f"sqlite:///{root / 'keyhouse.db'}",
        config=CONFIG,
    )
    return make_house(HouseDirectory(root), settings)


def _rotate(house: House) -> int:
    return run(["--data", str(house.directory.root), "keys", "rotate"], as_json=True)


def _beat(house: House, age: timedelta) -> None:
    moment = datetime.now(UTC) - age
    with house.store.writing() as tx:
        tx.heartbeats.beat(Heartbeat(Worker.BOOKING.value, 1, moment, moment, None, {}))


def test_a_rotation_answers_how_much_was_sealed_anew_and_is_an_act_in_the_chain(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["--data", str(house.directory.root), "referral", "issue", "--role", "patient", "--condition", "anorexia",
         "--reference", "R 17"], as_json=True)  # fmt: skip
    capsys.readouterr()
    before = HouseKeys.load(house.directory.house_keys)
    with house.store.reading() as tx:
        acts = tx.audit.verify().entries

    status = _rotate(house)

    answered = capsys.readouterr()
    now = HouseKeys.load(house.directory.house_keys)
    assert status == 0
    # The house's own accounts stand in the chain as well.
    assert json.loads(answered.out) == {
        "ok": True,
        "resealed": {
            "outgoing": 0,
            "incoming": 0,
            "referral": 1,
            "audit_person_key": len(ServiceAccount),
            "room_keys": 0,
        },
    }
    assert not [key for key in (before.seal, now.seal) if key.hex() in answered.out + answered.err]
    assert run(["--data", str(house.directory.root), "audit", "verify"], as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == acts + 1


def test_a_house_that_is_up_keeps_its_keys(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    before = HouseKeys.load(house.directory.house_keys)

    with HouseLock(house.directory.supervisor_pid):
        refused = _rotate(house)

    assert refused == 1
    assert "this house is already up" in capsys.readouterr().err
    assert HouseKeys.load(house.directory.house_keys) == before
    assert _rotate(house) == 0


def test_a_command_that_has_read_the_keys_is_waited_for(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.in_use.OTHERS_END_WITHIN_S", 0.2)
    before = HouseKeys.load(house.directory.house_keys)
    command = KeysInUse(house.directory.house_keys.parent)

    refused = _rotate(house)
    said = capsys.readouterr().err
    command.close()

    assert refused == 1
    assert "another command is at work in this house; wait until it has ended" in said
    assert HouseKeys.load(house.directory.house_keys) == before
    assert _rotate(house) == 0


def test_no_command_begins_while_the_keys_are_changed(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    rotation = KeysInUse(house.directory.house_keys.parent)
    rotation.alone()

    refused = run(["--data", str(house.directory.root), "referral", "list"], as_json=True)
    said = capsys.readouterr().err
    rotation.close()

    assert refused == 1
    assert said == "error: the keys of this house are being changed; wait until `keyhouse keys rotate` has ended\n"
    assert run(["--data", str(house.directory.root), "referral", "list"], as_json=True) == 0


@pytest.mark.parametrize(
    ("age", "status"),
    [pytest.param(timedelta(seconds=-60), 1, id="lives"), pytest.param(timedelta(minutes=1), 0, id="is silent")],
)
def test_a_process_that_still_beats_keeps_its_keys(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, age: timedelta, status: int
) -> None:
    monkeypatch.setattr(keys, "SILENT_WITHIN_S", 0.2)
    _beat(house, age)

    assert _rotate(house) == status

    assert ("perhaps on another machine; stop it" in capsys.readouterr().err) == bool(status)


def test_a_house_that_is_not_there_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--data", str(tmp_path / "nowhere"), "keys", "rotate"], as_json=True) == 1

    assert "holds no house yet" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()
