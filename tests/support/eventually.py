"""Wait for something that nobody announces."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


async def eventually(holds: Callable[[], Awaitable[Any]], within_s: float = 60) -> Any:
    """Ask again and again until the answer is true; give it. Fails after so many seconds."""
    async with asyncio.timeout(within_s):
        while True:
            if answer := await holds():
                return answer
            await asyncio.sleep(0.05)
