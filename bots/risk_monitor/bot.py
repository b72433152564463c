"""The watcher: reads the watched rooms, raises cases, keeps their cards."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bots.risk_monitor.cards import SHORTCUTS
from bots.risk_monitor.casework import Casework
from bots.risk_monitor.delivery import Delivery
from bots.risk_monitor.hearing import Heard, Recent, hear
from bots.runtime.received import Malformed, Message, Reaction, Received, Undecryptable
from bots.runtime.router import Router
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import notice
from keyhouse.core.alerts import Alert
from keyhouse.core.commands import Place
from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.selection import words_of
from keyhouse.core.outgoing import Outgoing, Worker
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import COULD_NOT_BE_JUDGED, COULD_NOT_BE_READ, raise_alert

UNREADABLE_AFTER = timedelta(seconds=60)
_COULD_NOT_BE_JUDGED = Heard(Urgency.CONCERN, COULD_NOT_BE_JUDGED, ("house.could_not_be_judged",))
_COULD_NOT_BE_READ = Heard(Urgency.CONCERN, COULD_NOT_BE_READ, ("house.could_not_be_read",))
_NO_WORDS = "(The house could not read this message. Please look at it in its room, or ask the person.)"


class Watcher:
    """One watcher. Nothing that was written stays with it, but the last harmless lines of a room, in memory."""

    def __init__(self, around: Surroundings, lexicon: CompiledLexicon, signposting: Signposting) -> None:
        self._around = around
        self._lexicon = lexicon
        self._recent = Recent()
        self._unreadable: dict[str, tuple[datetime, Undecryptable]] = {}
        self.counters = {"judged": 0, "alerts": 0, "stayed_unreadable": 0}
        self._delivery = Delivery(around, signposting)
        self._casework = Casework(around.ledger, around.clock, self._delivery.words_on)
        self._care = Router(Worker.RISK_MONITOR, Place.CARE, self._casework.answers())

    async def do(self, row: Outgoing) -> None:
        """Send a card, an edit of it, a further message, or signposting."""
        await self._delivery.do(row)

    async def devices_changed(self, people: Sequence[str]) -> None:
        """Nothing of the watcher's waits for devices: an alert does not wait."""

    async def caught_up(self, members: Mapping[str, frozenset[str]]) -> None:
        """Nothing to do."""

    async def received(self, event: Received) -> None:
        """Judge what people write in watched rooms; answer the team in care rooms."""
        scope = await self._around.ledger.read(lambda tx: tx.rooms.get(RoomId(event.room_id)))
        in_care = scope is not None and scope.kind is RoomKind.CARE
        match event:
            case Message() if in_care:
                await self._answer(event)
            case Reaction() if in_care:
                await self._reacted(event)
            case Message() if _is_watched(scope):
                self._unreadable.pop(event.event_id, None)
                await self._judge(event, words_of(event.content), scope)
            case Reaction() if _is_watched(scope) and any(char.isalpha() for char in event.key):
                await self._judge(event, event.key, scope)
            case Undecryptable() if _is_watched(scope) or in_care:
                self._unreadable.setdefault(event.event_id, (self._around.clock(), event))
            case Malformed() if _is_watched(scope):
                await self._raise(event, _COULD_NOT_BE_JUDGED, _NO_WORDS)
            case _:
                return

    async def could_not_handle(self, event: Received) -> None:
        """Bring a human: what could not be judged may be anything."""
        if isinstance(event, Message | Reaction | Malformed | Undecryptable):
            await self._raise(event, _COULD_NOT_BE_JUDGED, _NO_WORDS)

    async def watch_the_clock(self) -> None:
        """Once a second, look for messages that stayed unreadable: silence must never look like safety."""
        while True:
            await asyncio.sleep(1)
            now = self._around.clock()
            late = [event for since, event in self._unreadable.values() if now - since >= UNREADABLE_AFTER]
            for event in late:
                # While one alarm was being kept, the next message may have become readable.
                if event.event_id in self._unreadable:
                    await self._raise(event, _COULD_NOT_BE_READ, _NO_WORDS)
                    self._unreadable.pop(event.event_id, None)
                    self.counters["stayed_unreadable"] += 1

    async def _judge(self, event: Message | Reaction, text: str, scope: RoomScope | None) -> None:
        now = self._around.clock()
        self.counters["judged"] += 1
        heard = hear(text, scope, self._recent.before(event.room_id, event.sender, now), self._lexicon)
        if heard is None:
            self._recent.remember(event.room_id, event.sender, text, now)
            return
        await self._raise(event, heard, text)

    async def _raise(self, event: Message | Reaction | Malformed | Undecryptable, heard: Heard, words: str) -> None:
        now = self._around.clock()
        alert = Alert(
            EventId(event.event_id),
            RoomId(event.room_id),
            UserId(event.sender),
            heard.urgency,
            heard.category,
            heard.rules,
            now,
        )
        raised = await self._around.ledger.write(lambda tx: raise_alert(tx, alert, words, now))
        self.counters["alerts"] += raised is not None

    async def _answer(self, message: Message) -> None:
        body = message.content.get("body")
        if not isinstance(body, str) or "m.new_content" in message.content:
            return
        reply = await self._care.reply(body, message.room_id, message.event_id, message.sender)
        if reply is not None:
            await self._say(message.room_id, reply, message.event_id)

    async def _reacted(self, reaction: Reaction) -> None:
        if reaction.key.replace("\ufe0f", "") in SHORTCUTS:
            reply = await self._casework.reacted(reaction.target, reaction.key, reaction.sender)
            if reply is not None:
                await self._say(reaction.room_id, reply, reaction.target, reaction.event_id)

    async def _say(self, room_id: str, markdown: str, reply_to: str, cause: str | None = None) -> None:
        # The same event handled twice after a crash is answered once: the transaction id comes from the event.
        txn_id = f"answer-{(cause or reply_to).removeprefix('$')}"
        await self._around.sending.send_message(room_id, notice(markdown, reply_to), txn_id, device_policy(None))


def _is_watched(scope: RoomScope | None) -> bool:
    """A room that the house does not know, yet the watcher stands in, is judged: in doubt, alert."""
    return scope is None or scope.rules.watched
