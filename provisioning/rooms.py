"""`keyhouse rooms`: the rooms of the house, and who they are for."""

from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyhouse.core.ids import RoomNumber
from keyhouse.core.rooms import RoomScope
from provisioning.answers import answer, open_house

app = typer.Typer(no_args_is_help=True)


@app.callback()
def rooms() -> None:
    """Show the rooms of the house."""


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show every room of ours: its number in alarms, what it is, whom it opens to, whether it is watched."""
    with open_house(ctx).store.reading() as tx:
        numbers = tx.rooms.numbers()
        documents = [_document(scope, numbers.get(scope.room_id)) for scope in tx.rooms.all()]
    answer({"rooms": documents}, lambda console: _show(console, documents))


def _document(scope: RoomScope, number: RoomNumber | None) -> dict[str, Any]:
    return {
        "number": number,
        "room_id": scope.room_id,
        "name": scope.name,
        "kind": scope.kind.value,
        "roles": sorted(role.value for role in scope.roles),
        "conditions": sorted(scope.conditions),
        "encrypted": scope.rules.encrypted,
        "watched": scope.rules.watched,
        "service": scope.service,
    }


def _show(console: Console, documents: list[dict[str, Any]]) -> None:
    table = Table(
        "no.", "name", "kind", "opens to", "with", "encrypted", "watched", "id", box=None, header_style="bold"
    )
    for each in documents:
        said = ["yes" if each[word] else "no" for word in ("encrypted", "watched")]
        opens_to, conditions = ", ".join(each["roles"]), ", ".join(each["conditions"])
        who = (Text(each["name"]), each["kind"].replace("_", " "), opens_to, conditions)
        table.add_row(str(each["number"] or "–"), *who, *said, each["room_id"])
    console.print(table)
