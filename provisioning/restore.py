"""`keyhouse restore`: make a house out of a backup, in a directory of its own."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bots.runtime.credentials import BotCredentials, new_device_id
from keyhouse.core.ids import UserId, localpart
from keyhouse.settings.house import FILE as SETTINGS
from keyhouse.settings.house import HouseSettings, load_house, save_house
from keyhouse.storage.dumps import fill, require_empty
from keyhouse.storage.errors import StoreNewer, StoreOlder
from keyhouse.storage.versions import known_versions
from provisioning.answers import Failure, answer, invocation, now, opened
from provisioning.backup import keep_last_backup
from provisioning.backup_contents import CONFIG, DATABASE, DUMP, HOMESERVER_DATABASE
from provisioning.backup_manifest import Manifest
from provisioning.directory import HouseDirectory
from provisioning.homeserver_copy import move_streams_on
from provisioning.house_lock import already_up, holder
from provisioning.whole_folder import whole_folder

app = typer.Typer()

Backup = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `keyhouse backup` made.")]
Database = Annotated[
    str | None,
    typer.Option(metavar="URL", help="An empty PostgreSQL database, for a house that had one. [default: the same]"),
]


@app.command()
def restore(ctx: typer.Context, backup: Backup, database: Database = None) -> None:
    """Make a house out of the backup in DIR, where `--data` says; start it with `keyhouse up` afterwards."""
    directory, folder = invocation(ctx).directory, backup.absolute()
    made = restore_house(directory, folder, database, now())
    document = {"ok": True, "directory": str(directory.root), "made_at": made.made_at, "files": len(made.files)}
    answer(document, lambda console: _show(console, directory, made))


def restore_house(directory: HouseDirectory, folder: Path, database: str | None, moment: datetime) -> Manifest:
    """Make the house, or raise a failure and leave nothing. database: for a house on PostgreSQL; None is the same."""
    _refuse_target(directory)
    made = Manifest.load(folder)
    _refuse_newer(made)
    _refuse_incomplete(made, folder)
    with whole_folder(directory.root) as part:
        for file in made.files:
            file.put_back(folder, part / file.path)
        settings = _settled(part, directory, made, database)
        for credentials in sorted(part.glob("bots/*/credentials.json")):
            _give_new_device(credentials.parent)
        move_streams_on(part / HOMESERVER_DATABASE, moment - made.made_at)
        keep_last_backup(HouseDirectory(part), made.made_at)
        if made.postgres:
            require_empty(settings.database)
            fill(settings.database, part / DUMP)
            (part / DUMP).unlink()
    _record(directory, made)
    return made


def _refuse_target(directory: HouseDirectory) -> None:
    root, other = directory.root, "choose another place with `--data DIR`"
    if root.exists() and not root.is_dir():
        raise Failure(f"{root} is a file, not a directory; {other}")
    if holder(directory.supervisor_pid):
        raise already_up(directory.supervisor_pid)
    if (root / SETTINGS).exists():
        raise Failure(f"{root} holds a house already, and a backup is never put over one; {other}")
    if root.exists() and any(root.iterdir()):
        raise Failure(f"{root} is not empty; {other}")


def _refuse_newer(made: Manifest) -> None:
    if made.tables not in known_versions():
        raise StoreNewer
    ours = version("matrix-synapse")
    if _release(made.synapse) > _release(ours):
        raise Failure(
            f"this backup is of a house with Synapse {made.synapse}, and {ours} is installed; "
            "install the version of keyhouse that made it"
        )


def _refuse_incomplete(made: Manifest, folder: Path) -> None:
    ours = DUMP if made.postgres else DATABASE
    if lacking := {SETTINGS, "secrets/house.keys", HOMESERVER_DATABASE, ours} - made.paths:
        raise Failure(f"{min(lacking)} is not in {folder}, so this backup is incomplete; use another backup")


def _release(of: str) -> list[int]:
    return [int(number) for number in of.split(".")[:2] if number.isdigit()]


def _settled(part: Path, directory: HouseDirectory, made: Manifest, database: str | None) -> HouseSettings:
    """Let the settings name the places that the house has from now on."""
    kept = load_house(part)
    if database is not None and not made.postgres:
        raise Failure("this house keeps its database in a file and needs no `--database`; leave it out")
    url = database or kept.database if made.postgres else f"sqlite:///{directory.root / DATABASE}"
    settings = kept.model_copy(update={"database": url, "config": directory.root / CONFIG})
    save_house(part, settings)
    return settings


def _give_new_device(bot: Path) -> None:
    """An encryption store is never restored, and what is left of a device without its store can read nothing."""
    credentials = BotCredentials.load(bot)
    replace(credentials, device_id=new_device_id(localpart(UserId(credentials.user_id)))).save(bot)


def _record(directory: HouseDirectory, made: Manifest) -> None:
    # The chain of an older house is added to again when it has been brought up to date.
    with suppress(StoreOlder), opened(directory).store.writing() as tx:
        tx.audit.append("house.restored", actor="host", detail={"made_at": made.made_at.isoformat()}, now=now())


def _show(console: Console, directory: HouseDirectory, made: Manifest) -> None:
    console.print(f"The house of {made.made_at:%d %B %Y, %H:%M} UTC is in {directory.root}.", markup=False)
    console.print("What was written after that moment is lost; nothing of it comes back by starting the house.")
    console.print(f"Make sure that the old house is down, then: keyhouse --data {directory.root} up", markup=False)
