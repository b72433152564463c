"""What leaves through the watcher: cards, their edits, further messages, signposting."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bots.risk_monitor.cards import SHORTCUTS, WORDS_KEY, again, card, card_facts, probe_card
from bots.risk_monitor.nudges import nudge_content
from bots.risk_monitor.wording import signposting_text, write_again_text
from bots.runtime.outbox import NotYet
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import spoken
from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber, EventId, UserId
from keyhouse.core.outgoing import Outgoing, OutgoingKind
from keyhouse.core.ports import Transaction
from keyhouse.core.probing import ANSWER_ROOM
from keyhouse.core.rooms import RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.casework import card_sent

_SOON = timedelta(seconds=2)


class Delivery:
    """Sends what alerting decided."""

    def __init__(self, around: Surroundings, signposting: Signposting) -> None:
        self._around, self._signposting = around, signposting

    async def do(self, row: Outgoing) -> None:
        """Send one row; raises NotYet while what it needs is not there."""
        match row.kind:
            case OutgoingKind.CARE_CARD:
                await self._card(row)
            case OutgoingKind.CARD_EDIT:
                await self._card_edit(row)
            case OutgoingKind.CARE_MESSAGE:
                await self._again(row)
            case OutgoingKind.SIGNPOSTING:
                await self._to_desk(row, signposting_text)
            case OutgoingKind.DESK_MESSAGE:
                await self._nudge(row)
            case OutgoingKind.WRITE_AGAIN:
                await self._to_desk(row, write_again_text)
            case OutgoingKind.PROBE_CARD:
                await self._probe_card(row)
            case _:
                raise LookupError(f"the watcher does not do rows of kind {row.kind.value}")

    async def _card(self, row: Outgoing) -> None:
        case = await self._case(row)
        facts = await self._around.ledger.read(lambda tx: card_facts(tx, case))
        content = card(facts, str(row.content["words"]), self._around.settings.server_name)
        event = await self._around.sending.send_message(case.care_room, content, row.txn_id, device_policy(None))
        await self._around.ledger.write(lambda tx: card_sent(tx, case.number, EventId(event)))
        await self._offer_shortcuts(case, event, row.txn_id)

    async def _offer_shortcuts(self, case: Case, card_event: str, txn_id: str) -> None:
        """React first, so that the team need only tap."""
        react = self._around.sending.react
        await asyncio.gather(
            *(react(case.care_room, card_event, key, f"{txn_id}-{place}") for place, key in enumerate(SHORTCUTS))
        )

    async def _card_edit(self, row: Outgoing) -> None:
        case = await self._case(row)
        if case.card is None:
            raise NotYet("card", _SOON)
        facts = await self._around.ledger.read(lambda tx: card_facts(tx, case))
        content = card(facts, await self.words_on(case), self._around.settings.server_name)
        await self._edit(case, content, row.txn_id)

    async def words_on(self, case: Case) -> str:
        """Read from a case's own card what its author wrote: nothing else keeps it."""
        first = await self._around.sending.read_own(case.care_room, case.card) if case.card else None
        return str((first or {}).get(WORDS_KEY, "(These words can no longer be read here; go to the message.)"))

    async def _edit(self, case: Case, content: dict[str, Any], txn_id: str) -> None:
        if case.card is not None:
            await self._around.sending.edit(case.care_room, case.card, content, txn_id, device_policy(None))

    async def _again(self, row: Outgoing) -> None:
        case = await self._case(row)
        facts = await self._around.ledger.read(lambda tx: card_facts(tx, case))
        content = again(
            facts, str(row.content["event_id"]), Urgency(str(row.content["urgency"])), str(row.content["words"])
        )
        await self._around.sending.send_message(case.care_room, content, row.txn_id, device_policy(None))

    async def _to_desk(self, row: Outgoing, text: Callable[[str, Signposting], str]) -> None:
        author = UserId(str(row.content["person"]))
        desk, name = await self._desk_and_name(author)
        content = spoken(text(name, self._signposting), [author])
        await self._around.sending.send_message(desk.room_id, content, row.txn_id, device_policy(desk))

    async def _nudge(self, row: Outgoing) -> None:
        author = UserId(str(row.content["person"]))
        desk, name = await self._desk_and_name(author)
        content = nudge_content(str(row.content["nudge"]), name, author)
        await self._around.sending.send_message(desk.room_id, content, row.txn_id, device_policy(desk))

    async def _desk_and_name(self, person: UserId) -> tuple[RoomScope, str]:
        def found(tx: Transaction) -> tuple[RoomScope | None, str]:
            return tx.rooms.desk_of(person), tx.people.names([person]).get(person, "Hello")

        desk, name = await self._around.ledger.read(found)
        if desk is None:
            raise NotYet("desk room", _SOON)
        return desk, name

    async def _probe_card(self, row: Outgoing) -> None:
        room = await self._around.ledger.read(lambda tx: tx.rooms.by_slug(ANSWER_ROOM))
        if room is None:
            raise NotYet("probe's room", _SOON)
        content = probe_card(str(row.content["words"]))
        await self._around.sending.send_message(room.room_id, content, row.txn_id, device_policy(room))

    async def _case(self, row: Outgoing) -> Case:
        number = CaseNumber(int(str(row.content["case"])))
        case = await self._around.ledger.read(lambda tx: tx.cases.get(number))
        if case is None:
            raise LookupError(f"an outgoing row names case {number}, which is not there")
        return case
