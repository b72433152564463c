"""`python -m bots.booking --data DIR`: the booking bot's process."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bots.booking.bot import Booking
from bots.booking.when import understand
from bots.runtime.run import main
from bots.runtime.surroundings import Surroundings
from keyhouse.core.building import Building
from keyhouse.core.ids import Condition
from keyhouse.core.outgoing import Worker
from keyhouse.settings.booking import FILE, load_booking
from keyhouse.settings.building import load_building
from keyhouse.settings.house import HouseSettings


def prepare(settings: HouseSettings, data: Path) -> Callable[[Surroundings], Booking]:
    """Read the rules of booking and which conditions each service looks after."""
    rules = load_booking(settings.config / FILE)
    conditions = conditions_of_services(load_building(settings.config / "building.yaml"))
    # The first date loads a language, which nobody at a desk should wait for.
    understand("6 april", datetime.now(UTC), rules.zone)
    return lambda around: Booking(around, rules, conditions)


def conditions_of_services(building: Building) -> dict[str, frozenset[Condition]]:
    """Return the conditions of each service, by its short name."""
    return {
        service.slug: frozenset().union(*(room.conditions for room in building.rooms if room.service == service.slug))
        for service in building.services
    }


if __name__ == "__main__":
    main(Worker.BOOKING, prepare)
