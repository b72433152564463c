"""The watcher: reads the watched rooms, raises cases, keeps their cards."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog

from bots.risk_monitor.cards import SHORTCUTS
from bots.risk_monitor.casework import Casework
from bots.risk_monitor.delivery import Delivery
from bots.risk_monitor.hearing import Heard, Hearing, Listened, heard_deletion
from bots.risk_monitor.pictures import has_to_go, words_beside
from bots.risk_monitor.recalling import Recalling
from bots.risk_monitor.said import words_said
from bots.runtime.answers import decide_answer, send_answer
from bots.runtime.received import Deleted, Malformed, Message, Reaction, Received, Redaction, Undecryptable
from bots.runtime.router import Router
from bots.runtime.surroundings import Surroundings
from keyhouse.core.alerts import Alert
from keyhouse.core.commands import Place
from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.selection import Selection
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.alerting import COULD_NOT_BE_JUDGED, COULD_NOT_BE_READ, Raised, raise_alert
from keyhouse.core.workflows.nudging import nudge
from keyhouse.core.workflows.pictures import take_away
from keyhouse.settings.faults import SettingsFault

LOOKS_FOR_A_LEXICON_EVERY_S = 2.0

_COULD_NOT_BE_JUDGED = Heard(Urgency.CONCERN, COULD_NOT_BE_JUDGED, ("house.could_not_be_judged",))
_COULD_NOT_BE_READ = Heard(Urgency.CONCERN, COULD_NOT_BE_READ, ("house.could_not_be_read",))
_NO_WORDS = "(The house could not read this message. Please look at it in its room, or ask the person.)"
_DELETED = "(This message was deleted before the house could read it. Please ask the person how they are.)"

Said = Message | Reaction | Malformed | Undecryptable | Deleted

log = structlog.get_logger()


class Lexicons(Protocol):
    """The lexicon in force."""

    def current(self) -> CompiledLexicon:
        """Return the one to judge the next message with."""

    def look(self) -> bool:
        """Put a newly accepted one in force, and say whether there was one; raises SettingsFault when it is broken."""


class Watcher:
    """One watcher. Nothing that was written stays with it, but the last lines of a room, in memory."""

    def __init__(self, around: Surroundings, lexicons: Lexicons, signposting: Signposting) -> None:
        self._around = around
        self._lexicons = lexicons
        self._hearing = Hearing(lexicons.current)
        self._listened: dict[str, Listened] = {}
        self._recalling = Recalling(around, self._hearing)
        self.counters = {
            "judged": 0,
            "judged_without_the_past": 0,
            "alerts": 0,
            "lexicons_put_in_force": 0,
            "lexicons_refused": 0,
        }
        self._delivery = Delivery(around, signposting)
        self._casework = Casework(around.ledger, around.clock, self._delivery.words_on)
        self._care = Router(Worker.RISK_MONITOR, Place.CARE, self._casework.answers())

    async def do(self, row: Outgoing) -> None:
        """Send a card, an edit of it, a further message, signposting, or an answer."""
        if row.kind is OutgoingKind.ANSWER:
            await send_answer(self._around, row)
        else:
            await self._delivery.do(row)

    async def devices_changed(self, people: Sequence[str]) -> None:
        """Nothing of the watcher's waits for devices: an alert does not wait."""

    async def caught_up(self, members: Mapping[str, frozenset[str]]) -> None:
        """Nothing to do."""

    async def received(self, event: Received) -> None:
        """Judge what people write in watched rooms; answer the team in care rooms."""
        scope = await self._scope(event)
        in_care = scope is not None and scope.kind is RoomKind.CARE
        match event:
            case Message() if in_care:
                await self._answer(event)
            case Reaction() if in_care:
                await self._reacted(event)
            case Message() | Reaction() if _is_watched(scope) and (said := words_said(event)) is not None:
                await self._judge(event, said, scope)
            case Redaction() if _is_watched(scope):
                await self._deleted_unread(event)
            case Deleted() if _is_watched(scope):
                await self._deleted(event)
            case Malformed() if _is_watched(scope):
                await self._raise(event, _COULD_NOT_BE_JUDGED, _NO_WORDS)
            case _:
                return

    async def could_not_handle(self, event: Received) -> None:
        """Bring a human: what could not be judged may be anything."""
        if not isinstance(event, Said):
            return
        self._listened.pop(event.event_id, None)
        scope = await self._scope(event)
        if _is_watched(scope):
            # The event is not done by it: it is set aside, with its content, for whoever mends the fault.
            raised = await self._around.ledger.insist(lambda tx: self._kept(tx, event, _COULD_NOT_BE_JUDGED, _NO_WORDS))
            self.counters["alerts"] += raised is not None

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Bring a human, and ask the author to write again: silence must never look like safety."""
        scope = await self._scope(event)
        raises = _is_watched(scope) or (scope is not None and scope.kind is RoomKind.CARE)

        def alarm(tx: Transaction) -> Raised | None:
            return self._kept(tx, event, _COULD_NOT_BE_READ, _NO_WORDS) if raises else None

        raised = await self._around.ledger.alarm(event.event_id, alarm)
        self.counters["alerts"] += raised is not None

    async def watch_the_clock(self) -> None:
        """Let a newly accepted lexicon take over between two messages; one that cannot be read never does."""
        while True:
            await asyncio.sleep(LOOKS_FOR_A_LEXICON_EVERY_S)
            try:
                swapped = await asyncio.to_thread(self._lexicons.look)
            except SettingsFault:
                self.counters["lexicons_refused"] += 1
                log.error("accepted_lexicon_cannot_be_read")
            else:
                self.counters["lexicons_put_in_force"] += swapped

    async def _judge(self, event: Message | Reaction, said: Selection, scope: RoomScope | None) -> None:
        listened = self._listened.get(event.event_id)
        if listened is None:
            self.counters["judged_without_the_past"] += not await self._recalling.before(event, scope)
            now = self._around.clock()
            listened = self._hearing.listen(event.room_id, event.event_id, event.sender, said, scope, now)
            self.counters["judged"] += 1
        # What was said is remembered by now: heard a second time, because the database was away, it would not be news.
        self._listened[event.event_id] = listened
        await self._act_on(event, listened, said.text, scope)
        del self._listened[event.event_id]

    async def _act_on(self, event: Message | Reaction, listened: Listened, words: str, scope: RoomScope | None) -> None:
        heard = listened.heard or (_COULD_NOT_BE_JUDGED if _has_no_body(event) else None)
        goes, now = has_to_go(event, scope), self._around.clock()
        if heard is None and not listened.nudges and not goes:
            return
        shown = words_beside(words) if goes else words

        def decide(tx: Transaction) -> Raised | None:
            if goes:
                take_away(tx, RoomId(event.room_id), EventId(event.event_id), UserId(event.sender), now)
            for name in listened.nudges:
                nudge(tx, UserId(event.sender), name, now)
            return self._kept(tx, event, heard, shown) if heard else None

        raised = await self._around.ledger.decide(event.event_id, decide)
        self.counters["alerts"] += raised is not None

    async def _deleted(self, event: Deleted) -> None:
        heard = heard_deletion(by_its_author=event.by == event.sender, was_judged=False)
        if heard is not None:
            await self._raise(event, heard, _DELETED)

    async def _deleted_unread(self, event: Redaction) -> None:
        """Note that somebody took back a message whose room key has not come; it is judged all the same if it comes."""

        def decide(tx: Transaction) -> Raised | None:
            target = tx.inbox.unread_one(Worker.RISK_MONITOR, EventId(event.target))
            if target is None:
                return None
            sender = str(target.raw.get("sender"))
            heard = heard_deletion(by_its_author=sender == event.sender, was_judged=False)
            deleted = Deleted(event.room_id, event.target, sender, event.sender)
            return self._kept(tx, deleted, heard, _DELETED) if heard else None

        raised = await self._around.ledger.decide(event.event_id, decide)
        self.counters["alerts"] += raised is not None

    async def _raise(self, event: Said, heard: Heard, words: str) -> None:
        raised = await self._around.ledger.decide(event.event_id, lambda tx: self._kept(tx, event, heard, words))
        self.counters["alerts"] += raised is not None

    def _kept(self, tx: Transaction, event: Said, heard: Heard, words: str) -> Raised | None:
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
        return raise_alert(tx, alert, words, now)

    async def _answer(self, message: Message) -> None:
        body = message.content.get("body")
        if not isinstance(body, str) or "m.new_content" in message.content:
            return
        decision = await self._care.reply(body, message.room_id, message.event_id, message.sender)
        if decision is not None:
            await decide_answer(self._around.ledger, message.room_id, message.event_id, decision)

    async def _reacted(self, reaction: Reaction) -> None:
        if reaction.key.replace("\ufe0f", "") not in SHORTCUTS:
            return
        decision = await self._casework.reacted(reaction.target, reaction.key, reaction.sender)
        if decision is not None:
            await decide_answer(
                self._around.ledger, reaction.room_id, reaction.event_id, decision, reply_to=reaction.target
            )

    async def _scope(self, event: Received) -> RoomScope | None:
        return await self._around.ledger.read(lambda tx: tx.rooms.get(RoomId(event.room_id)))


def _has_no_body(event: Message | Reaction) -> bool:
    """A message without a readable body shows every client something else."""
    return isinstance(event, Message) and event.type == "m.room.message" and not _has_body(event.content)


def _has_body(content: Mapping[str, Any]) -> bool:
    edited = content.get("m.new_content")
    shown = edited if isinstance(edited, Mapping) else content
    return isinstance(shown.get("body"), str) or isinstance(content.get("body"), str)


def _is_watched(scope: RoomScope | None) -> bool:
    """A room that the house does not know, yet the watcher stands in, is judged: in doubt, alert."""
    return scope is None or scope.rules.watched
