"""The processes of a house: their names, in the order of their start, and how each is started."""

import sys

from keyhouse.core import probing
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.outgoing import Worker
from keyhouse.settings.house import HouseSettings
from provisioning.directory import HouseDirectory
from provisioning.homeserver import HomeserverPlan, start_command
from provisioning.supervisor import Child

BOTS = {
    Worker.RISK_MONITOR: ServiceAccount.WATCHER,
    Worker.ROOM_GATEKEEPER: ServiceAccount.CONCIERGE,
    Worker.BOOKING: ServiceAccount.BOOKING,
}
SECOND_WATCHER = "risk_monitor_2"
HOMESERVER, CARETAKER, FRONT_DOOR = "synapse", Worker.CARETAKER.value, "front_door"
PROBE = probing.PROCESS


def bot_workers(settings: HouseSettings) -> dict[str, Worker]:
    """Return whose work each bot process does, by its name; two watchers are two processes of one worker."""
    second = {SECOND_WATCHER: Worker.RISK_MONITOR} if settings.watchers == 2 else {}
    return {Worker.RISK_MONITOR.value: Worker.RISK_MONITOR, **second, **{worker.value: worker for worker in BOTS}}


def watcher_names(settings: HouseSettings) -> tuple[str, ...]:
    """Return the names of the watchers' processes."""
    return tuple(name for name, worker in bot_workers(settings).items() if worker is Worker.RISK_MONITOR)


def device_accounts(settings: HouseSettings) -> dict[str, ServiceAccount]:
    """Return as whom each name below DIR/bots logs in: the bots, and the probe, which is no process of its own."""
    return {**{name: BOTS[worker] for name, worker in bot_workers(settings).items()}, PROBE: ServiceAccount.PROBE}


def program_names(settings: HouseSettings) -> tuple[str, ...]:
    """Return the names of all processes but the homeserver; each gives signs of life under its name."""
    return (*bot_workers(settings), CARETAKER, FRONT_DOOR)


def process_names(settings: HouseSettings) -> tuple[str, ...]:
    """Return the names of all processes."""
    return (HOMESERVER, *program_names(settings))


def homeserver_child(plan: HomeserverPlan) -> Child:
    """Return how the homeserver is started."""
    return Child(HOMESERVER, tuple(start_command(plan)), plan.directory)


def program_children(directory: HouseDirectory, settings: HouseSettings) -> list[Child]:
    """Return how the bots, the caretaker and the front door are started."""
    data = ["--data", str(directory.root)]
    commands = {name: [f"bots.{worker.value}", *data] for name, worker in bot_workers(settings).items()}
    if SECOND_WATCHER in commands:
        commands[SECOND_WATCHER] += ["--as", SECOND_WATCHER]
    commands[CARETAKER] = ["provisioning.caretaker", *data]
    commands[FRONT_DOOR] = ["front_door", *data]
    # -P: the house has a directory `bots` of its own, which must not be taken for the package of that name.
    return [Child(name, (sys.executable, "-P", "-m", *command), directory.root) for name, command in commands.items()]
