"""`keyhouse bookings utilisation`: what became of the slots of a week, by therapist."""

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.ids import localpart
from keyhouse.core.utilisation import (
    FEWEST_PEOPLE,
    Outcomes,
    Utilisation,
    outcomes_shown,
    total_of,
    total_outcomes_shown,
)
from keyhouse.settings.booking import FILE, load_booking
from keyhouse.settings.times import TimeFault, read_day
from provisioning.answers import Failure, answer, now, open_house

_YEARS = range(2000, 2200)
_WEEK = timedelta(days=7)
_HIDDEN = f"under {FEWEST_PEOPLE} people"


def utilisation(
    ctx: typer.Context,
    day: Annotated[str | None, typer.Argument(metavar="[DATE]", help="A day of the week; none: this week's.")] = None,
    week: Annotated[
        bool, typer.Option("--week", help="Of one week, from Monday on; it is so without this too.")
    ] = True,
) -> None:
    """Show what became of a week's slots, by therapist.

    Every figure counts slots. What people did, kept, missed and cancelled late, is left out of a therapist's row when
    fewer than five people stand behind it, and of the total when it could be found by subtraction.
    """
    house = open_house(ctx)
    zone = load_booking(house.settings.config / FILE).zone
    monday = _monday_of(_read(day) if day is not None else now().astimezone(zone).date())
    with house.store.reading() as tx:
        weeks = tx.bookings.used(_begin(monday, zone), _begin(monday + _WEEK, zone))
    therapists = [{"therapist": one.therapist, **_row(one.used, outcomes_shown(one.used))} for one in weeks]
    total = _row(total_of(weeks), total_outcomes_shown(weeks))
    document = {"week_begins": monday.isoformat(), "therapists": therapists, "total": total}
    answer(document, lambda console: _show(console, monday, therapists, total))


def _read(day: str) -> date:
    try:
        read = read_day(day)
    except TimeFault as fault:
        raise Failure(str(fault)) from fault
    if read.year not in _YEARS:
        raise Failure(f"{day!r} is not a day of this house; write one like 2027-03-29")
    return read


def _monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _begin(day: date, zone: tzinfo) -> datetime:
    """Return the midnight with which a day begins by the wall clock, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _row(used: Utilisation, shown: Outcomes | None) -> dict[str, Any]:
    outcomes = asdict(shown) if shown else dict.fromkeys(Outcomes.__dataclass_fields__)
    return {"offered": used.offered, "booked": used.booked, **outcomes}


def _show(console: Console, monday: date, therapists: list[dict[str, Any]], total: dict[str, Any]) -> None:
    console.print(f"Slots of the week from {monday:%-d %B %Y}")
    table = Table(box=None, header_style="bold")
    for title in ("therapist", "offered", "booked", "kept", "missed", "cancelled late"):
        table.add_column(title, no_wrap=True)
    for row in [*therapists, {"therapist": "all", **total}]:
        figures = [_HIDDEN if figure is None else str(figure) for name, figure in row.items() if name != "therapist"]
        table.add_row(localpart(row["therapist"]), *figures)
    console.print(table)
