"""Waiting while the house's database is away: nothing is dropped, nothing is decided, it is counted and said."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog

from keyhouse.storage.errors import StoreAway

FIRST_PAUSE = timedelta(milliseconds=200)
LONGEST_PAUSE = timedelta(seconds=5)

T = TypeVar("T")

log = structlog.get_logger()


async def until_kept(work: Callable[[], Awaitable[T]], counts: Counter[str]) -> T:
    """Do this work again and again until the database is there. A full disk is a database that is away.

    counts: `store_away` is counted up with every try that failed.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await work()
        except StoreAway as away:
            counts["store_away"] += 1
            log.error("database_away", tries=counts["store_away"], fault=type(away.__cause__ or away).__name__)
        await asyncio.sleep(pause.total_seconds() * random.uniform(0.8, 1.2))  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE)
