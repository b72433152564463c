"""Waiting for something, but not for ever, in a loop that must end when it is told to."""

import asyncio
from datetime import timedelta


async def happens(event: asyncio.Event, within: timedelta | None = None) -> bool:
    """Wait until the event is set, and say whether it was in time; without a time, wait for ever."""
    # Not wait_for: this Python's swallows a cancelling that comes together with what is waited for.
    try:
        async with asyncio.timeout(within.total_seconds() if within is not None else None):
            await event.wait()
    except TimeoutError:
        return False
    return True
