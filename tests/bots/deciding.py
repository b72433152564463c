"""`python -m tests.bots.deciding DIRECTORY`: a bot that decides about every message, for tests that kill it.

Each decision is a row of its own in the outbox, so that one that was made twice is seen. Says `ready` when it runs.
"""

import asyncio
import os
import resource
import signal
import sys
import uuid
from pathlib import Path

import structlog

from bots.runtime import fault_points
from bots.runtime.client import HouseClient
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Received, Undecryptable
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind
from keyhouse.core.ports import Transaction
from tests.support.ledgers import open_ledger

ALARMS = "alarms.txt"
DEADLY = "what no process survives"
FULL = signal.SIGUSR1
"""Lets no file grow any more, as a full disk does."""


class Deciding:
    """Decides about messages, notes alarms in a file."""

    def __init__(self, directory: Path, ledger: Ledger) -> None:
        self._directory, self._ledger = directory, ledger

    async def received(self, event: Received) -> None:
        if isinstance(event, Message):
            if event.content.get("body") == DEADLY:
                os.kill(os.getpid(), signal.SIGKILL)
            await self._ledger.decide(event.event_id, lambda tx: self._decide(tx, event))

    async def could_not_handle(self, event: Received) -> None:
        self._note("could not handle", event)

    async def stayed_unread(self, event: Undecryptable) -> None:
        self._note("stayed unread", event)

    def _decide(self, tx: Transaction, event: Message) -> None:
        now, content = self._ledger.clock(), {"event_id": event.event_id, "words": event.content.get("body")}
        once = f"{event.event_id} {uuid.uuid4()}"
        tx.outbox.add(NewOutgoing(OutgoingKind.ANSWER, self._ledger.worker, once, content, now), now)

    def _note(self, what: str, event: Received) -> None:
        with (self._directory / ALARMS).open("a") as file:
            file.write(f"{what} {event.event_id}\n")


def say(what: str) -> None:
    """Tell whoever started this."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def run(directory: Path) -> None:
    """Run the bot of a directory until it is killed."""
    asyncio.get_running_loop().add_signal_handler(FULL, resource.setrlimit, resource.RLIMIT_FSIZE, (1, 1))
    ledger = open_ledger(directory)
    async with HouseClient(directory) as client:
        say("ready")
        await client.run(Deciding(directory, ledger), ledger)


def serve() -> None:
    """Start a bot for each line of standard input, `DIRECTORY FAULT_POINT`, and wait for its death; say both.

    A child of a process that has loaded everything starts in a fraction of the time.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for line in sys.stdin:
        directory, _, point = line.strip().partition(" ")
        if (child := os.fork()) == 0:
            fault_points.arm(point)
            asyncio.run(run(Path(directory)))
            os._exit(0)
        say(f"born {child}")
        _, status = os.waitpid(child, 0)
        say(f"dead {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    serve()
