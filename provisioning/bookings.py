"""`keyhouse bookings`: who has booked which slot; never who somebody is."""

from datetime import datetime, tzinfo
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.booking import Booking
from keyhouse.settings.booking import FILE, load_booking
from provisioning.answers import answer, open_house
from provisioning.utilisation import utilisation

app = typer.Typer(no_args_is_help=True)
app.command()(utilisation)


@app.callback()
def bookings() -> None:
    """Who has booked which slot."""


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")] = 10_000,
) -> None:
    """Show the bookings, the last to come first, also kept, cancelled and missed ones."""
    house = open_house(ctx)
    with house.store.reading() as tx:
        documents = [_document(booking) for booking in tx.bookings.listed(limit=limit)]
    zone = load_booking(house.settings.config / FILE).zone
    answer({"bookings": documents}, lambda console: _show(console, documents, zone))


def _document(booking: Booking) -> dict[str, Any]:
    return {
        "number": booking.number,
        "slot": booking.slot,
        "person": booking.person,
        "state": booking.state.value,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "late": booking.late,
    }


def _show(console: Console, documents: list[dict[str, Any]], zone: tzinfo) -> None:
    table = Table("slot", "begins", "person", "state", box=None, header_style="bold")
    for each in documents:
        begins: datetime = each["starts_at"].astimezone(zone)
        state = f"{each['state']}, late" if each["late"] else each["state"]
        table.add_row(str(each["slot"]), f"{begins:%a %-d %b %Y, %H:%M}", each["person"], state)
    console.print(table)
