"""`python -m bots.room_gatekeeper --data DIR`: the concierge's process."""

from collections.abc import Callable
from pathlib import Path

from bots.room_gatekeeper.bot import Concierge
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.outgoing import Worker
from keyhouse.settings.building import load_building
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.settings.signposting import load_signposting


def prepare(settings: HouseSettings, data: Path) -> Callable[[Surroundings], Concierge]:
    """Read the building's notice and rules and the crisis lines, with which the concierge is made."""
    building = settings.config / "building.yaml"
    notice, rules = load_building(building).notice, RulesInForce(building)
    signposting = load_signposting(settings.config / "signposting.yaml")
    return lambda around: Concierge(around, signposting, notice, rules)


if __name__ == "__main__":
    main(Worker.ROOM_GATEKEEPER, prepare)
