"""What every command is given, and the two ways in which it may answer: a document, or a failure."""

import json
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from provisioning.directory import HouseDirectory

if TYPE_CHECKING:
    from keyhouse.core.building import Building
    from keyhouse.core.ports import Store
    from keyhouse.settings.house import HouseSettings
    from keyhouse.storage.house_keys import HouseKeys
    from provisioning.in_use import KeysInUse

_as_json: ContextVar[bool] = ContextVar("as_json", default=False)


class Failure(Exception):
    """A command was refused or failed. The text is one plain sentence that says what to do next."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the whole command line says, whatever the command: which house, and for whom to write.

    keys_in_use: held while the command runs.
    """

    directory: HouseDirectory
    as_json: bool
    keys_in_use: "KeysInUse"


@dataclass(frozen=True, slots=True)
class House:
    """An opened house: where it lies, what it says of itself, and what it keeps."""

    directory: HouseDirectory
    settings: "HouseSettings"
    store: "Store"
    keys: "HouseKeys"

    def building(self) -> "Building":
        """Read the building file; raises SettingsFault, which the command line prints."""
        from keyhouse.settings.building import load_building

        return load_building(self.settings.config / "building.yaml")


def invocation(ctx: typer.Context) -> Invocation:
    """Return what the whole command line says; `ctx` is the command's own first argument."""
    found = ctx.obj
    assert isinstance(found, Invocation)
    return found


def open_house(ctx: typer.Context) -> House:
    """Open the house that the command line names; raises SettingsFault or StoreFault, which say what to do."""
    return opened(invocation(ctx).directory)


def opened(directory: HouseDirectory) -> House:
    """Open the house in this directory; raises SettingsFault or StoreFault, which say what to do."""
    from keyhouse.settings.house import load_house
    from keyhouse.storage.house_keys import HouseKeys
    from keyhouse.storage.store import open_store

    settings = load_house(directory.root)
    keys = HouseKeys.load(directory.house_keys)
    return House(directory, settings, open_store(settings.database, keys), keys)


def answer(document: Mapping[str, Any], human: Callable[[Console], None]) -> None:
    """Print the command's result, once: the document with --json, what `human` prints otherwise."""
    if _as_json.get():
        sys.stdout.write(json.dumps(document, ensure_ascii=False, default=_written) + "\n")
        sys.stdout.flush()
    else:
        human(Console(highlight=False, soft_wrap=not sys.stdout.isatty()))


def say(words: str) -> None:
    """Print a line that is no result: progress, a hint, a warning. It goes to stderr."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()


def choose_json(wanted: bool) -> None:
    """Say for the rest of this run whether answers are JSON documents."""
    _as_json.set(wanted)


def now() -> datetime:
    """The moment of the command, in UTC."""
    return datetime.now(UTC)


def _written(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not belong in a document")
