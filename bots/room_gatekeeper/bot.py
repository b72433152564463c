"""The concierge: lets people in and out as their keys say, keeps the desks, answers there."""

import asyncio
from collections.abc import Mapping, Sequence

from bots.room_gatekeeper.agreements import Agreements
from bots.room_gatekeeper.desk_messages import DeskMessages
from bots.room_gatekeeper.doing import Doing
from bots.room_gatekeeper.reminding import Reminding
from bots.room_gatekeeper.sweeping import Sweep
from bots.room_gatekeeper.wording import rooms_text
from bots.runtime.answers import Decision, decide_answer, send_answer
from bots.runtime.received import MemberChanged, Message, Reaction, Received, Undecryptable
from bots.runtime.router import Asked, Router
from bots.runtime.surroundings import Surroundings
from bots.runtime.together import together
from keyhouse.core.commands import Place
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.rooms import RoomKind
from keyhouse.core.signposting import Signposting
from keyhouse.core.workflows import housekeeping
from keyhouse.settings.rules_in_force import RulesInForce

_AT_THE_DESK = frozenset({OutgoingKind.GREETING, OutgoingKind.UNSENT, OutgoingKind.RULES_REMINDER})


class Concierge:
    """One concierge. It decides nothing: keys say who is where."""

    def __init__(
        self, around: Surroundings, signposting: Signposting, notice_of_house: str, rules: RulesInForce
    ) -> None:
        self._around = around
        self._doing = Doing(around, signposting, notice_of_house)
        self._desk_messages = DeskMessages(around, signposting, rules)
        self._agreements = Agreements(around, rules)
        self._sweep, self._reminding = Sweep(around), Reminding(around, rules)
        self._knows_who_is_where = asyncio.Event()
        answers = {"rooms": self._rooms, "rules": self._agreements.rules, "agree": self._agreements.typed}
        self._desk = Router(Worker.ROOM_GATEKEEPER, Place.DESK, answers)

    @property
    def counters(self) -> Mapping[str, int]:
        """What the sweep and the reminders did since the start, by name."""
        return {**self._sweep.counters, **self._reminding.counters}

    async def do(self, row: Outgoing) -> None:
        """Invite, remove, open a desk, greet, take away; answer what was asked."""
        if row.kind is OutgoingKind.ANSWER:
            await send_answer(self._around, row)
        elif row.kind in _AT_THE_DESK:
            await self._desk_messages.do(row)
        else:
            await self._doing.do(row)

    async def received(self, event: Received) -> None:
        """Note who is where; answer at the desks."""
        match event:
            case MemberChanged():
                await self._seen(event)
            case Message() if await self._is_desk(event.room_id):
                await self._answer(event)
            case Reaction() if await self._is_desk(event.room_id):
                await self._reacted(event)
            case _:
                return

    async def could_not_handle(self, event: Received) -> None:
        """Nothing is lost by it: a command can be typed again, and memberships are compared at every start."""

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Leave it to the watcher, which is at every desk too and calls the team."""
        await self._around.ledger.alarm(event.event_id, lambda tx: None)

    async def devices_changed(self, people: Sequence[str]) -> None:
        """Greet those who were waiting to have a device that can read it."""
        now = self._around.clock()
        newcomers = [UserId(person) for person in people]
        await self._around.ledger.write(lambda tx: housekeeping.hasten_greetings(tx, newcomers, now))

    async def caught_up(self, members: Mapping[str, frozenset[str]]) -> None:
        """Compare what was kept with who is joined."""
        now = self._around.clock()
        await self._around.ledger.write(lambda tx: housekeeping.observe_rooms(tx, members, now))
        self._knows_who_is_where.set()

    async def watch_the_clock(self) -> None:
        """Remind of new rules; sweep at the start, once it is known who is where, and then every minute."""
        await together(self._reminding.run(), self._sweep_when_known())

    async def _sweep_when_known(self) -> None:
        await self._knows_who_is_where.wait()
        await self._sweep.run()

    async def _seen(self, event: MemberChanged) -> None:
        room, person, sender = RoomId(event.room_id), UserId(event.user_id), UserId(event.sender)
        now = self._around.clock()
        await self._around.ledger.decide(
            event.event_id, lambda tx: housekeeping.observe_change(tx, room, person, sender, event.membership, now)
        )

    async def _answer(self, message: Message) -> None:
        body = message.content.get("body")
        if not isinstance(body, str) or "m.new_content" in message.content:
            return
        reply = await self._desk.reply(body, message.room_id, message.event_id, message.sender)
        reply = reply or self._agreements.said(message)
        if reply is not None:
            await decide_answer(self._around.ledger, message.room_id, message.event_id, reply)

    async def _reacted(self, reaction: Reaction) -> None:
        reply = await self._agreements.tapped(reaction)
        if reply is not None:
            await decide_answer(
                self._around.ledger, reaction.room_id, reaction.event_id, reply, reply_to=reaction.target
            )

    async def _is_desk(self, room_id: str) -> bool:
        scope = await self._around.ledger.read(lambda tx: tx.rooms.get(RoomId(room_id)))
        return scope is not None and scope.kind is RoomKind.DESK

    async def _rooms(self, asked: Asked) -> Decision:
        now = self._around.clock()
        return lambda tx: rooms_text(housekeeping.let_back_in(tx, UserId(asked.sender), now))
