"""The commands of booking at a person's own desk."""

import asyncio
from datetime import datetime, timedelta

from bots.booking.calendars import CalendarCommand
from bots.booking.finding import Wish, list_slots, propose, without_more
from bots.booking.numbers import one_number, two_numbers
from bots.booking.proposals import Proposals
from bots.booking.taking import answer_offer, take
from bots.booking.when import HOW_TO_SAY_IT, Unclear, Understood, any_time, understand
from bots.booking.wording import booking_text, clock_text, preference_text, reminders_text, slot_text
from bots.runtime.answers import Decision, Said
from bots.runtime.clock import Clock
from bots.runtime.router import Answer, Asked, saying
from keyhouse.core.booking import Booking
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import EventId, SlotNumber, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import Slot
from keyhouse.core.verdict import Refused
from keyhouse.core.waiting_list import Offer
from keyhouse.core.workflows import booking, booking_offers

_ALL = frozenset({"", "all", "any", "any time", "anytime", "everything"})
_WHICH = "Please say which one by its number, for example `!{name} {example}`. {where}"
_WHERE_FREE, _WHERE_MINE = "`!slots` shows what is free.", "`!mine` shows what you have booked."
_NOT_A_TIME = f"I do not understand this time. {HOW_TO_SAY_IT} `!slots` alone shows all that are free."
_ONLY_LASTING = (
    "The waiting list knows days of the week and times of the day, not dates. "
    "Please write it like `!waitlist tuesday after 4`, or `!waitlist` for any time."
)


class DeskCommands:
    """Answers what people ask about their own sessions."""

    def __init__(self, rules: BookingRules, clock: Clock, proposals: Proposals, calendar: CalendarCommand) -> None:
        self._rules, self._clock, self._proposals, self._calendar = rules, clock, proposals, calendar

    def answers(self) -> dict[str, Answer]:
        """The commands by name."""
        return {
            "slots": self._slots,
            "book": self._book,
            "mine": self._mine,
            "move": self._move,
            "cancel": self._cancel,
            "yes": self._yes,
            "no": self._no,
            "waitlist": self._waitlist,
            "calendar": self._calendar.answer,
        }

    def proposing(self, person: UserId, understood: Understood | Unclear) -> Decision:
        """Find what is said to somebody who asked for a time in plain words."""
        if isinstance(understood, Unclear):
            return saying(understood.sentence)
        return lambda tx: propose(tx, person, understood, self._proposals, self._rules, self._clock())

    def taking(self, person: UserId, slot: SlotNumber, event_id: str) -> Decision:
        """Find what is decided when somebody takes a session."""
        self._proposals.forget(person)
        return lambda tx: take(tx, person, slot, EventId(event_id), self._rules, self._clock())

    def declining(self, person: UserId, slot: SlotNumber | None) -> Decision:
        """Find what is decided when somebody does not want the session that they were asked about."""
        self._proposals.forget(person)
        return lambda tx: answer_offer(tx, person, slot, self._rules, self._clock())

    async def _slots(self, asked: Asked) -> Decision:
        words, after = without_more(asked.rest)
        understood = await self._understand(words)
        if isinstance(understood, Unclear):
            return saying(understood.sentence)
        wish = Wish(understood, words, after)
        return lambda tx: list_slots(tx, UserId(asked.sender), wish, self._rules, self._clock())

    async def _book(self, asked: Asked) -> Decision:
        number = one_number(asked.rest)
        if number is not None:
            return self.taking(UserId(asked.sender), number, asked.event_id)
        if asked.rest in _ALL:
            return saying(_WHICH.format(name="book", example=3, where=_WHERE_FREE))
        # "!book tuesday at 3" names a time, and not slot 3.
        return self.proposing(UserId(asked.sender), await self._understand(asked.rest))

    async def _mine(self, asked: Asked) -> Decision:
        return lambda tx: self._told_mine(tx, UserId(asked.sender))

    async def _move(self, asked: Asked) -> Decision:
        numbers = two_numbers(asked.rest)
        if numbers is None:
            where = "The first is yours now, the second is the new one: `!mine` and `!slots` show them."
            return saying(_WHICH.format(name="move", example="3 7", where=where))
        return lambda tx: self._moved(tx, asked, numbers)

    async def _cancel(self, asked: Asked) -> Decision:
        number = one_number(asked.rest)
        if number is None:
            return saying(_WHICH.format(name="cancel", example=3, where=_WHERE_MINE))
        return lambda tx: self._cancelled(tx, asked, number)

    async def _yes(self, asked: Asked) -> Decision:
        person, number = UserId(asked.sender), one_number(asked.rest)
        if number is not None:
            return self.taking(person, number, asked.event_id)
        if asked.rest:
            return saying(_WHICH.format(name="yes", example=3, where=_WHERE_FREE))
        proposed = self._proposals.of(person, self._clock())

        def decide(tx: Transaction) -> Said:
            offer = _standing_offer(tx, person, self._clock())
            either = {slot for slot in (proposed, offer.slot if offer else None) if slot is not None}
            if len(either) != 1:
                return _WHICH.format(name="yes", example=min(either, default=3), where=_WHERE_FREE)
            return self.taking(person, either.pop(), asked.event_id)(tx)

        return decide

    async def _no(self, asked: Asked) -> Decision:
        number = one_number(asked.rest)
        if asked.rest and number is None:
            return saying(_WHICH.format(name="no", example=3, where=_WHERE_MINE))
        return self.declining(UserId(asked.sender), number)

    async def _waitlist(self, asked: Asked) -> Decision:
        person = UserId(asked.sender)
        if asked.rest.lower() in ("leave", "stop", "off"):
            return lambda tx: self._left_list(tx, person)
        understood = await self._understand(asked.rest)
        if isinstance(understood, Unclear):
            return saying(understood.sentence)
        return saying(_ONLY_LASTING) if not understood.lasting else lambda tx: self._joined(tx, person, understood)

    async def _understand(self, words: str) -> Understood | Unclear:
        if words.lower() in _ALL:
            return any_time()
        # Reading a date for the first time loads a language, which takes a moment.
        found = await asyncio.to_thread(understand, words, self._clock(), self._rules.zone)
        return found or Unclear(_NOT_A_TIME)

    def _told_mine(self, tx: Transaction, person: UserId) -> str:
        now = self._clock()
        bookings, waiting = booking.mine(tx, person, now), tx.waiting_list.get(person)
        offer = _standing_offer(tx, person, now)
        # All at once, because of the order in which slots are held.
        wanted = [*(one.slot for one in bookings), *([offer.slot] if offer else [])]
        slots = {slot.number: slot for slot in tx.slots.held(wanted)}
        lines = [f"- {booking_text(one, slots, self._rules.zone, now)}" for one in bookings]
        if bookings:
            first = bookings[0].slot
            lines = ["**You have booked**", "", *lines, ""]
            lines.append(f"`!cancel {first}` gives number {first} back, and `!move {first} N` moves it to number N.")
        else:
            lines = ["You have nothing booked. `!slots` shows what is free."]
        if offer is not None:
            lines += ["", self._told_offer(offer, slots[offer.slot], now)]
        if waiting is not None:
            times = preference_text(waiting.preference) or "at any time"
            lines += ["", f"You are on the waiting list: {times}. `!waitlist leave` takes you off it."]
        return "\n".join(lines)

    def _told_offer(self, offer: Offer, slot: Slot, now: datetime) -> str:
        kept = f"Kept for you until {clock_text(offer.until, self._rules.zone)}"
        told = slot_text(slot, self._rules.zone, now)
        return f"{kept}: {told}. `!yes {slot.number}` takes it, and `!no {slot.number}` declines it."

    def _moved(self, tx: Transaction, asked: Asked, numbers: tuple[SlotNumber, SlotNumber]) -> str:
        now, person = self._clock(), UserId(asked.sender)
        done = booking.move(tx, person, numbers, EventId(asked.event_id), self._rules, now)
        if isinstance(done, Refused):
            return f"{sentence(done.reason)} Your session stays as it is."
        told = f"Moved: {self._one(tx, done)}. {reminders_text(done, now)}"
        late = f" Your therapist is told, because it was less than {self._cut_off()} before." if done.late else ""
        return f"{told}{late} `!cancel {done.slot}` gives it back."

    def _cancelled(self, tx: Transaction, asked: Asked, number: SlotNumber) -> str:
        done = booking.cancel(tx, UserId(asked.sender), number, EventId(asked.event_id), self._rules, self._clock())
        if isinstance(done, Refused):
            return sentence(done.reason)
        told = f"Given back: {self._one(tx, done)}."
        if done.late:
            told += (
                f" It was less than {self._cut_off()} before, so your therapist is told that you cannot come; "
                "nothing follows from it, and it is good that you said so."
            )
        return f"{told} `!slots` shows other times."

    def _one(self, tx: Transaction, done: Booking) -> str:
        slot: Slot | None = tx.slots.get(done.slot)
        return booking_text(done, {slot.number: slot} if slot else {}, self._rules.zone, self._clock())

    def _cut_off(self) -> str:
        hours = self._rules.cancel_before / timedelta(hours=1)
        return f"{hours:g} hours"

    def _joined(self, tx: Transaction, person: UserId, understood: Understood) -> str:
        waiting = booking_offers.join(tx, person, understood.asked.preference, self._clock())
        if isinstance(waiting, Refused):
            return sentence(waiting.reason)
        wanted = preference_text(waiting.preference) or "at any time"
        return (
            f"You are on the waiting list: {wanted}. When a session like that becomes free we ask you here, in the "
            "daytime, and keep it for you for a short time. `!waitlist leave` takes you off the list."
        )

    def _left_list(self, tx: Transaction, person: UserId) -> str:
        if booking_offers.leave(tx, person, self._rules, self._clock()):
            return "You are no longer on the waiting list. `!waitlist` puts you on it again."
        return "You were not on the waiting list. `!waitlist` puts you on it."


def _standing_offer(tx: Transaction, person: UserId, now: datetime) -> Offer | None:
    """Find what is held for somebody who has been told of it."""
    offer = tx.waiting_list.open_offer_to(person)
    return offer if offer is not None and offer.told_at is not None and offer.holds(now) else None
