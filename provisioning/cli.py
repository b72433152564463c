"""The `keyhouse` command line: which command, which house, and how it ends."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from provisioning.answers import Failure, Invocation, choose_json, say
from provisioning.directory import HouseDirectory
from provisioning.in_use import KeysInUse
from provisioning.mistakes import tell_mistake

DONE, FAILED, WRONG_USAGE = 0, 1, 2
_UNCHANGED = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A command that is imported when it is called. group: it has commands of its own."""

    module: str
    help: str
    group: bool = False


COMMANDS = {
    "up": _Entry("up", "Start the house and keep it running until Ctrl-C."),
    "down": _Entry("down", "Stop the house."),
    "status": _Entry("status", "Show each process of the house."),
    "doctor": _Entry("doctor", "Prove that the house works."),
    "drill": _Entry("drill", "Take a part away on purpose, and see who is told."),
    "building": _Entry("building", "Compare or change the rooms to match building.yaml.", group=True),
    "bot": _Entry("bots", "Give a bot that lost its password or its store new ones.", group=True),
    "referral": _Entry("referrals", "Issue, list and revoke codes.", group=True),
    "people": _Entry("people", "Team accounts, and what a person may enter.", group=True),
    "rooms": _Entry("rooms", "The rooms of the house.", group=True),
    "cases": _Entry("cases", "Cases, newest first, without any message text.", group=True),
    "slots": _Entry("slots", "Therapists' slots: add, list and withdraw them.", group=True),
    "bookings": _Entry("bookings", "Who has booked which slot.", group=True),
    "lexicon": _Entry("lexicon", "Try and check the words that are watched for.", group=True),
    "alarms": _Entry("alarms", "What is wrong with the house itself, and what lately was.", group=True),
    "pager": _Entry("pager", "See that somebody can be told outside of Matrix.", group=True),
    "backup": _Entry("backup", "Copy the whole house out, also while it runs."),
    "restore": _Entry("restore", "Make a house out of a backup."),
    "keys": _Entry("keys", "Change the keys under which things are sealed.", group=True),
    "audit": _Entry("audit", "Walk the tamper-evident chain.", group=True),
}

_PLAIN = (
    ("keyhouse.settings.faults", "SettingsFault"),
    ("keyhouse.storage.errors", "StoreFault"),
    ("bots.runtime.errors", "MatrixFault"),
    ("provisioning.homeserver", "HomeserverError"),
    ("provisioning.matrix", "HomeserverFault"),
)


class _LateCommands(TyperGroup):
    """Knows its commands by name and help, and imports one only to run it: `--help` stays quick."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.help), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        # Here and not in `keyhouse`, which runs only when the command has been imported.
        sys.excepthook = partial(tell_mistake, _directory(ctx.params["data"]))
        if args and (entry := COMMANDS.get(args[0])):
            app = importlib.import_module(f"provisioning.{entry.module}").app
            command = get_group(app) if entry.group else get_command(app)
            command.help = command.help or entry.help
            self.add_command(command, args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_LateCommands, add_completion=False, context_settings=_UNCHANGED)


@app.callback()
def keyhouse(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option("--data", envvar="KEYHOUSE_DATA", help="The directory of the house.")] = Path(
        ".keyhouse"
    ),
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document; may stand anywhere on the line.")
    ] = False,
) -> None:
    """A support house on the Matrix network: set it up, see that it is well, change it."""
    directory = _directory(data)
    in_use = KeysInUse(directory.house_keys.parent)
    ctx.call_on_close(in_use.close)
    ctx.obj = Invocation(directory, as_json=bool(ctx.obj), keys_in_use=in_use)


def _directory(data: Path) -> HouseDirectory:
    return HouseDirectory(data.absolute())


def main() -> None:
    """Run the command line and end the process with its status."""
    words, as_json = without_json(sys.argv[1:])
    sys.excepthook = partial(tell_mistake, None)
    sys.exit(run(words or ["--help"], as_json))


def run(words: Sequence[str], as_json: bool) -> int:
    """Run one command line and return its exit status; a failure is told in one line on stderr."""
    choose_json(as_json)
    try:
        status = get_group(app).main(list(words), prog_name="keyhouse", standalone_mode=False, obj=as_json)
    except typer.exceptions.TyperException as wrong:
        # A group that is named alone shows its help by itself, and has no message.
        message = " ".join(wrong.format_message().split()) or "say which of its commands is meant."
        say(f"error: {message} See `keyhouse {_command_in(words)}--help`.")
        return wrong.exit_code
    except typer.Abort:
        say("error: stopped before it was done; run the command again to go on")
        return FAILED
    except expected_failures() as failure:
        _tell(failure)
        return FAILED
    except ExceptionGroup as several:
        expected, mistakes = several.split(expected_failures())
        if mistakes is not None or expected is None:
            raise
        _tell(_first_of(expected))
        return FAILED
    return status if isinstance(status, int) else DONE


def without_json(words: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--json` out of a line, wherever it stands before a lone `--`; say whether it was there."""
    end = list(words).index("--") if "--" in words else len(words)
    kept = [word for word in words[:end] if word != "--json"]
    return [*kept, *words[end:]], len(kept) < end


def expected_failures() -> tuple[type[Exception], ...]:
    """Name the exceptions whose text is already one plain sentence with a next step."""
    # A module that was never imported has raised nothing, and importing it now would only take time.
    return (Failure, *(getattr(sys.modules[module], name) for module, name in _PLAIN if module in sys.modules))


def _first_of(failures: ExceptionGroup[Exception]) -> Exception:
    """Return the first of the failures of things done side by side: the others mostly follow from it."""
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, ExceptionGroup) else first


def _tell(failure: Exception) -> None:
    *before, last = str(failure).splitlines() or [type(failure).__name__]
    if before:
        for fault in (*before, last):
            say(fault)
        last = f"{len(before) + 1} things are wrong, each on a line above; correct them and run the command again"
    say(f"error: {last}")


def _command_in(words: Sequence[str]) -> str:
    return next((f"{word} " for word in words if word in COMMANDS), "")
