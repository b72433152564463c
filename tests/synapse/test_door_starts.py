"""A door that does not fit keeps Synapse from starting, and says why."""

from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from tests.support.door import database_url, door_module
from tests.support.ports import free_port
from tests.support.synapse import RunningSynapse, SynapseStartError, plan_for_tests


async def test_beside_another_synapse_the_door_stays_shut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = metadata.distribution("matrix-synapse").read_text("METADATA")
    assert installed is not None
    other = tmp_path / "installed" / "matrix_synapse-1.164.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text(installed.replace("\nVersion: 1.163.2\n", "\nVersion: 1.164.0\n"))
    monkeypatch.setenv("PYTHONPATH", str(other.parent))

    with pytest.raises(SynapseStartError, match=r"this is Synapse 1\.164\.0.*make setup"):
        await _start(tmp_path, door_module(tmp_path))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"databse": "sqlite:///x", "house_keys": 7}, "databse is not known; house_keys must be a str"),
        ({"database": "sqlite:////nowhere/house.db"}, "keyhouse up"),
    ],
    ids=["wrong settings", "no database"],
)
async def test_a_fault_in_the_door_s_settings_stops_synapse_with_a_sentence(
    tmp_path: Path, fault: dict[str, Any], said: str
) -> None:
    module = door_module(tmp_path)
    module["config"].update(fault)

    with pytest.raises(SynapseStartError, match=said) as stopped:
        await _start(tmp_path, module)
    assert "Traceback" not in str(stopped.value)


async def test_without_the_step_for_codes_synapse_does_not_start(tmp_path: Path) -> None:
    extra = {"registration_requires_token": False, "enable_registration": False}

    with pytest.raises(SynapseStartError, match="registration_requires_token is true"):
        await _start(tmp_path, door_module(tmp_path), extra=extra)


async def _start(folder: Path, module: dict[str, Any], **more: Any) -> None:
    HouseKeys.load_or_create(folder / "house_keys.json")
    migrate(database_url(folder))
    async with RunningSynapse(plan_for_tests(folder / "synapse", free_port(), modules=[module], **more)):
        pass
