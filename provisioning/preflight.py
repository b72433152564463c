"""What `up` looks at before it makes anything: every refusal is here, and leaves no trace on the disk."""

import os
import re
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

from keyhouse.settings.booking import load_booking
from keyhouse.settings.building import load_building
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.house import FILE, HouseSettings, load_house
from keyhouse.settings.lexicons import load_lexicons
from keyhouse.settings.pager import load_pager
from keyhouse.settings.signposting import load_signposting
from keyhouse.storage.errors import StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from keyhouse.storage.versions import version_at
from provisioning.answers import Failure
from provisioning.directory import HouseDirectory
from provisioning.house_lock import already_up, holder
from provisioning.processes import end_all
from provisioning.state import load_state, state_file

LOOPBACK = "127.0.0.1"
SERVER_NAME = "keyhouse.localhost"
DEFAULT_PORT, DEFAULT_FRONT_PORT = 8008, 8090
SHIPPED_CONFIG = Path(__file__).resolve().parent.parent / "config"
_OLDEST_PYTHON = (3, 11)
_EXACT = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^;\s]+)$")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of `up`. None keeps what the house has, or takes the default."""

    demo: bool = False
    port: int | None = None
    front_port: int | None = None


def may_begin(directory: HouseDirectory, wishes: Wishes) -> HouseSettings:
    """Return the settings the house will have, or raise Failure; nothing is made either way.

    What an `up` that was killed left running is ended here, because it may hold the ports.
    """
    _check_versions()
    _check_place(directory.root)
    if holder(directory.supervisor_pid):
        raise already_up(directory.supervisor_pid)
    settings = _settings_for(directory, wishes)
    _check_config(settings.config, directory.root)
    _check_what_is_kept(directory, settings)
    end_leftovers(directory)
    _check_ports(settings)
    return settings


def end_leftovers(directory: HouseDirectory) -> None:
    """End what an earlier `up` left running when it was killed."""
    end_all(status.process for status in reversed(load_state(state_file(directory))) if status.process)


def port_of(url: str) -> int:
    """Return the port of one of our own addresses."""
    return urlsplit(url).port or 80


def _check_versions() -> None:
    if sys.version_info[:2] < _OLDEST_PYTHON:
        raise Failure("this Python is older than 3.11; install a newer one and run `make setup`")
    pins = [found.groups() for each in requires("keyhouse") or () if (found := _EXACT.match(each))]
    faults = [fault for name, wanted in pins if (fault := _version_fault(name, wanted))]
    if faults:
        raise Failure(f"{'; '.join(faults)}; run `make setup` to install what this Keyhouse was made for")


def _version_fault(name: str, wanted: str) -> str | None:
    try:
        installed = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed, {wanted} is needed"
    return None if installed == wanted else f"{name} is {installed}, {wanted} is needed"


def _check_place(root: Path) -> None:
    there = next(place for place in (root, *root.parents) if place.exists())
    if not there.is_dir():
        raise Failure(f"{there} is a file, not a directory; choose another place with `--data DIR`")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Failure(f"{there} cannot be written by this account; change its owner, or choose another `--data DIR`")


def _settings_for(directory: HouseDirectory, wishes: Wishes) -> HouseSettings:
    if not (directory.root / FILE).exists():
        return HouseSettings(
            server_name=SERVER_NAME,
            homeserver=_url(wishes.port or DEFAULT_PORT),
            front_door=_url(wishes.front_port or DEFAULT_FRONT_PORT),
            database=f"sqlite:///{directory.database}",
            config=SHIPPED_CONFIG,
            demo=wishes.demo,
        )
    known = load_house(directory.root)
    if wishes.demo and not known.demo:
        raise Failure(f"{directory.root} holds a house that is no demonstration; choose another `--data DIR`")
    ports = {"homeserver": wishes.port, "front_door": wishes.front_port}
    return known.model_copy(update={name: _url(port) for name, port in ports.items() if port})


def _check_config(config: Path, data: Path) -> None:
    """Refuse files that cannot be used, with every fault of all of them at once."""
    readings: tuple[Callable[[], object], ...] = (
        lambda: load_building(config / "building.yaml"),
        lambda: load_lexicons(config / "lexicons"),
        lambda: load_signposting(config / "signposting.yaml"),
        lambda: load_booking(config / "booking.yaml"),
        lambda: load_pager(config, data),
    )
    faults: list[str] = []
    for read in readings:
        try:
            read()
        except SettingsFault as fault:
            faults += fault.faults
    if faults:
        raise SettingsFault(faults)


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _check_what_is_kept(directory: HouseDirectory, settings: HouseSettings) -> None:
    """Refuse a house of a newer version, and one whose keys are gone: with new ones nothing could be opened."""
    with suppress(StoreOlder):
        # Of a database without tables, as a new PostgreSQL is, no keys are asked.
        version_at(settings.database)
        open_store(settings.database, HouseKeys.load(directory.house_keys)).close()


def _check_ports(settings: HouseSettings) -> None:
    port, front_port = port_of(settings.homeserver), port_of(settings.front_door)
    if port == front_port:
        raise Failure(
            f"the homeserver and the front door cannot both have port {port}; choose another `--front-port N`"
        )
    for number, option in ((port, "--port"), (front_port, "--front-port")):
        if not _is_free(number):
            raise Failure(f"port {number} is in use by another program; stop that program, or choose `{option} N`")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only remembers closed connections counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            raise Failure(f"port {port} needs more rights than this account has; choose one from 1024 on") from None
        except OSError:
            return False
    return True
