"""`keyhouse up`: start the house, and keep it running in the foreground until it is told to stop."""

import asyncio
import signal
from typing import Annotated, Any

import typer

from keyhouse.settings.house import HouseSettings
from keyhouse.settings.pager import PagerSettings, load_pager
from provisioning.answers import Failure, answer, invocation
from provisioning.directory import HouseDirectory
from provisioning.house_lock import HouseLock
from provisioning.paging.channels import NOBODY, make_pager
from provisioning.paging.told import Told
from provisioning.preflight import DEFAULT_FRONT_PORT, DEFAULT_PORT, Wishes, may_begin
from provisioning.progress import Progress
from provisioning.raising import raise_house
from provisioning.ready import Ready, show_ready, write_ready
from provisioning.renewed import start_renewed
from provisioning.standby import Standby
from provisioning.state import ChildState, ChildStatus, looked_file, state_file
from provisioning.supervisor import Supervisor

app = typer.Typer()


def _port(what: str, default: int) -> Any:
    return typer.Option(min=1, max=65535, help=f"{what}. [default: the last one, or {default}]")


@app.command()
def up(
    ctx: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="To try things in, with a clinician and a code.")] = False,
    port: Annotated[int | None, _port("Of the homeserver", DEFAULT_PORT)] = None,
    front_port: Annotated[int | None, _port("Of the front door", DEFAULT_FRONT_PORT)] = None,
) -> None:
    """Start the homeserver, the programs and the front door; restart what ends; Ctrl-C stops all of it."""
    directory = invocation(ctx).directory
    settings = may_begin(directory, Wishes(demo, port, front_port))
    directory.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with HouseLock(directory.supervisor_pid):
        asyncio.run(keep(directory, settings))


async def keep(directory: HouseDirectory, settings: HouseSettings) -> None:
    """Raise the house and keep it until SIGTERM or Ctrl-C; whatever happens, nothing of it is left running."""
    told_to_stop = _stop_signal()
    # One that was killed could not take it away.
    directory.ready.unlink(missing_ok=True)
    with Progress() as progress:
        supervisor = Supervisor(state_file(directory), directory.logs, told=lambda status: _note(progress, status))
        pager = load_pager(settings.config, directory.root)
        standby = _standby(directory, settings, pager, supervisor)
        telling = asyncio.create_task(standby.run())
        raising = asyncio.create_task(raise_house(directory, settings, supervisor, progress))
        renewed = asyncio.create_task(start_renewed(directory, settings, supervisor))
        stopping = asyncio.create_task(told_to_stop.wait())
        try:
            await asyncio.wait({raising, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not stopping.done():
                _announce(directory, await _raised(raising, standby), progress)
                _warn(progress, pager)
                await stopping
        finally:
            for task in (telling, raising, renewed, stopping):
                task.cancel()
            directory.ready.unlink(missing_ok=True)
            progress.step("Stopping the house")
            await supervisor.stop()


def _announce(directory: HouseDirectory, ready: Ready, progress: Progress) -> None:
    progress.rest()
    write_ready(directory.ready, ready)
    answer(ready.document(), lambda console: show_ready(console, ready))


def _standby(
    directory: HouseDirectory, settings: HouseSettings, pager: PagerSettings, supervisor: Supervisor
) -> Standby:
    # How long ago an earlier caretaker looked says nothing of the one that is started now.
    looked_file(directory).unlink(missing_ok=True)
    told = Told(state_file(directory).parent)
    return Standby(
        supervisor.statuses, make_pager(settings, pager, directory), pager.when.limits(), told, looked_file(directory)
    )


async def _raised(raising: asyncio.Task[Ready], standby: Standby) -> Ready:
    """Wait until the house stands; tell outside of Matrix that it does not, or that it does at last."""
    try:
        ready = await raising
    except Failure:
        await standby.house_is_down()
        raise
    await standby.house_is_up()
    return ready


def _warn(progress: Progress, pager: PagerSettings) -> None:
    if not pager.channels:
        progress.note(f"Note: {NOBODY}. docs/operating.md says how to change that.")


def _note(progress: Progress, status: ChildStatus) -> None:
    match status.state:
        case ChildState.WAITING:
            progress.note(f"{status.name} {status.sentence}; it is started again")
        case ChildState.FAILED:
            progress.note(f"{status.name} is not started again: {status.sentence}")
        case ChildState.RUNNING | ChildState.STOPPED:
            pass


def _stop_signal() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
