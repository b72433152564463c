"""`keyhouse pager`: see that somebody can be told outside of Matrix."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict

import typer
from rich.console import Console

from keyhouse.core.workflows.watching import record_channels
from keyhouse.settings.pager import load_pager
from provisioning.answers import Failure, House, answer, now, open_house
from provisioning.paging.channels import NO_DEAD_MAN, NOBODY, make_pager
from provisioning.paging.pager import Attempt, Page

app = typer.Typer(no_args_is_help=True)

TEST_WORDS = "this is a test: nothing is wrong, and whoever reads this would be told if something were"


@app.callback()
def pager() -> None:
    """See that somebody can be told outside of Matrix."""


@app.command()
def test(ctx: typer.Context) -> None:
    """Send a test page through every channel, and say what happened to each; fails when one did not take it."""
    house = open_house(ctx)
    settings = load_pager(house.settings.config, house.directory.root)
    if not settings.channels:
        raise Failure(f"{NOBODY}; add one to {house.settings.config / 'pager.yaml'}, after pager.example.yaml")
    attempts = asyncio.run(_send_test(house))
    document = {"channels": [{"ok": each.fault is None, **asdict(each)} for each in attempts]}
    answer(document, lambda console: _show(console, attempts, has_dead_man=settings.dead_man is not None))
    failed = [each for each in attempts if each.fault is not None]
    if failed:
        raise Failure(
            f"{len(failed)} of {len(attempts)} channels did not take the page, "
            f"first {failed[0].channel}: {failed[0].fault}"
        )


async def _send_test(house: House) -> list[Attempt]:
    pager = make_pager(house.settings, load_pager(house.settings.config, house.directory.root), house.directory)
    page = Page(f"test-{secrets.token_hex(8)}", TEST_WORDS, "test", "", pager.house, now())
    attempts = await pager.send_through_each(page)
    await asyncio.to_thread(_record, house, attempts)
    return attempts


def _record(house: House, attempts: Sequence[Attempt]) -> None:
    """Keep what was found: a channel that was mended is no longer an alarm."""
    with house.store.writing() as tx:
        record_channels(tx, {each.channel: each.fault is not None for each in attempts}, now())


def _show(console: Console, attempts: Sequence[Attempt], *, has_dead_man: bool) -> None:
    for each in attempts:
        console.print(f"{each.channel}: {each.fault or 'took the page; see that it arrived'}", markup=False)
    if not has_dead_man:
        console.print(f"Note: {NO_DEAD_MAN}.", markup=False)
