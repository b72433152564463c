"""`keyhouse backup`: the whole house in one folder, also while it runs."""

from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from pydantic import AwareDatetime, BaseModel, ValidationError
from rich.console import Console

from keyhouse.settings.house import load_house
from keyhouse.storage.dumps import is_postgres
from keyhouse.storage.errors import StoreOlder
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.versions import version_at
from provisioning.answers import Failure, answer, invocation, now, opened
from provisioning.backup_contents import fill
from provisioning.backup_manifest import Manifest
from provisioning.directory import HouseDirectory
from provisioning.whole_folder import put_bytes, whole_folder

app = typer.Typer()

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")]


class _LastBackup(BaseModel):
    made_at: AwareDatetime


@app.command()
def backup(ctx: typer.Context, to: Folder) -> None:
    """Copy the whole house into DIR, also while it runs. Who can read DIR can read everything, the keys as well."""
    folder = to.absolute()
    made = make_backup(invocation(ctx).directory, folder, now())
    document = {"ok": True, "directory": str(folder), "made_at": made.made_at, "files": len(made.files)}
    answer({**document, "bytes": made.size}, lambda console: _show(console, folder, made))


def make_backup(directory: HouseDirectory, folder: Path, moment: datetime) -> Manifest:
    """Make a backup in a folder that is not there yet, or is empty; nothing is left of one that fails."""
    settings = load_house(directory.root)
    # Without its keys a house cannot be opened again.
    HouseKeys.load(directory.house_keys)
    _refuse_place(directory, folder)
    with whole_folder(folder) as part:
        made = Manifest(
            made_at=moment,
            keyhouse=version("keyhouse"),
            synapse=version("matrix-synapse"),
            tables=version_at(settings.database),
            server_name=settings.server_name,
            postgres=is_postgres(settings.database),
            files=tuple(fill(part, directory, settings)),
        )
        made.save(part)
    keep_last_backup(directory, moment)
    _record(directory)
    return made


def last_backup_at(directory: HouseDirectory) -> datetime | None:
    """Say when this house was last backed up; None when it never was, or nothing readable says so."""
    try:
        return _LastBackup.model_validate_json(directory.last_backup.read_bytes()).made_at
    except (OSError, ValidationError):
        return None


def keep_last_backup(directory: HouseDirectory, moment: datetime) -> None:
    """Write down when the house was last backed up."""
    part = directory.last_backup.with_name(f"{directory.last_backup.name}.part")
    part.unlink(missing_ok=True)
    put_bytes(_LastBackup(made_at=moment).model_dump_json().encode(), part)
    part.replace(directory.last_backup)


def _refuse_place(directory: HouseDirectory, folder: Path) -> None:
    if folder.is_relative_to(directory.root):
        raise Failure(f"{folder} lies in the house itself and would be lost with it; name a folder elsewhere")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise Failure(f"{folder} is there already and is not empty; name a folder that does not exist yet")


def _record(directory: HouseDirectory) -> None:
    # A house that is still to be brought up to date is copied as it is, before that, and nothing is added to it.
    with suppress(StoreOlder), opened(directory).store.writing() as tx:
        tx.audit.append("house.backed_up", actor="host", now=now())


def _show(console: Console, folder: Path, made: Manifest) -> None:
    console.print(f"The house is in {folder}: {len(made.files)} files, {made.size / 1e6:.1f} MB.", markup=False)
    console.print("Everything is in there, the keys as well: keep it where only you can read it, and not on this disk.")
    console.print("Bring it back with `keyhouse --data NEW restore DIR`.")
