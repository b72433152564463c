"""What leaves through the concierge: invitations, removals, desk rooms, notices in rooms, and what is taken away."""

from typing import Any

from bots.room_gatekeeper.wording import room_notice_text
from bots.runtime.errors import MatrixRefused
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import notice
from keyhouse.core.accounts import POWER, ServiceAccount
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.notices import RoomNotice
from keyhouse.core.outgoing import Outgoing, OutgoingKind
from keyhouse.core.people import Person
from keyhouse.core.sentences import error_code
from keyhouse.core.signposting import Signposting
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows import housekeeping
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.notices import room_to_tell

_ASK_AGAIN = frozenset({error_code(Reason.STORE_AWAY), error_code(Reason.STILL_LEAVING)})
_SENT_ANEW = "This invitation was not answered and is sent anew."
_NOT_CARRIED = "Pictures, files, voice messages and places are not carried in the house."
_TAKEN_BACK = "This was taken back."
_NO_LONGER_YOURS = "Your key no longer opens this room. Your own desk room stays open to you."


class Doing:
    """Does what was decided about people's places, and about what stands in rooms."""

    def __init__(self, around: Surroundings, signposting: Signposting, notice_of_house: str) -> None:
        self._around, self._signposting, self._notice = around, signposting, notice_of_house

    async def do(self, row: Outgoing) -> None:
        """Do one row; raises NotYet while what it needs is not there."""
        match row.kind:
            case OutgoingKind.INVITATION:
                await self._invite(_room(row), _person(row), anew=row.content.get("anew") is True)
            case OutgoingKind.REMOVAL:
                await self._remove(_room(row), _person(row))
            case OutgoingKind.DESK_ROOM:
                await self._open_desk(_person(row), row.txn_id)
            case OutgoingKind.ROOM_NOTICE:
                await self._tell_room(row)
            case OutgoingKind.REDACTION:
                await self._take_away(row)
            case _:
                raise LookupError(f"the concierge does not do rows of kind {row.kind.value}")

    async def _invite(self, room_id: RoomId, person: UserId, *, anew: bool) -> None:
        # Keys may have changed since it was decided; the door would refuse, and this saves the asking.
        now = self._around.clock()
        verdict = await self._around.ledger.read(lambda tx: decide_entry(tx, person, room_id, now))
        if isinstance(verdict, Refused):
            return
        if anew:
            await self._withdraw_invitation(room_id, person)
        await self._unless_so_already(self._around.sending.invite(room_id, person))

    async def _withdraw_invitation(self, room_id: RoomId, person: UserId) -> None:
        # The same invitation again is no event in Synapse, and nobody would answer it.
        now = await self._around.sending.get_state(room_id, "m.room.member", person)
        if now is not None and now.get("membership") == "invite":
            await self._unless_so_already(self._around.sending.kick(room_id, person, _SENT_ANEW))

    async def _remove(self, room_id: RoomId, person: UserId) -> None:
        now = self._around.clock()
        verdict = await self._around.ledger.read(lambda tx: decide_entry(tx, person, room_id, now))
        if isinstance(verdict, Refused):
            await self._put_out(room_id, person)

    async def _put_out(self, room_id: RoomId, person: UserId) -> None:
        try:
            await self._around.sending.kick(room_id, person, _NO_LONGER_YOURS)
        except MatrixRefused as refused:
            # Who is out cannot be removed. A worker of the homeserver that lags behind says no in the same way.
            if refused.status != 403 or await self._is_inside(room_id, person):
                raise

    async def _is_inside(self, room_id: RoomId, person: UserId) -> bool:
        now = await self._around.sending.get_state(room_id, "m.room.member", person)
        return now is not None and now.get("membership") in ("invite", "join", "knock")

    async def _unless_so_already(self, asking: Any) -> None:
        """Await a request; the homeserver's "you cannot" to inviting who is in, or removing who is out, is no fault."""
        try:
            await asking
        except MatrixRefused as refused:
            if refused.status != 403 or refused.errcode in _ASK_AGAIN:
                raise

    async def _open_desk(self, person: UserId, txn_id: str) -> None:
        known, desk = await self._around.ledger.read(lambda tx: (tx.people.get(person), tx.rooms.desk_of(person)))
        if known is None or desk is not None:
            return
        room_id = RoomId(await self._around.sending.create_room(self._desk_request(known), txn_id))
        now = self._around.clock()
        await self._around.ledger.write(lambda tx: housekeeping.open_desk(tx, known, room_id, now))

    def _desk_request(self, person: Person) -> dict[str, Any]:
        user_id = self._around.settings.user_id
        watcher, booking = user_id(ServiceAccount.WATCHER), user_id(ServiceAccount.BOOKING)
        return {
            "preset": "private_chat",
            "name": "Your desk",
            "topic": self._notice,
            "room_version": "12",
            "invite": [watcher, booking],
            "creation_content": {"m.federate": False, "additional_creators": [user_id(ServiceAccount.OWNER)]},
            "initial_state": [
                {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
                {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "joined"}},
                {"type": "m.room.guest_access", "state_key": "", "content": {"guest_access": "forbidden"}},
            ],
            "power_level_content_override": {
                "users": {watcher: POWER[ServiceAccount.WATCHER]},
                "invite": 100,
                "state_default": 100,
                "notifications": {"room": 50},
            },
        }

    async def _take_away(self, row: Outgoing) -> None:
        """Redact an event; one that is gone already is no fault, and one that is redacted stays so."""
        why = _NOT_CARRIED if row.content.get("reason") == Reason.NOT_CARRIED else _TAKEN_BACK
        try:
            await self._around.sending.redact(_room(row), str(row.content["event_id"]), why, row.txn_id)
        except MatrixRefused as refused:
            if refused.status != 404:
                raise

    async def _tell_room(self, row: Outgoing) -> None:
        told = RoomNotice.of(row.content)
        scope = await self._around.ledger.read(lambda tx: room_to_tell(tx, _room(row), told))
        if scope is not None:
            content = notice(room_notice_text(told, scope.kind, self._signposting))
            await self._around.sending.send_message(scope.room_id, content, row.txn_id, device_policy(scope))


def _room(row: Outgoing) -> RoomId:
    return RoomId(str(row.content["room_id"]))


def _person(row: Outgoing) -> UserId:
    return UserId(str(row.content["person"]))
