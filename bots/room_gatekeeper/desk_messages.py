"""What the concierge says to a person of its own accord, at that person's desk."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bots.room_gatekeeper.rules_wording import reminder_text
from bots.room_gatekeeper.unsent_wording import unsent_text
from bots.room_gatekeeper.wording import greeting_text
from bots.runtime.outbox import NotYet
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import spoken
from keyhouse.core.house_rules import AGREES_WITH, is_asked_to_agree
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Awaited, Outgoing, OutgoingKind
from keyhouse.core.people import Person, PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.settings.rules_in_force import RulesInForce

RULES_KEY = "uk.keyhouse.rules"
"""In a message that asks somebody to agree: the version of the rules that a ✅ on it agrees to."""

# A device is told by the stream, which hastens the row; looking again is for what fell between two looks.
_SOON, _OFTEN = timedelta(seconds=5), 12
_LOOK_AGAIN = timedelta(minutes=10)
_PATIENCE = 4
_DESK_IS_MADE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who is written to, and where."""

    person: Person
    desk: RoomScope


class DeskMessages:
    """Greets, reminds, and answers for what did not go out."""

    def __init__(self, around: Surroundings, signposting: Signposting, rules: RulesInForce) -> None:
        self._around, self._signposting, self._rules = around, signposting, rules

    async def do(self, row: Outgoing) -> None:
        """Send one row; raises NotYet while the person or the desk is not there."""
        reader = await self._reader(UserId(str(row.content["person"])))
        if reader is None:
            return
        match row.kind:
            case OutgoingKind.GREETING:
                await self._greet(reader, row)
            case OutgoingKind.UNSENT:
                text = unsent_text(reader.person.name, row.content, self._signposting)
                await self._send(reader, row, spoken(text, [reader.person.user_id]))
            case OutgoingKind.RULES_REMINDER:
                await self._remind(reader, row)
            case _:
                raise LookupError(f"nothing is said at a desk for rows of kind {row.kind.value}")

    async def _reader(self, user_id: UserId) -> _Reader | None:
        """Find who is to be told; None for an account that has left the house."""

        def found(tx: Transaction) -> tuple[Person | None, RoomScope | None]:
            return tx.people.get(user_id), tx.rooms.desk_of(user_id)

        person, desk = await self._around.ledger.read(found)
        if person is None or person.state is PersonState.CLOSED:
            return None
        if desk is None:
            raise NotYet("desk room", _DESK_IS_MADE)
        return _Reader(person, desk)

    async def _greet(self, reader: _Reader, row: Outgoing) -> None:
        user_id, sending = reader.person.user_id, self._around.sending
        if not await sending.has_devices(user_id):
            raise NotYet(Awaited.DEVICE.value, _SOON if row.tries < _OFTEN else _LOOK_AGAIN)
        # A client that has only just begun does not know us yet and would believe nothing that we say. Once its device
        # is signed it has looked around; a client that never signs is greeted all the same.
        if row.tries < _PATIENCE and not await sending.has_signed_device(user_id):
            raise NotYet(Awaited.SIGNED_DEVICE.value, timedelta(seconds=2))
        if user_id not in await sending.joined_members(reader.desk.room_id):
            raise NotYet(Awaited.JOIN.value, timedelta(seconds=1))
        asks = is_asked_to_agree(reader.person)
        content = spoken(greeting_text(reader.person.name, self._signposting, asks_to_agree=asks), [user_id])
        if asks:
            await self._ask_to_agree(reader, row, content, self._rules.current().version)
        else:
            await self._send(reader, row, content)

    async def _remind(self, reader: _Reader, row: Outgoing) -> None:
        version = int(str(row.content["version"]))
        # Whoever has agreed meanwhile need not be asked.
        if (reader.person.rules_agreed or version) < version:
            await self._ask_to_agree(reader, row, spoken(reminder_text(reader.person.name)), version)

    async def _ask_to_agree(self, reader: _Reader, row: Outgoing, content: dict[str, Any], version: int) -> None:
        """Send, and react first, so that the person need only tap."""
        event_id = await self._send(reader, row, {**content, RULES_KEY: version})
        await self._around.sending.react(reader.desk.room_id, event_id, AGREES_WITH, f"{row.txn_id}-agree")

    async def _send(self, reader: _Reader, row: Outgoing, content: dict[str, Any]) -> str:
        desk = reader.desk
        return await self._around.sending.send_message(desk.room_id, content, row.txn_id, device_policy(desk))
