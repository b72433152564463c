"""Who comes into which room: asked at the door of the room, and again before anything is written into it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from synapse.module_api import NOT_SPAM, EventBase, JsonDict, ModuleApi, Requester, RoomAlias, StateMap

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.room_state import ENCRYPTION, HISTORY, MEMBER
from keyhouse.core.verdict import Reason, Refused, Verdict
from keyhouse.core.workflows.entry import NOWHERE, decide_entry
from keyhouse.core.workflows.room_changes import StateEvent, may_change_house, may_invite, may_make_room, may_send_state
from keyhouse.storage.errors import StoreFault
from synapse_module.refusals import Answer, answer, raise_if_refused
from synapse_module.speaking import Speaking
from synapse_module.store_threads import StoreThreads
from synapse_module.versions import joined_rooms

REDACTION = "m.room.redaction"


class Entry:
    """Synapse's questions about rooms. Every answer about a membership is read fresh; no store, no entry.

    services: the house's own accounts, which live in too many rooms to be asked where they stand, and need not be.
    """

    def __init__(self, api: ModuleApi, store: StoreThreads, services: frozenset[UserId], speaking: Speaking) -> None:
        self._api = api
        self._store = store
        self._services = services
        self._speaking = speaking

    def register(self) -> None:
        """Have Synapse ask. The spam checker's questions are not asked about server admins; the other ones are."""
        self._api.register_spam_checker_callbacks(
            user_may_join_room=self.user_may_join_room,
            user_may_invite=self.user_may_invite,
            user_may_create_room=self.user_may_create_room,
            user_may_create_room_alias=self.user_may_create_room_alias,
            user_may_publish_room=self.user_may_publish_room,
            user_may_send_state_event=self.user_may_send_state_event,
        )
        self._api.register_third_party_rules_callbacks(
            on_create_room=self.on_create_room, check_event_allowed=self.check_event_allowed
        )

    async def user_may_join_room(self, user: str, room: str, is_invited: bool) -> Answer:
        """Decide about a join before Synapse makes its event."""
        now, standing = datetime.now(UTC), await self._standing(user)
        return answer(await self._decide(lambda tx: decide_entry(tx, UserId(user), RoomId(room), now, standing)))

    async def user_may_invite(self, inviter: str, invitee: str, room: str) -> Answer:
        """Decide about an invitation before Synapse makes its event."""
        now, standing = datetime.now(UTC), await self._standing(invitee)
        who, whom = UserId(inviter), UserId(invitee)
        return answer(await self._decide(lambda tx: may_invite(tx, who, whom, RoomId(room), now, standing)))

    async def on_create_room(self, requester: Requester, config: JsonDict, is_admin: bool) -> None:
        """Decide about a new room before anything of it is there, also when a server admin asks."""
        user_id = UserId(requester.user.to_string())
        raise_if_refused(await self._decide(lambda tx: may_make_room(tx, user_id, config)))

    async def user_may_create_room(self, user: str, config: JsonDict) -> Answer:
        """Decide about the upgrade of a room; of a new one Synapse asks this too, with the same answer."""
        return answer(await self._decide(lambda tx: may_make_room(tx, UserId(user), config)))

    async def user_may_create_room_alias(self, user: str, alias: RoomAlias) -> Answer:
        """Decide about an address of a room."""
        return answer(await self._decide(lambda tx: may_change_house(tx, UserId(user))))

    async def user_may_publish_room(self, user: str, room: str) -> Answer:
        """Decide about an entry in the directory of rooms."""
        return answer(await self._decide(lambda tx: may_change_house(tx, UserId(user))))

    async def user_may_send_state_event(
        self, user: str, room: str, event_type: str, state_key: str, content: JsonDict
    ) -> Literal["NOT_SPAM"]:
        """Decide about a change of a room before Synapse looks at it, and about one that it would make later on.

        What becomes of one's own membership is decided when its event is there. Somebody else's would be asked about
        in that one's name, and the answer would say what keys another person holds.
        """
        if event_type != MEMBER or state_key != user:
            # Synapse turns a refusal that is given back into its own words.
            raise_if_refused(await self._decide(lambda tx: may_change_house(tx, UserId(user))))
        return NOT_SPAM

    async def check_event_allowed(self, event: EventBase, state: StateMap[EventBase]) -> tuple[bool, JsonDict | None]:
        """Have the last word about every change of a room, and about every message: that is decided in memory."""
        if event.is_state():
            asked = await self._asked(event, state)
            now = datetime.now(UTC)
            raise_if_refused(await self._decide(lambda tx: may_send_state(tx, asked, now)))
            kept = asked.kept
            return True, None if kept == event.content else {**event.get_dict(), "content": dict(kept)}
        if event.type == REDACTION and any(kept.event_id == event.redacts for kept in state.values()):
            # To empty a room's state is to change the room: without its encryption event it would be a plain one.
            raise_if_refused(await self._decide(lambda tx: may_change_house(tx, UserId(event.sender))))
        return await self._speaking.may_send(event)

    async def _asked(self, event: EventBase, state: StateMap[EventBase]) -> StateEvent:
        key = event.get_state_key() or ""
        enters = event.type == MEMBER and event.content.get("membership") in ("join", "invite")
        return StateEvent(
            RoomId(event.room_id),
            event.type,
            UserId(event.sender),
            key,
            event.content,
            beside={kind: state[(kind, "")].content for kind in (ENCRYPTION, HISTORY) if (kind, "") in state},
            standing=await self._standing(key) if enters else NOWHERE,
        )

    async def _standing(self, user: str) -> frozenset[RoomId]:
        user_id = UserId(user)
        return NOWHERE if user_id in self._services else await joined_rooms(self._api, user_id)

    async def _decide(self, ask: Callable[[Transaction], Verdict]) -> Verdict:
        try:
            return await self._store.read(ask)
        except StoreFault:
            return Refused(Reason.STORE_AWAY)
