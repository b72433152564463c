"""The booking bot over a store in memory: what it answers to what is written, without any homeserver."""

from datetime import datetime
from pathlib import Path
from typing import Any

from bots.booking.bot import Booking
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, BULIMIA, EATING, NOW, PERINATAL, user
from tests.support.therapy import RULES, furnish

NOTHING_IS_SENT: Any = None
CONDITIONS = {EATING: frozenset({ANOREXIA, BULIMIA}), "perinatal": frozenset({PERINATAL})}


class AtTheDesks:
    """A house with two therapists and the patients river and clover, in which it is NOW until a test says otherwise."""

    def __init__(self) -> None:
        self.store, self.now = MemoryStore(), NOW
        self.ledger = Ledger(self.store, Worker.BOOKING, self.clock)
        settings = HouseSettings(
            server_name="keyhouse.test",
            homeserver="http://h",
            front_door="http://f",
            database="sqlite://",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, NOTHING_IS_SENT, UserId("@booking:keyhouse.test"), self.clock)
        self.bot = Booking(around, RULES, CONDITIONS)
        furnish(self.store, "river", "clover")
        self._said = 0

    def clock(self) -> datetime:
        """What the house takes for now."""
        return self.now

    async def says(self, body: str, who: str = "river", room: str | None = None, event: str = "", **more: Any) -> str:
        """Let somebody write at their desk; what is answered to it, empty when nothing is.

        room: another one.  event: an event that may have been handled before.
        """
        row = await self.answers(body, who, room, event, **more)
        return str(row.content["markdown"]) if row else ""

    async def answers(
        self, body: str, who: str = "river", room: str | None = None, event: str = "", **more: Any
    ) -> Outgoing | None:
        """Let somebody write; the answer that is to be sent, None when there is none."""
        self._said += 1
        event, content = event or f"${self._said}", {"msgtype": "m.text", "body": body, **more}
        where = room or f"!desk-{who}"
        await self.bot.received(Message(where, event, user(who), self.now, "m.room.message", content, True, True))
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.BOOKING, self.now, 999))
        mine = [row for row in rows if row.kind is OutgoingKind.ANSWER and row.content["reply_to"] == event]
        return mine[0] if mine else None

    async def writes(self, body: str, who: str = "dr-a") -> str:
        """Let a clinician write in the care room; what is answered."""
        return await self.says(body, who, "!care")
