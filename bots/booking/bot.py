"""The booking bot: shows and books sessions at the desks, keeps slots in the care rooms, reminds and offers."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial

from bots.booking.calendars import CalendarCommand
from bots.booking.care import CareCommands
from bots.booking.desk import DeskCommands
from bots.booking.finding import NO, SLOT_KEY, YES
from bots.booking.plain_words import asked_for
from bots.booking.proposals import Proposals
from bots.booking.service_rooms import ServiceRooms
from bots.booking.telling import Telling
from bots.runtime.answers import ASKED_KEY, Decision, decide_answer, send_answer
from bots.runtime.errors import MatrixFault
from bots.runtime.received import Message, Reaction, Received, Undecryptable
from bots.runtime.router import Router, saying
from bots.runtime.surroundings import Surroundings
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.commands import Place, read_command
from keyhouse.core.ids import Condition, RoomId, SlotNumber, UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.workflows.booking_sessions import keep_what_is_over

KEEPS_EVERY = timedelta(hours=1)
_KEPT_AT_ONCE = 100
_PLEASE_TYPE_IT = "I cannot look that up just now. Please write `!book` with the number of the session."


class Booking:
    """One booking bot. What it knows is in the database, but for which session somebody was asked about last."""

    def __init__(
        self, around: Surroundings, rules: BookingRules, conditions: Mapping[str, frozenset[Condition]]
    ) -> None:
        self._around, self._rules = around, rules
        calendar = CalendarCommand(Place.DESK, around.settings.front_door, around.clock)
        self._desk_commands = DeskCommands(rules, around.clock, Proposals(), calendar)
        care = CareCommands(rules, conditions, around.settings, around.clock)
        self._telling = Telling(around, rules, ServiceRooms(conditions))
        self._desk = Router(Worker.BOOKING, Place.DESK, self._desk_commands.answers())
        self._care = Router(Worker.BOOKING, Place.CARE, care.answers())
        self.counters = {"booking_answers": 0, "booking_understood": 0, "sessions_kept": 0}

    async def do(self, row: Outgoing) -> None:
        """Send an answer, a reminder, an offer or a notice; let an offer lapse."""
        if row.kind is OutgoingKind.ANSWER:
            await send_answer(self._around, row)
        else:
            await self._telling.do(row)

    async def received(self, event: Received) -> None:
        """Answer people at their own desk and clinicians in care rooms; everything else is left alone."""
        if not isinstance(event, Message | Reaction):
            return
        scope = await self._around.ledger.read(lambda tx: tx.rooms.get(RoomId(event.room_id)))
        if scope is None or not _is_asked_by_its_people(scope, event.sender):
            return
        match event:
            case Message():
                decision = await self._said(event, scope)
                target = event.event_id
            case Reaction():
                decision = await self._tapped(event) if scope.kind is RoomKind.DESK else None
                target = event.target
        if decision is not None:
            self.counters["booking_answers"] += 1
            await decide_answer(self._around.ledger, event.room_id, event.event_id, decision, reply_to=target)

    async def could_not_handle(self, event: Received) -> None:
        """Nothing is lost by it: what was typed can be typed again, and nothing was booked."""

    async def stayed_unread(self, event: Undecryptable) -> None:
        """Leave it to the watcher, which is at every desk too and calls the team."""
        await self._around.ledger.alarm(event.event_id, lambda tx: None)

    async def devices_changed(self, people: Sequence[str]) -> None:
        """Nothing of booking waits for devices."""

    async def caught_up(self, members: Mapping[str, frozenset[str]]) -> None:
        """Nothing to do."""

    async def watch_the_clock(self) -> None:
        """Keep as kept, at the start and every hour, what is long over and about which nobody said anything."""
        while True:
            await self.keep_what_is_over()
            await asyncio.sleep(KEEPS_EVERY.total_seconds())

    async def keep_what_is_over(self) -> None:
        """Keep it in portions, so that nobody waits long for the database."""
        kept = _KEPT_AT_ONCE
        while kept == _KEPT_AT_ONCE:
            keep = partial(keep_what_is_over, rules=self._rules, now=self._around.clock(), limit=_KEPT_AT_ONCE)
            kept = await self._around.ledger.insist(keep)
            self.counters["sessions_kept"] += kept

    async def _said(self, message: Message, scope: RoomScope) -> Decision | None:
        body = message.content.get("body")
        if not isinstance(body, str) or "m.new_content" in message.content:
            return None
        router = self._desk if scope.kind is RoomKind.DESK else self._care
        decision = await router.reply(body, message.room_id, message.event_id, message.sender)
        if decision is not None or scope.kind is not RoomKind.DESK or read_command(body) is not None:
            return decision
        return await self._in_plain_words(body, message)

    async def _in_plain_words(self, body: str, message: Message) -> Decision | None:
        found = await asyncio.to_thread(asked_for, body, self._around.clock(), self._rules.zone)
        if found is None:
            return None
        self.counters["booking_understood"] += 1
        return self._desk_commands.proposing(UserId(message.sender), found)

    async def _tapped(self, reaction: Reaction) -> Decision | None:
        """Understand ✅ and ❌ on a question of ours."""
        key = reaction.key.replace("\ufe0f", "")
        if key not in (YES, NO):
            return None
        try:
            asking = await self._around.sending.read_own(reaction.room_id, reaction.target)
        except MatrixFault:
            return saying(_PLEASE_TYPE_IT)
        slot = _slot_in((asking or {}).get(ASKED_KEY))
        if slot is None:
            return None
        person = UserId(reaction.sender)
        if key == NO:
            return self._desk_commands.declining(person, slot)
        return self._desk_commands.taking(person, slot, reaction.event_id)


def _is_asked_by_its_people(scope: RoomScope, sender: str) -> bool:
    """Say whether this is a desk and its own person, or a care room; whether a clinician may, the rules ask there."""
    if scope.kind is RoomKind.DESK:
        return sender in scope.members
    return scope.kind is RoomKind.CARE


def _slot_in(asked: object) -> SlotNumber | None:
    number = asked.get(SLOT_KEY) if isinstance(asked, Mapping) else None
    return SlotNumber(number) if isinstance(number, int) else None
