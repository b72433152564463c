"""Say to an outside service that all is well; when that stops, the service raises the alarm."""

import asyncio
from collections.abc import Callable

import aiohttp
import structlog

from keyhouse.settings.pager import DeadMan, read_secret

_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=10)

log = structlog.get_logger()


async def keep_saying_well(settings: DeadMan, is_well: Callable[[], bool], counters: dict[str, int]) -> None:
    """Ask for the service's address at every interval while all is well; say nothing while it is not."""
    while True:
        if is_well():
            fault = await _say(settings)
            counters["well_said" if fault is None else "well_not_heard"] += 1
            if fault is not None:
                # The service itself tells, when it goes on hearing nothing.
                log.warning("dead_man_not_heard", fault=fault)
        await asyncio.sleep(settings.every.total_seconds())


async def _say(settings: DeadMan) -> str | None:
    try:
        url = await asyncio.to_thread(read_secret, settings.url_file)
        async with aiohttp.ClientSession(timeout=_ANSWERS_WITHIN, trust_env=True) as http, http.get(url) as answer:
            return None if answer.status < 300 else f"status {answer.status}"
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        return type(fault).__name__
