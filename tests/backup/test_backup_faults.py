"""A backup that is not whole is refused, and a restore that is cut leaves nothing half."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from keyhouse.settings.house import load_house
from provisioning.backup_manifest import FILE
from provisioning.cli import run
from provisioning.directory import HouseDirectory
from provisioning.processes import wait_until
from tests.backup.pieces import nothing_is_left_of
from tests.support.house import KEYHOUSE

WITHIN_S = 30.0


def _flip(folder: Path) -> None:
    content = bytearray((folder / "keyhouse.db").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "keyhouse.db").write_bytes(content)


def _cut(folder: Path) -> None:
    file = folder / "homeserver/homeserver.db"
    file.write_bytes(file.read_bytes()[:-4096])


def _change(folder: Path, **changes: object) -> None:
    content = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**content, **changes}))


def _lead_out(folder: Path) -> None:
    files = json.loads((folder / FILE).read_text())["files"]
    _change(folder, files=[{**files[0], "path": "../somewhere-else"}, *files[1:]])


def _forget_the_keys(folder: Path) -> None:
    files = json.loads((folder / FILE).read_text())["files"]
    _change(folder, files=[file for file in files if file["path"] != "secrets/house.keys"])


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "one bit of the database changed": (_flip, "keyhouse.db is not what was backed up, so this backup is damaged"),
    "a file cut short": (_cut, "homeserver.db is not what was backed up"),
    "a file missing": (
        lambda folder: (folder / "secrets/house.keys").unlink(),
        "house.keys is missing, so this",
    ),
    "no manifest": (lambda folder: (folder / FILE).unlink(), "is no backup, or one that was not finished"),
    "a manifest cut short": (lambda folder: (folder / FILE).write_text('{"format": 1'), "is damaged"),
    "a manifest of another format": (lambda folder: _change(folder, format=2), "is damaged, or of a newer version"),
    "a path that leads out": (_lead_out, "manifest.json is damaged"),
    "keys that were never put in": (_forget_the_keys, "secrets/house.keys is not in .*, so this backup is incomplete"),
    "newer tables": (lambda folder: _change(folder, tables="9999"), "written by a newer version of keyhouse"),
    "a newer Synapse": (lambda folder: _change(folder, synapse="99.1.0"), "of a house with Synapse 99.1.0"),
    "no folder": (shutil.rmtree, "is no backup"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_backup_that_is_not_whole_is_refused_and_leaves_nothing(
    made: Path, target: HouseDirectory, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    damage, sentence = FAULTS[fault]
    damage(made)

    status = run(["--data", str(target.root), "restore", str(made)], as_json=True)

    said = capsys.readouterr()
    assert (status, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert re.search(sentence, said.err)
    assert nothing_is_left_of(target)


def test_a_restore_that_is_killed_leaves_no_house_and_the_next_one_makes_it(made: Path, target: HouseDirectory) -> None:
    late = made / "secrets" / "house.keys"
    kept = late.read_bytes()
    late.unlink()
    # Whoever reads it waits, so that the restore is killed in its midst.
    os.mkfifo(late)
    command = [str(KEYHOUSE), "--data", str(target.root), "restore", str(made)]
    part = target.root.with_name(f".{target.root.name}.part")

    restoring = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until((part / "house.yaml").exists, WITHIN_S), "it did not get so far"
    begun = sorted(each.name for each in part.iterdir())
    restoring.send_signal(signal.SIGKILL)
    restoring.wait(WITHIN_S)
    there = target.root.exists()
    late.unlink()
    late.write_bytes(kept)
    done = subprocess.run(command, capture_output=True, timeout=WITHIN_S, check=False)

    assert "keyhouse.db" in begun
    assert not there
    assert (done.returncode, part.exists()) == (0, False)
    assert load_house(target.root).server_name == "keyhouse.test"
