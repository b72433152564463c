"""`keyhouse bot`: the way back for a bot that lost what it needs to come in."""

import asyncio
from typing import Annotated

import typer

from provisioning.answers import answer, open_house
from provisioning.programs import BOTS, PROBE, device_accounts
from provisioning.renewing import renew_bot

app = typer.Typer(no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help=f"{' or '.join(BOTS)} or {PROBE}.")]


@app.callback()
def bot() -> None:
    """Give a bot that lost its password or its store new ones."""


@app.command()
def renew(ctx: typer.Context, name: Name) -> None:
    """Give a bot a new password and a new device. Its signing identity stays; its old store is put aside."""
    house = open_house(ctx)
    accounts = device_accounts(house.settings)
    if name not in accounts:
        raise typer.BadParameter(f"say which bot is meant: {' or '.join(accounts)}")
    device_id = asyncio.run(renew_bot(house, name))
    document = {"bot": name, "user_id": house.settings.user_id(accounts[name]), "device_id": device_id}
    answer(document, lambda console: console.print(_told(name, device_id)))


def _told(name: str, device_id: str | None) -> str:
    if device_id is None:
        return f"What {name} used is put aside. The next `keyhouse up` gives it a new password and a new device."
    return f"{name} has a new password and the new device {device_id}; it starts again by itself within seconds."
