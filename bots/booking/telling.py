"""What the booking bot tells of its own accord: reminders, offers, notices to people and to therapists."""

from dataclasses import dataclass
from datetime import timedelta

from bots.booking.finding import NO, SLOT_KEY, YES
from bots.booking.service_rooms import ServiceRooms
from bots.booking.telling_wording import missed_text, offer_text, reminder_text, therapist_text, withdrawn_text
from bots.runtime.answers import ASKED_KEY, ask
from bots.runtime.outbox import NotYet
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import spoken
from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.ids import BookingNumber, OfferId, RoomId, SlotNumber, UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind
from keyhouse.core.people import PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.reminders import ReminderMoment
from keyhouse.core.workflows import booking, booking_offers
from keyhouse.core.workflows.booking_notices import About

_SOON = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Letter:
    """What is sent where, and who is rung. asks: the slot that can be taken or declined by a tap."""

    room_id: RoomId
    reader: UserId
    text: str
    asks: SlotNumber | None = None


class Telling:
    """Does the rows of booking. What is no longer so when a row is due is not told."""

    def __init__(self, around: Surroundings, rules: BookingRules, rooms: ServiceRooms) -> None:
        self._around, self._rules, self._rooms = around, rules, rooms

    async def do(self, row: Outgoing) -> None:
        """Do one row; raises NotYet while the desk is not there."""
        ledger = self._around.ledger
        match row.kind:
            case OutgoingKind.REMINDER:
                letter = await ledger.read(lambda tx: self._reminder(tx, row))
            case OutgoingKind.OFFER:
                letter = await ledger.insist(lambda tx: self._offer(tx, row))
            case OutgoingKind.OFFER_LAPSE:
                await ledger.insist(lambda tx: self._lapse(tx, row))
                return
            case OutgoingKind.BOOKING_NOTICE:
                letter = await ledger.read(lambda tx: self._notice(tx, row))
            case OutgoingKind.THERAPIST_NOTICE:
                letter = await ledger.read(lambda tx: self._to_therapist(tx, row))
            case _:
                raise LookupError(f"the booking bot does not do rows of kind {row.kind.value}")
        if letter is not None:
            await self._send(letter, row)

    def _reminder(self, tx: Transaction, row: Outgoing) -> _Letter | None:
        number, sequence = BookingNumber(_number(row, "booking")), _number(row, "sequence")
        moment, now = ReminderMoment(str(row.content["moment"])), self._around.clock()
        found = booking.reminder_to_tell(tx, number, sequence, moment, now)
        return self._at_desk(tx, row, reminder_text(found, self._rules.zone, now)) if found else None

    def _offer(self, tx: Transaction, row: Outgoing) -> _Letter | None:
        now, zone = self._around.clock(), self._rules.zone
        offer = booking_offers.present_offer(tx, OfferId(_number(row, "offer")), self._rules, now)
        slot = tx.slots.get(offer.slot) if offer else None
        if offer is None or slot is None:
            return None
        return self._at_desk(tx, row, offer_text(offer, slot, zone, now), asks=slot.number)

    def _lapse(self, tx: Transaction, row: Outgoing) -> None:
        booking_offers.lapse_offer(tx, OfferId(_number(row, "offer")), self._rules, self._around.clock())

    def _notice(self, tx: Transaction, row: Outgoing) -> _Letter | None:
        found, now, zone = (
            tx.bookings.get(BookingNumber(_number(row, "booking"))),
            self._around.clock(),
            self._rules.zone,
        )
        if found is None:
            return None
        write = missed_text if row.content["about"] == About.MISSED else withdrawn_text
        return self._at_desk(tx, row, write(found, booking.new_times(tx, found, now), zone, now))

    def _to_therapist(self, tx: Transaction, row: Outgoing) -> _Letter | None:
        therapist, person = UserId(str(row.content["therapist"])), UserId(str(row.content["person"]))
        slot = tx.slots.get(SlotNumber(_number(row, "slot")))
        room = self._rooms.of(tx, therapist, slot.conditions) if slot else None
        if slot is None or room is None:
            return None
        name = tx.people.names([person]).get(person, "Somebody")
        text = therapist_text(slot, About(str(row.content["about"])), name, self._rules.zone, self._around.clock())
        return _Letter(room, therapist, text)

    def _at_desk(self, tx: Transaction, row: Outgoing, text: str, asks: SlotNumber | None = None) -> _Letter | None:
        """Write to somebody's desk; None for an account that has left the house."""
        user_id = UserId(str(row.content["person"]))
        person, desk = tx.people.get(user_id), tx.rooms.desk_of(user_id)
        if person is None or person.state is PersonState.CLOSED:
            return None
        if desk is None:
            raise NotYet("desk room", _SOON)
        return _Letter(desk.room_id, user_id, text, asks)

    async def _send(self, letter: _Letter, row: Outgoing) -> None:
        scope = await self._around.ledger.read(lambda tx: tx.rooms.get(letter.room_id))
        content, policy = spoken(letter.text, [letter.reader]), device_policy(scope)
        if letter.asks is None:
            await self._around.sending.send_message(letter.room_id, content, row.txn_id, policy)
        else:
            content = {**content, ASKED_KEY: {SLOT_KEY: letter.asks}}
            await ask(self._around, letter.room_id, content, (YES, NO), row.txn_id, policy)


def _number(row: Outgoing, name: str) -> int:
    return int(str(row.content[name]))
