"""The commands of booking in a care room: slots, and what became of a session."""

from collections.abc import Mapping, Sequence

from bots.booking.calendars import CalendarCommand
from bots.booking.numbers import all_numbers, one_number
from bots.booking.slot_words import EXAMPLE, read_plan
from bots.booking.wording import WHERE, slot_lines, some, span_text, start_text
from bots.runtime.answers import Decision
from bots.runtime.clock import Clock
from bots.runtime.router import Answer, Asked, saying
from keyhouse.core.booking import Booking, BookingState
from keyhouse.core.booking_ports import SlotStanding
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.commands import Place
from keyhouse.core.ids import Condition, RoomId, SlotNumber, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.sentences import sentence
from keyhouse.core.slots import Conflict, SlotPlan, SlotState, state_of
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows import booking_offers, booking_sessions, booking_slots
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.times import TimeFault

_LISTED = 20
_ANYWAY = ("yes", "anyway", "cancel-bookings", "and tell them")
_HOW = f"Write {EXAMPLE} to add sessions of yours, `!slots mine` to list them, or `!slots withdraw 3` to take one away."
_WHICH_ONE = "Please say which slot by its number, for example `!{name} 3`. `!slots mine` shows yours."
_HOW_SOON = "Please write the name and a number from 0 to 9, for example `!slots priority river-clover-44 5`."


class CareCommands:
    """Answers what clinicians ask about slots. conditions: of each service, by its short name."""

    def __init__(
        self,
        rules: BookingRules,
        conditions: Mapping[str, frozenset[Condition]],
        settings: HouseSettings,
        clock: Clock,
    ) -> None:
        self._rules, self._conditions, self._settings, self._clock = rules, conditions, settings, clock
        self._known = frozenset().union(*conditions.values())
        self._calendar = CalendarCommand(Place.CARE, settings.front_door, clock)

    def answers(self) -> dict[str, Answer]:
        """The commands by name."""
        return {"slots": self._slots, "missed": self._missed, "kept": self._kept, "calendar": self._calendar.answer}

    async def _slots(self, asked: Asked) -> Decision:
        word, _, rest = asked.rest.partition(" ")
        match word.lower():
            case "add":
                return lambda tx: self._added(tx, asked, rest)
            case "" | "mine" | "list":
                return lambda tx: self._listed(tx, UserId(asked.sender))
            case "withdraw":
                return self._withdrawing(asked, rest)
            case "priority":
                return self._prioritising(asked, rest)
            case _:
                return saying(_HOW)

    async def _missed(self, asked: Asked) -> Decision:
        return self._settling(asked, BookingState.MISSED)

    async def _kept(self, asked: Asked) -> Decision:
        return self._settling(asked, BookingState.KEPT)

    def _added(self, tx: Transaction, asked: Asked, rest: str) -> str:
        scope = tx.rooms.get(RoomId(asked.room_id))
        usual = self._conditions.get(scope.service or "", self._known) if scope else self._known
        try:
            plan = read_plan(rest, UserId(asked.sender), usual, self._settings.user_id, self._rules.zone)
        except TimeFault as fault:
            return f"{str(fault).removesuffix('.')}. Nothing was added."
        return self._planned(tx, plan, asked.sender)

    def _planned(self, tx: Transaction, plan: SlotPlan, by: str) -> str:
        now, zone = self._clock(), self._rules.zone
        done = booking_slots.add_slots(tx, plan, self._known, by, self._rules, now)
        if isinstance(done, Refused):
            return sentence(done.reason)
        if done.conflicts:
            lines = [f"- {self._conflicting(one)}" for one in done.conflicts]
            return "\n".join(["Nothing was added; leave these out with `except`, or choose another time:", "", *lines])
        count = "1 slot" if len(done.slots) == 1 else f"{len(done.slots)} slots"
        lines = some(slot_lines(done.slots, zone, now), "slots")
        first = done.slots[0].number
        return "\n".join([f"Added {count}:", "", *lines, "", f"`!slots withdraw {first}` takes number {first} away."])

    def _conflicting(self, one: Conflict) -> str:
        wanted = start_text(one.wanted.starts_at, self._rules.zone, self._clock())
        if one.taken_by is None:
            return f"{wanted}: another one of these is in the way, with its buffers"
        there = start_text(one.taken_by.starts_at, self._rules.zone, self._clock())
        return f"{wanted}: slot {one.taken_by.number}, {there}, is in the way, with its buffers"

    def _listed(self, tx: Transaction, therapist: UserId) -> str:
        found = tx.slots.listed(ends_after=self._clock(), limit=_LISTED, therapist=therapist)
        if not found:
            return f"You have no slots to come. {_HOW}"
        names = tx.people.names({one.booking.person for one in found if one.booking})
        lines = [f"- {self._standing(one, names)}" for one in found]
        more = ["", f"These are the next {_LISTED}."] if len(found) == _LISTED else []
        return "\n".join(["**Your slots**", "", *lines, *more])

    def _standing(self, one: SlotStanding, names: Mapping[UserId, str]) -> str:
        slot, now = one.slot, self._clock()
        held_until = one.offer.until if one.offer else None
        state = state_of(slot, booked=one.booking is not None, held_until=held_until, now=now)
        said = state.value
        if state is SlotState.BOOKED and one.booking is not None:
            said = f"booked by {names.get(one.booking.person, 'somebody')}"
        span = span_text(slot.starts_at, slot.ends_at, self._rules.zone, now)
        return f"**{slot.number}** · {span}, {WHERE[slot.mode]}: {said}"

    def _withdrawing(self, asked: Asked, rest: str) -> Decision:
        words = rest.lower().strip()
        anyway = next((word for word in _ANYWAY if words.endswith(word)), None)
        numbers = all_numbers(words.removesuffix(anyway or "").strip().rstrip("-").strip())
        if numbers is None:
            return saying("Please say which slots by their numbers, for example `!slots withdraw 3`.")
        return lambda tx: self._withdrawn(tx, numbers, asked.sender, even_if_booked=anyway is not None)

    def _withdrawn(self, tx: Transaction, numbers: frozenset[SlotNumber], by: str, *, even_if_booked: bool) -> str:
        done = booking_slots.withdraw_slots(tx, numbers, by, self._clock(), even_if_booked=even_if_booked)
        if isinstance(done, Refused):
            return sentence(done.reason)
        lines = [f"- {self._whose(tx, done.affected, one)}" for one in done.affected]
        named = " ".join(str(number) for number in sorted(numbers))
        if not done.done:
            how = f"Write `!slots withdraw {named} yes` to cancel these sessions: each person is told, with new times."
            return "\n".join(["Nothing was changed, because these are booked:", "", *lines, "", how])
        told = ["", "Cancelled by it; each person is told, with new times:", "", *lines] if lines else []
        return "\n".join([f"Withdrawn: {named}.", *told])

    def _whose(self, tx: Transaction, affected: Sequence[Booking], one: Booking) -> str:
        name = tx.people.names({each.person for each in affected}).get(one.person, "somebody")
        return f"{one.slot}: {start_text(one.starts_at, self._rules.zone, self._clock())}, {name}"

    def _prioritising(self, asked: Asked, rest: str) -> Decision:
        name, _, number = rest.rpartition(" ")
        if not name or not number.isdecimal() or len(number) > 2:
            return saying(_HOW_SOON)
        person = UserId(name if name.startswith("@") else self._settings.user_id(name.lower()))

        def decide(tx: Transaction) -> str:
            done = booking_offers.set_priority(tx, person, int(number), UserId(asked.sender), self._clock())
            if isinstance(done, Refused):
                return sentence(done.reason)
            return "Kept. It counts when the next slot becomes free, and nobody is shown it."

        return decide

    def _settling(self, asked: Asked, state: BookingState) -> Decision:
        number = one_number(asked.rest)
        if number is None:
            return saying(_WHICH_ONE.format(name=state.value))

        def decide(tx: Transaction) -> str:
            by, now = UserId(asked.sender), self._clock()
            if state is BookingState.MISSED:
                done = booking_sessions.mark_missed(tx, number, by, self._rules, now)
            else:
                done = booking_sessions.mark_kept(tx, number, by, now)
            return sentence(done.reason) if isinstance(done, Refused) else self._settled(done)

        return decide

    def _settled(self, done: Booking) -> str:
        when = start_text(done.starts_at, self._rules.zone, self._clock())
        if done.state is BookingState.MISSED:
            return (
                f"Slot {done.slot}, {when}, is marked as missed. The person is told, kindly, that they were missed; "
                f"`!kept {done.slot}` puts it right if they came after all."
            )
        return f"Slot {done.slot}, {when}, is marked as kept. `!missed {done.slot}` puts it right if nobody came."
