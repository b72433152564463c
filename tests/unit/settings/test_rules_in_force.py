"""The rules that a running process shows follow the file, and outlive a broken one."""

import os
from pathlib import Path

import pytest

from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.rules_in_force import RulesInForce

EXAMPLE = Path(__file__).parents[3] / "config" / "building.yaml"


class Building:
    """A building file whose every change has a moment of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes = 0
        self.says(EXAMPLE.read_text())

    def says(self, text: str) -> None:
        """Write the file anew."""
        self._changes += 1
        self.path.write_text(text)
        os.utime(self.path, (self._changes, self._changes))


@pytest.fixture
def building(tmp_path: Path) -> Building:
    """The example, to be changed."""
    return Building(tmp_path / "building.yaml")


def test_new_rules_are_in_force_once_they_stand_in_the_file(building: Building) -> None:
    rules = RulesInForce(building.path)
    was = rules.look(), rules.current().version

    building.says(EXAMPLE.read_text().replace("version: 1", "version: 2"))

    assert was == (False, 1)
    assert (rules.look(), rules.look(), rules.current().version) == (True, False, 2)


def test_a_change_elsewhere_in_the_file_is_no_news(building: Building) -> None:
    rules = RulesInForce(building.path)

    building.says(EXAMPLE.read_text().replace("Willow", "Poplar"))

    assert not rules.look()


def test_a_broken_file_is_told_once_and_the_last_good_rules_stay(building: Building) -> None:
    rules = RulesInForce(building.path)
    building.says("house: [")

    with pytest.raises(SettingsFault):
        rules.look()

    assert (rules.look(), rules.current().version) == (False, 1)
    building.says(EXAMPLE.read_text().replace("version: 1", "version: 2"))
    assert (rules.look(), rules.current().version) == (True, 2)


def test_without_a_good_file_nothing_begins(building: Building) -> None:
    building.says("house: [")

    with pytest.raises(SettingsFault):
        RulesInForce(building.path)
