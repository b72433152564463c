"""Events on their way to the bot: in order within a room, rooms beside each other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from keyhouse.core.incoming import NewIncoming

ON_THEIR_WAY_AT_MOST = 1000


class Lanes:
    """One lane for each room that has something waiting. handle: does one event; what it raises ends the bot.

    At most ON_THEIR_WAY_AT_MOST events wait here at a time: who brings more waits. All of them are in the database.
    """

    def __init__(self, handle: Callable[[NewIncoming], Awaitable[None]]) -> None:
        self._handle = handle
        self._places = asyncio.Semaphore(ON_THEIR_WAY_AT_MOST)
        self._lanes: dict[str, deque[NewIncoming]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._inside: set[str] = set()
        self._fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def has(self, event_id: str) -> bool:
        """Whether this event is on its way."""
        return event_id in self._inside

    async def put(self, event: NewIncoming) -> None:
        """Let the event follow what came before it in its room; waits while too many are on their way."""
        await self._places.acquire()
        self._inside.add(event.event_id)
        lane = self._lanes.get(event.room_id)
        if lane is not None:
            lane.append(event)
            return
        self._lanes[event.room_id] = deque([event])
        task = asyncio.create_task(self._drain(event.room_id), name="lane")
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def until_a_fault(self) -> None:
        """Wait for ever, or until handling raised; raises the same."""
        await self._fault

    async def stop(self) -> None:
        """End every lane; what was on its way is found in the database at the next start."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _drain(self, room_id: str) -> None:
        lane = self._lanes[room_id]
        try:
            while lane:
                event = lane.popleft()
                try:
                    await self._handle(event)
                finally:
                    self._inside.discard(event.event_id)
                    self._places.release()
        finally:
            del self._lanes[room_id]

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None and not self._fault.done():
            self._fault.set_exception(fault)
