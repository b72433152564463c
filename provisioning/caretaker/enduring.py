"""Keep one piece of the caretaker's work going, whatever it meets outside."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bots.runtime.errors import MatrixFault
from keyhouse.storage.errors import StoreFault
from provisioning.answers import Failure

AGAIN_AFTER_S = 2.0

log = structlog.get_logger()


async def endure(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and begin it anew when the database or the homeserver failed it; a mistake of ours is raised.

    The caretaker is who tells of such failures, so it never ends because of one.
    """
    while True:
        try:
            await work()
        except (StoreFault, MatrixFault, Failure, TimeoutError) as fault:
            log.warning("caretaker_work_failed", work=name, fault=type(fault).__name__)
        await asyncio.sleep(AGAIN_AFTER_S)
