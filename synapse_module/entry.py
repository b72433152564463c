"""Who comes into which room: asked at the door of the room, and again before anything is written into it."""

from collections.abc import Callable
from datetime import UTC, datetime

from synapse.module_api import EventBase, JsonDict, ModuleApi, RoomAlias, StateMap

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Reason, Refused, Verdict
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.room_changes import StateEvent, may_change_house, may_invite, may_send_state
from keyhouse.storage.errors import StoreFault
from synapse_module.refusals import Answer, answer, raise_if_refused
from synapse_module.store_threads import StoreThreads


class Entry:
    """Synapse's questions about rooms. Every answer about a membership is read fresh; no store, no entry."""

    def __init__(self, store: StoreThreads) -> None:
        self._store = store

    def register(self, api: ModuleApi) -> None:
        """Have Synapse ask. The spam checker's questions are not asked about server admins; the last one is."""
        api.register_spam_checker_callbacks(
            user_may_join_room=self.user_may_join_room,
            user_may_invite=self.user_may_invite,
            user_may_create_room=self.user_may_create_room,
            user_may_create_room_alias=self.user_may_create_room_alias,
            user_may_publish_room=self.user_may_publish_room,
        )
        api.register_third_party_rules_callbacks(check_event_allowed=self.check_event_allowed)

    async def user_may_join_room(self, user: str, room: str, is_invited: bool) -> Answer:
        """Decide about a join before Synapse makes its event."""
        now = datetime.now(UTC)
        return answer(await self._decide(lambda tx: decide_entry(tx, UserId(user), RoomId(room), now)))

    async def user_may_invite(self, inviter: str, invitee: str, room: str) -> Answer:
        """Decide about an invitation before Synapse makes its event."""
        now = datetime.now(UTC)
        return answer(
            await self._decide(lambda tx: may_invite(tx, UserId(inviter), UserId(invitee), RoomId(room), now))
        )

    async def user_may_create_room(self, user: str, config: JsonDict) -> Answer:
        """Decide about a new room, and about the upgrade of one."""
        return answer(await self._decide(lambda tx: may_change_house(tx, UserId(user))))

    async def user_may_create_room_alias(self, user: str, alias: RoomAlias) -> Answer:
        """Decide about an address of a room."""
        return answer(await self._decide(lambda tx: may_change_house(tx, UserId(user))))

    async def user_may_publish_room(self, user: str, room: str) -> Answer:
        """Decide about an entry in the directory of rooms."""
        return answer(await self._decide(lambda tx: may_change_house(tx, UserId(user))))

    async def check_event_allowed(self, event: EventBase, state: StateMap[EventBase]) -> tuple[bool, JsonDict | None]:
        """Have the last word about every change of a room. What people say to each other passes unread."""
        if event.is_state():
            asked = StateEvent(
                RoomId(event.room_id), event.type, UserId(event.sender), event.get_state_key() or "", event.content
            )
            now = datetime.now(UTC)
            raise_if_refused(await self._decide(lambda tx: may_send_state(tx, asked, now)))
        return True, None

    async def _decide(self, ask: Callable[[Transaction], Verdict]) -> Verdict:
        try:
            return await self._store.read(ask)
        except StoreFault:
            return Refused(Reason.STORE_AWAY)
