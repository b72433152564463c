"""Remembering again, after a start, what was said in a room just before."""

from datetime import datetime, timedelta

import structlog

from bots.risk_monitor.hearing import Hearing
from bots.risk_monitor.recent import REMEMBERED_FOR
from bots.risk_monitor.said import words_said
from bots.runtime.errors import MatrixFault
from bots.runtime.received import Message, Reaction, Received
from bots.runtime.surroundings import Surroundings
from keyhouse.core.rooms import RoomScope

log = structlog.get_logger()


class Recalling:
    """Fills the memory of a watcher that has just begun: of each room once, before its first message is judged."""

    def __init__(self, around: Surroundings, hearing: Hearing) -> None:
        self._around, self._hearing = around, hearing
        self._began = around.clock()
        self._recalled: set[str] = set()

    async def before(self, event: Message | Reaction, scope: RoomScope | None) -> bool:
        """Remember what was said before this event, without raising anything; False if it could not be had.

        Nothing is asked when the room's past is known, or when nothing that counts was said before the start.
        """
        now = self._around.clock()
        if now - self._began > REMEMBERED_FOR:
            self._recalled.clear()
            return True
        if event.room_id in self._recalled:
            return True
        earlier = await self._earlier(event)
        # Kept before anything is heard: what hearing fails on would hold up every further message too.
        self._recalled.add(event.room_id)
        for each in earlier or ():
            self._hear(each, event.sent_at, scope, now)
        return earlier is not None

    async def _earlier(self, event: Message | Reaction) -> list[Received] | None:
        if self._around.history is None:
            return []
        try:
            return await self._around.history.before(event.room_id, event.event_id, event.sent_at - REMEMBERED_FOR)
        except MatrixFault as fault:
            log.warning("judged_without_the_past", fault=type(fault).__name__)
            return None

    def _hear(self, earlier: Received, next_at: datetime, scope: RoomScope | None, now: datetime) -> None:
        """Judge one event quietly, for edits of it. It was judged aloud by an earlier process, or will be by itself."""
        if not isinstance(earlier, Message | Reaction) or (said := words_said(earlier)) is None:
            return
        # As old as it was when the next one was written, however long that waited for this process.
        at = now - max(next_at - earlier.sent_at, timedelta())
        self._hearing.listen(earlier.room_id, earlier.event_id, earlier.sender, said, scope, at)
