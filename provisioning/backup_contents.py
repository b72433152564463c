"""What belongs into a backup, and where it lies there.

Never there: the bots' encryption stores and sessions, one-time keys, logs, and what only a running house needs.
"""

from collections.abc import Iterator
from pathlib import Path

from bots.runtime.credentials import BotFiles
from keyhouse.core.accounts import ServiceAccount
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.copies import same_moment
from keyhouse.storage.dumps import is_postgres
from keyhouse.storage.engine import parse_address, sqlite_file
from provisioning.answers import Failure
from provisioning.backup_manifest import KeptFile
from provisioning.directory import HouseDirectory
from provisioning.homeserver import SECRET_FILES
from provisioning.homeserver_copy import leave_out_keys_and_sessions
from provisioning.whole_folder import put

DATABASE, DUMP = "keyhouse.db", "keyhouse.dump"
CONFIG, HOMESERVER_DATABASE = "config", "homeserver/homeserver.db"
_HOMESERVER_FILES = (*SECRET_FILES.values(), "signing.key", "homeserver.yaml", "log.yaml")
_UNFINISHED = frozenset({".part", ".new"})
# Of some there is more to say below, and the others are of no use to a house that is not running.
_APART = frozenset({"homeserver", "bots", "logs", "run", "ready.json", "up.pid", CONFIG})
# Synapse makes the other folders below it anew, out of these.
_MEDIA = ("local_content", "local_thumbnails")


def fill(part: Path, directory: HouseDirectory, settings: HouseSettings) -> list[KeptFile]:
    """Copy everything of the house into a folder, the databases first; nothing else refers to what came after them."""
    if not directory.homeserver_database.exists():
        raise Failure(f"{directory.homeserver_database} is missing; start the house once with `keyhouse up`")
    databases = _copy_databases(part, directory, settings)
    return databases + [found for source, path in _files(directory, settings) if (found := _kept(source, part, path))]


def _copy_databases(part: Path, directory: HouseDirectory, settings: HouseSettings) -> list[KeptFile]:
    ours = DUMP if is_postgres(settings.database) else DATABASE
    synapses = part / HOMESERVER_DATABASE
    synapses.parent.mkdir(mode=0o700)
    with same_moment(settings.database, directory.homeserver_database) as (first, second):
        first.copy_to(part / ours)
        second.copy_to(synapses)
    leave_out_keys_and_sessions(synapses, [settings.user_id(account) for account in ServiceAccount])
    return [KeptFile.of(part, path) for path in (ours, HOMESERVER_DATABASE)]


def _files(directory: HouseDirectory, settings: HouseSettings) -> Iterator[tuple[Path, str]]:
    """Yield every other file with its place in the backup, which is its place in the house."""
    yield from _below(settings.config, CONFIG)
    ours = sqlite_file(parse_address(settings.database)) or directory.database
    for place in sorted(directory.root.iterdir()):
        # SQLite's companions are named after the database. Whatever nobody has named here belongs to the house.
        if place.name in _APART or place == settings.config or place.name.startswith(ours.name):
            continue
        if place.is_dir():
            yield from _below(place, place.name)
        elif _is_finished(Path(place.name)):
            yield place, place.name
    for name in _HOMESERVER_FILES:
        yield directory.homeserver / name, f"homeserver/{name}"
    for name in _MEDIA:
        yield from _below(directory.homeserver / "media" / name, f"homeserver/media/{name}")
    for bot in sorted(directory.bots.glob("*/credentials.json")):
        files = BotFiles(bot.parent)
        for file in (files.credentials, files.signing_seeds, files.room_key_export):
            yield file, f"bots/{bot.parent.name}/{file.name}"


def _below(folder: Path, place: str) -> Iterator[tuple[Path, str]]:
    for file in sorted(folder.rglob("*")):
        below = file.relative_to(folder)
        if file.is_file() and _is_finished(below):
            yield file, f"{place}/{below.as_posix()}"


def _is_finished(below: Path) -> bool:
    """Hidden files, and those that somebody is just writing, are not the house's."""
    return below.suffix not in _UNFINISHED and not any(part.startswith(".") for part in below.parts)


def _kept(source: Path, part: Path, path: str) -> KeptFile | None:
    try:
        digest, size = put(source, part / path)
    except FileNotFoundError:
        # A bot that has none yet, or a picture that was deleted a moment ago.
        return None
    return KeptFile(path=path, sha256=digest, size=size)
