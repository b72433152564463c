"""`keyhouse audit`: walk the chain in which every act is written down."""

import typer

from provisioning.answers import Failure, answer, open_house

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Walk the tamper-evident chain."""


@app.command()
def verify(ctx: typer.Context) -> None:
    """Check every link of the chain; fails at the first that was changed, moved or taken out."""
    with open_house(ctx).store.reading() as tx:
        finding = tx.audit.verify()
    document = {"ok": finding.ok, "entries": finding.entries, "first_bad": finding.first_bad}
    words = f"{finding.entries} entries, {'every link holds' if finding.ok else 'and the chain is broken'}."
    answer(document, lambda console: console.print(words))
    if not finding.ok:
        raise Failure(
            f"the chain is broken at entry {finding.first_bad}: somebody changed the database by hand; "
            "keep a copy of it as it is, and tell who answers for the house"
        )
