"""A house whose seal was rotated goes into a backup and comes back, in the midst of it as well."""

from pathlib import Path

import pytest

from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import load_house
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.resealing import Batch
from keyhouse.storage.store import open_store
from provisioning.backup import make_backup
from provisioning.directory import HouseDirectory
from provisioning.keys import rotate_keys
from provisioning.restore import restore_house
from tests.backup.pieces import CANARY, NOW


class Stopped(BaseException):
    """Somebody has stopped the rotation."""


def _stop(_batch: Batch) -> None:
    raise Stopped


def _go_on(_batch: Batch) -> None:
    pass


def _words(directory: HouseDirectory) -> list[object]:
    store = open_store(load_house(directory.root).database, HouseKeys.load(directory.house_keys))
    with store.reading() as tx:
        words = [row.content["words"] for row in tx.outbox.due(Worker.BOOKING, NOW, 9)]
        assert tx.outbox.known("once")
    store.close()
    return words


def test_a_house_with_a_new_seal_comes_back_from_a_backup(made: Path, target: HouseDirectory, tmp_path: Path) -> None:
    restore_house(target, made, None, NOW)
    rotate_keys(target, _go_on)
    make_backup(target, tmp_path / "later", NOW)
    again = HouseDirectory(tmp_path / "again")

    restore_house(again, tmp_path / "later", None, NOW)

    assert HouseKeys.load(again.house_keys) == HouseKeys.load(target.house_keys)
    assert HouseKeys.load(again.house_keys).fingerprint is not None
    assert _words(again) == [CANARY]


def test_a_house_whose_rotation_was_stopped_comes_back_with_both_seals_and_can_finish_it(
    made: Path, target: HouseDirectory, tmp_path: Path
) -> None:
    restore_house(target, made, None, NOW)
    with pytest.raises(Stopped):
        rotate_keys(target, _stop)
    make_backup(target, tmp_path / "later", NOW)
    again = HouseDirectory(tmp_path / "again")

    restore_house(again, tmp_path / "later", None, NOW)
    words = _words(again)
    rotate_keys(again, _go_on)

    assert words == _words(again) == [CANARY]
    assert HouseKeys.load(again.house_keys).retiring is None
