"""Do again, in the background, what the store could not keep just now."""

from collections.abc import Awaitable, Callable

from synapse.module_api import ModuleApi

from keyhouse.storage.errors import StoreAway

_LONGEST_WAIT_S = 60.0


async def until_done(api: ModuleApi, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step again and again while the store is away, with longer and longer pauses."""
    wait_s = 1.0
    while True:
        try:
            return await step()
        except StoreAway:
            await api.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
