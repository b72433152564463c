"""`python -m bots.room_gatekeeper --data DIR`: the concierge's process."""

from bots.room_gatekeeper.bot import Concierge
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.outgoing import Worker
from keyhouse.settings.building import load_building
from keyhouse.settings.signposting import load_signposting


def make(around: Surroundings) -> Concierge:
    """Make the concierge with the building's notice and the crisis lines."""
    config = around.settings.config
    building = load_building(config / "building.yaml")
    return Concierge(around, load_signposting(config / "signposting.yaml"), building.notice)


if __name__ == "__main__":
    main(Worker.ROOM_GATEKEEPER, make)
