"""The processes of a house: their names, in the order of their start, and how each is started."""

import sys

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.outgoing import Worker
from provisioning.directory import HouseDirectory
from provisioning.homeserver import HomeserverPlan, start_command
from provisioning.supervisor import Child

BOTS = {Worker.RISK_MONITOR: ServiceAccount.WATCHER, Worker.ROOM_GATEKEEPER: ServiceAccount.CONCIERGE}
HOMESERVER, FRONT_DOOR = "synapse", "front_door"
PROGRAMS = (*(worker.value for worker in BOTS), FRONT_DOOR)
NAMES = (HOMESERVER, *PROGRAMS)


def homeserver_child(plan: HomeserverPlan) -> Child:
    """Return how the homeserver is started."""
    return Child(HOMESERVER, tuple(start_command(plan)), plan.directory)


def program_children(directory: HouseDirectory) -> list[Child]:
    """Return how the bots and the front door are started."""
    modules = {**{worker.value: f"bots.{worker.value}" for worker in BOTS}, FRONT_DOOR: "front_door"}
    # -P: the house has a directory `bots` of its own, which must not be taken for the package of that name.
    return [
        Child(name, (sys.executable, "-P", "-m", module, "--data", str(directory.root)), directory.root)
        for name, module in modules.items()
    ]
