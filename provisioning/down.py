"""`keyhouse down`: stop the house."""

import os
import signal
from contextlib import suppress

import typer

from provisioning.answers import Failure, answer, invocation
from provisioning.house_lock import holder
from provisioning.processes import wait_until

STOPS_WITHIN_S = 60.0

app = typer.Typer()


@app.command()
def down(ctx: typer.Context) -> None:
    """Stop the house and wait until all of it has ended; one that is not up stays as it is."""
    directory = invocation(ctx).directory
    pid = holder(directory.supervisor_pid)
    if pid is None:
        answer({"stopped": False}, lambda console: console.print("No house is up here; nothing was to stop."))
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if not wait_until(lambda: holder(directory.supervisor_pid) != pid, STOPS_WITHIN_S):
        raise Failure(f"the house (process {pid}) is still stopping; look again with `keyhouse status`")
    answer({"stopped": True}, lambda console: console.print("The house has stopped."))
