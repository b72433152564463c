"""The rules of the house as a running process shows them: those of the building file as it is now."""

from pathlib import Path

from keyhouse.core.house_rules import HouseRules
from keyhouse.settings.building import load_building
from keyhouse.settings.faults import SettingsFault, file_label

LOOKS_EVERY_S = 2.0
"""How often a process looks whether the file has changed."""


class RulesInForce:
    """Raises SettingsFault when there are no good rules to begin with."""

    def __init__(self, building: Path) -> None:
        self._building = building
        self._changed_at = self._last_change()
        self._rules = load_building(building).rules

    def current(self) -> HouseRules:
        """Return the rules to show, and to agree to, now."""
        return self._rules

    def look(self) -> bool:
        """Read a file that has changed, and say whether other rules are in force. To be called in a thread.

        Of a file that cannot be read the last good rules stay in force, and SettingsFault says so once.
        """
        changed_at = self._last_change()
        if changed_at == self._changed_at:
            return False
        self._changed_at = changed_at
        before, self._rules = self._rules, load_building(self._building).rules
        return self._rules != before

    def _last_change(self) -> int:
        try:
            return self._building.stat().st_mtime_ns
        except OSError as fault:
            raise SettingsFault([f"{file_label(self._building)}: cannot be read ({fault.strerror})"]) from fault
