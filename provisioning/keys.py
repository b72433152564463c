"""`keyhouse keys rotate`: a new seal for everything that the house keeps sealed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import CredentialsMissing
from bots.runtime.room_key_export import RoomKeyExport
from keyhouse.settings.house import load_house
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.resealing import ROWS_AT_ONCE, SEALED_COLUMNS, Batch, count_old, reseal
from keyhouse.storage.sealing import Seal
from provisioning.answers import Failure, House, answer, invocation, now, opened, say
from provisioning.directory import HouseDirectory
from provisioning.house_lock import HouseLock
from provisioning.processes import wait_until

app = typer.Typer(no_args_is_help=True)

ROOM_KEYS = "room_keys"
"""Stands beside the names of tables for the bots' copies of room keys."""

SILENT_FOR = timedelta(seconds=10)
SILENT_WITHIN_S = 15.0

_AGAIN = "then stop the house and run `keyhouse keys rotate` again"

Told = Callable[[Batch], None]


@app.callback()
def keys() -> None:
    """Change the keys under which the house keeps what nobody else may read."""


@app.command()
def rotate(ctx: typer.Context) -> None:
    """Draw a new seal, put everything sealed under it, and forget the old one. The house must be down.

    When it is stopped in its midst nothing is lost and the house can start; run it again to finish.
    """
    found = invocation(ctx)
    load_house(found.directory.root)
    with HouseLock(found.directory.supervisor_pid):
        found.keys_in_use.alone()
        _wait_for_silence(opened(found.directory))
        resealed = rotate_keys(found.directory, _say_progress)
    answer({"ok": True, "resealed": resealed}, lambda console: _show(console, resealed))


def rotate_keys(directory: HouseDirectory, told: Told, rows_at_once: int = ROWS_AT_ONCE) -> Mapping[str, int]:
    """Do it, or finish one that was stopped, and return how much was sealed anew, by table. told: hears each batch.

    Until the last line the keys file holds both seals, and every row opens under one of them.
    """
    url = load_house(directory.root).database
    kept = HouseKeys.load(directory.house_keys)
    both = kept.rotating()
    if both is not kept:
        both.put_in_place_of(directory.house_keys)
    seal, resealed = Seal.of(both), Counter({column.table.name: 0 for column in SEALED_COLUMNS})
    for batch in reseal(url, seal, rows_at_once):
        resealed[batch.table] += batch.resealed
        told(batch)
    resealed[ROOM_KEYS] = _reseal_room_keys(directory, seal)
    told(Batch(ROOM_KEYS, resealed[ROOM_KEYS]))
    _refuse_left_over(count_old(url, seal))
    # Before the end, so that no rotation is ever without its act in the chain.
    _record(opened(directory), resealed)
    both.rotated().put_in_place_of(directory.house_keys)
    return dict(resealed)


def _reseal_room_keys(directory: HouseDirectory, seal: Seal) -> int:
    """Put the bots' copies of room keys under the new seal; one that opens under no seal stays as it is."""
    exports = [export for bot in sorted(directory.bots.glob("*")) for export in _room_key_exports(bot, seal)]
    try:
        return sum(export.reseal() for export in exports)
    except OSError as fault:
        raise Failure(
            f"{fault.filename} cannot be read or written ({fault.strerror}); correct that, {_AGAIN}"
        ) from fault


def _room_key_exports(bot: Path, seal: Seal) -> Sequence[RoomKeyExport]:
    """Name a bot's copies, also those that it has put aside and could not open."""
    export = BotFiles(bot).room_key_export
    copies = [copy for copy in sorted(bot.glob(f"{export.name}*")) if copy.suffix != ".new"]
    try:
        return [RoomKeyExport(copy, seal, BotCredentials.load(bot).user_id) for copy in copies]
    except CredentialsMissing as fault:
        raise Failure(f"{fault} It works in a house that is up; {_AGAIN}") from None


def _refuse_left_over(rows: int) -> None:
    if rows:
        raise Failure(
            f"{rows} of the sealed rows cannot be opened and stay as they are, so the old seal is kept as well; "
            "keep the database as it is, find out who changed it, then run `keyhouse keys rotate` again"
        )


def _wait_for_silence(house: House) -> None:
    """Wait until every process of the house is silent, also one on another machine."""

    def is_silent() -> bool:
        with house.store.reading() as tx:
            return all(now() - beat.beat_at >= SILENT_FOR for beat in tx.heartbeats.all())

    if not wait_until(is_silent, SILENT_WITHIN_S):
        raise Failure("a process of this house still runs, perhaps on another machine; stop it, then try again")


def _record(house: House, resealed: Mapping[str, int]) -> None:
    with house.store.writing() as tx:
        tx.audit.append("keys.rotated", actor="host", detail=dict(resealed), now=now())


def _say_progress(batch: Batch) -> None:
    say(f"{batch.table}: {batch.resealed} sealed anew")


def _show(console: Console, resealed: Mapping[str, int]) -> None:
    console.print(f"The house has a new seal; {sum(resealed.values())} things were sealed anew, the old seal is gone.")
    console.print("Make a backup now: an older one still holds the old seal, and opens with it.")
