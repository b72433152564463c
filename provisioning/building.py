"""`keyhouse building`: compare the rooms with building.yaml, and bring them into its shape."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from keyhouse.core.building_plan import Change
from provisioning.answers import House, answer, open_house
from provisioning.builder import Builder, Told, working_on

app = typer.Typer(no_args_is_help=True)


def building_plan(house: House) -> list[Change]:
    """Say what `apply_building` would do now; empty when nothing is to do. Changes nothing."""
    return asyncio.run(_planned(house))


def apply_building(house: House, progress: Told) -> list[Change]:
    """Bring the rooms into the shape of building.yaml and return what was done; empty when nothing was to do.

    progress: called with how many changes are done, and how many there are. Killed half way it can be called again.
    """
    return asyncio.run(_applied(house, progress))


@app.command()
def plan(ctx: typer.Context) -> None:
    """Show what `building apply` would change, and change nothing."""
    changes = building_plan(open_house(ctx))
    answer(_document(changes), lambda console: _show(console, changes, "The rooms are as building.yaml says."))


@app.command()
def apply(
    ctx: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Make the rooms as building.yaml says. It may be repeated, and goes on where it was stopped."""
    house = open_house(ctx)
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as bar:
        task = bar.add_task("Rooms", total=None)
        changes = apply_building(house, lambda done, of: bar.update(task, completed=done, total=of))
    answer(_document(changes), lambda console: _show(console, changes, "Nothing was to do."))


async def _planned(house: House) -> list[Change]:
    async with working_on(house) as builder:
        return await builder.plan()


async def _applied(house: House, progress: Told) -> list[Change]:
    async with working_on(house) as builder:
        return await _until_it_stands(builder, progress)


async def _until_it_stands(builder: Builder, progress: Told) -> list[Change]:
    changes = await builder.plan()
    if changes:
        await builder.do(changes, progress)
        await builder.prove()
    return changes


def _document(changes: list[Change]) -> dict[str, object]:
    return {
        "changes": [{"action": each.action.value, "target": each.target, "detail": each.detail} for each in changes]
    }


def _show(console: Console, changes: list[Change], when_none: str) -> None:
    if not changes:
        console.print(when_none)
        return
    table = Table("what", "room", "why", box=None, header_style="bold")
    for change in changes:
        table.add_row(change.action.value.replace("_", " "), Text(change.target), Text(change.detail))
    console.print(table)
