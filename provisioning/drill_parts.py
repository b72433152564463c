"""Take a part of the running house away, and give it back whatever happens."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from bots.runtime.outbox import LEASE_LASTS
from keyhouse.core.outgoing import Worker
from keyhouse.storage.errors import StoreFault
from provisioning.answers import Failure, House, now
from provisioning.drill_holder import HELD
from provisioning.drill_mark import Part
from provisioning.processes import Started, lives, signal_group
from provisioning.programs import HOMESERVER, watcher_names
from provisioning.state import load_state, state_file

_ENDS_WITHIN_S = 10.0
_HOLDER = "drill"


def taken_away(house: House, part: Part, within: timedelta) -> AbstractContextManager[None]:
    """Take a part away for the block, and for no longer than this."""
    if part is Part.CARD:
        return _cards_held_back(house, now() + within)
    return held_still(_processes(house, _names(house, part)), within)


def _names(house: House, part: Part) -> list[str]:
    if part is Part.HOMESERVER:
        return [HOMESERVER]
    return list(watcher_names(house.settings)) if part is Part.WATCHER else [Worker.ROOM_GATEKEEPER.value]


def _processes(house: House, names: Sequence[str]) -> list[Started]:
    known = {child.name: child.process for child in load_state(state_file(house.directory))}
    found = [process for name in names if (process := known.get(name)) is not None and lives(process)]
    if len(found) < len(names):
        raise Failure("the part does not run just now; look at `keyhouse status`, and try again when all is well")
    return found


@contextmanager
def held_still(processes: Sequence[Started], within: timedelta) -> Iterator[None]:
    """Let a process of its own hold them still: it lets them go on also when this one is killed."""
    command = [sys.executable, "-P", "-m", "provisioning.drill_holder", str(within.total_seconds())]
    command += [f"{process.pid}:{process.ticks}" for process in processes]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            if holder.stdout.readline().strip() != HELD:
                raise Failure("the part could not be stopped; run the command as the account that runs the house")
            yield
        finally:
            holder.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                holder.wait(_ENDS_WITHIN_S)
            # Somebody may have killed even that process.
            for process in filter(lives, processes):
                signal_group(process.pid, signal.SIGCONT)


@contextmanager
def _cards_held_back(house: House, until: datetime) -> Iterator[None]:
    """Hold the right to send what the watcher decided. It runs out by itself moments after this process has ended."""
    done = threading.Event()
    _seize(house)
    holding = threading.Thread(target=_hold, args=(house, until, done), daemon=True)
    holding.start()
    try:
        yield
    finally:
        done.set()
        holding.join(_ENDS_WITHIN_S)
        with house.store.writing() as tx:
            tx.leases.release(Worker.RISK_MONITOR, _HOLDER)


def _hold(house: House, until: datetime, done: threading.Event) -> None:
    while not done.wait(LEASE_LASTS.total_seconds() / 4) and now() < until:
        with contextlib.suppress(StoreFault):
            _seize(house)


def _seize(house: House) -> None:
    with house.store.writing() as tx:
        tx.leases.seize(Worker.RISK_MONITOR, _HOLDER, now(), LEASE_LASTS)
