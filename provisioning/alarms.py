"""`keyhouse alarms`: what is wrong with the house itself, and what lately was."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.alarm_sentences import wrong_words
from keyhouse.core.alarms import Alarm
from provisioning.answers import answer, open_house

app = typer.Typer(no_args_is_help=True)

Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many at most, beside those that stand.")]


@app.callback()
def alarms() -> None:
    """What is wrong with the house itself, and what lately was."""


@app.command("list")
def list_alarms(ctx: typer.Context, limit: Limit = 20) -> None:
    """Show the alarms that stand, and the latest; docs/operating.md says what each means and what to do."""
    with open_house(ctx).store.reading() as tx:
        standing, latest = tx.alarms.open(), tx.alarms.latest(limit)
    document = {"standing": list(map(alarm_row, standing)), "latest": list(map(alarm_row, latest))}
    answer(document, lambda console: _show(console, standing, latest))


def alarm_row(alarm: Alarm) -> dict[str, object]:
    """Return one alarm as documents hold it."""
    return {
        "kind": alarm.kind.value,
        "subject": alarm.subject,
        "says": wrong_words(alarm.kind, alarm.subject),
        "raised_at": alarm.raised_at,
        "paged_at": alarm.paged_at,
        "ended_at": alarm.ended_at,
    }


def _show(console: Console, standing: Sequence[Alarm], latest: Sequence[Alarm]) -> None:
    count = {0: "No alarm stands.", 1: "1 alarm stands."}.get(len(standing), f"{len(standing)} alarms stand.")
    console.print(count)
    shown = [*standing, *(alarm for alarm in latest if alarm.ended_at is not None)]
    if not shown:
        return
    table = Table("since", "until", "what", "kind", box=None, header_style="bold")
    for alarm in shown:
        until = f"{alarm.ended_at:%d %b %H:%M}" if alarm.ended_at else "stands"
        table.add_row(f"{alarm.raised_at:%d %b %H:%M}", until, wrong_words(alarm.kind, alarm.subject), alarm.kind.value)
    console.print(table)
    console.print("Times are UTC.")
