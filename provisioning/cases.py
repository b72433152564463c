"""`keyhouse cases`: what the team has in hand, without a word of what anybody wrote."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber
from provisioning.answers import Failure, answer, open_house

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_(
    ctx: typer.Context,
    only_open: Annotated[bool, typer.Option("--open", help="Leave out what is closed.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")] = 500,
) -> None:
    """Show the cases, newest first."""
    with open_house(ctx).store.reading() as tx:
        documents = [_document(case) for case in tx.cases.listed(only_open=only_open, limit=limit)]
    answer({"cases": documents}, lambda console: _show_all(console, documents))


@app.command()
def show(ctx: typer.Context, number: Annotated[int, typer.Argument(metavar="N")]) -> None:
    """Show one case with its alerts."""
    with open_house(ctx).store.reading() as tx:
        case = tx.cases.get(CaseNumber(number))
    if case is None:
        raise Failure(f"there is no case {number}; `keyhouse cases list` shows them")
    document = _document(case)
    answer(document, lambda console: _show(console, document))


def _document(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "urgency": case.urgency.value,
        "state": case.state.value,
        "author": case.author,
        "raised_at": case.raised_at,
        "claimed_by": case.claimed_by,
        "claimed_at": case.claimed_at,
        "closed_at": case.closed_at,
        "outcome": case.outcome.value if case.outcome else None,
        "alerts": [_alert(alert) for alert in case.alerts],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "event_id": alert.event_id,
        "room_id": alert.room_id,
        "urgency": alert.urgency.value,
        "rules": list(alert.rules),
        "raised_at": alert.raised_at,
    }


def _show_all(console: Console, documents: list[dict[str, Any]]) -> None:
    table = Table("case", "urgency", "state", "raised (UTC)", "claimed by", "outcome", box=None, header_style="bold")
    for each in documents:
        raised, claimed_by = f"{each['raised_at']:%Y-%m-%d %H:%M}", each["claimed_by"] or ""
        number, outcome = str(each["number"]), each["outcome"] or ""
        table.add_row(number, each["urgency"], each["state"], raised, claimed_by, outcome)
    console.print(table)


def _show(console: Console, document: dict[str, Any]) -> None:
    for word in ("number", "urgency", "state", "author", "raised_at", "claimed_by", "closed_at", "outcome"):
        console.print(f"{word.replace('_', ' '):12}{document[word] if document[word] is not None else '-'}")
    for alert in document["alerts"]:
        rules = ", ".join(alert["rules"])
        console.print(f"  {alert['raised_at']:%Y-%m-%d %H:%M}  {alert['urgency']}  {rules}  in {alert['room_id']}")
