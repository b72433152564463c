"""`keyhouse doctor`: prove that the house works, check by check."""

import asyncio
from dataclasses import asdict

import aiohttp
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bots.runtime.errors import MatrixFault
from keyhouse.core.outgoing import Worker
from keyhouse.settings.faults import SettingsFault
from keyhouse.storage.errors import StoreFault
from provisioning.answers import Failure, House, answer, open_house
from provisioning.check_accounts import accounts_check
from provisioning.check_alarms import alarms_check, pager_check, probe_check, unread_check
from provisioning.check_lexicon import lexicon_check
from provisioning.check_matrix import clock_check, door_check, front_door_check, homeserver_check
from provisioning.check_names import names_check
from provisioning.check_rooms import building_check, signed_check, watched_rooms_check
from provisioning.check_store import audit_check, backups_check, outbox_check, seal_check, signposting_check
from provisioning.checks import Check, Look, State
from provisioning.matrix import HomeserverFault
from provisioning.programs import BOTS, bot_workers
from provisioning.status import RUNNING, rows_of

app = typer.Typer()

_COLOUR = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


@app.command()
def doctor(ctx: typer.Context) -> None:
    """Prove that the house works; exit status 1 when a check fails."""
    found = asyncio.run(examine(open_house(ctx)))
    failed = [check for check in found if check.state is State.FAIL]
    document = {"ok": not failed, "checks": [asdict(check) for check in found]}
    answer(document, lambda console: _show(console, found))
    if failed:
        raise Failure(f"{len(failed)} of {len(found)} checks failed; begin with {failed[0].name}: {failed[0].detail}")


async def examine(house: House) -> list[Check]:
    """Run every check, one after the other; what one cannot find out fails that one alone."""
    devices = {f"device of {name}": signed_check(name) for name in bot_workers(house.settings)}
    return [await _guarded(house, name, look) for name, look in (devices | CHECKS).items()]


async def _processes_check(house: House, name: str) -> Check:
    wrong = [row for row in await rows_of(house) if row.state != RUNNING]
    if wrong:
        said = ", ".join(f"{row.name} is {row.state}" for row in wrong)
        return Check(name, State.FAIL, f"{said}; start the house with `keyhouse up`, or look into its logs")
    return Check(name, State.OK, "all run, each with a sign of life of the last seconds")


CHECKS: dict[str, Look] = {
    "alarms": alarms_check,
    "processes": _processes_check,
    "homeserver": homeserver_check,
    "front door": front_door_check,
    "clock": clock_check,
    "door": door_check,
    "watched rooms": watched_rooms_check,
    "probe": probe_check,
    **{f"events of {bot.value}": unread_check(bot) for bot in BOTS},
    "building": building_check,
    "names": names_check,
    "accounts": accounts_check,
    **{f"outbox of {worker.value}": outbox_check(worker) for worker in (*BOTS, Worker.CARETAKER)},
    "pager": pager_check,
    "audit chain": audit_check,
    "seal": seal_check,
    "lexicon": lexicon_check,
    "crisis lines": signposting_check,
    "backups": backups_check,
}


async def _guarded(house: House, name: str, look: Look) -> Check:
    try:
        return await look(house, name)
    except (HomeserverFault, MatrixFault, SettingsFault, StoreFault, Failure) as fault:
        return Check(name, State.FAIL, str(fault).splitlines()[0])
    except (aiohttp.ClientError, TimeoutError) as fault:
        return Check(name, State.FAIL, f"does not answer ({type(fault).__name__}); start the house with `keyhouse up`")


def _show(console: Console, found: list[Check]) -> None:
    table = Table("", "", "", box=None, show_header=False)
    for check in found:
        colour = _COLOUR[check.state]
        table.add_row(f"[{colour}]{check.state.value}[/{colour}]", check.name, escape(check.detail))
    console.print(table)
