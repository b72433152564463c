"""What people send into rooms and upload: decided in memory, for every message."""

from synapse.module_api import EventBase, JsonDict, ModuleApi

from keyhouse.core.carried import Content, carried
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Role
from keyhouse.core.speaking import may_send
from keyhouse.core.verdict import Reason, Refused
from synapse_module.refusals import refusal
from synapse_module.snapshot import PolicySnapshot
from synapse_module.unsent import Unsent


class Speaking:
    """Synapse's questions about messages and files. What is allowed by the snapshot asks nobody else.

    services: the house's own accounts; what they send does not depend on any store.
    """

    def __init__(self, policy: PolicySnapshot, unsent: Unsent, services: frozenset[UserId]) -> None:
        self._policy = policy
        self._unsent = unsent
        self._services = services

    def register(self, api: ModuleApi) -> None:
        """Have Synapse ask about files; about messages it asks by way of the entry."""
        api.register_media_repository_callbacks(is_user_allowed_to_upload_media_of_size=self.may_upload)

    async def may_send(self, event: EventBase) -> tuple[bool, JsonDict | None]:
        """Allow an event that changes no state, give back what stays of it, or raise the refusal."""
        sender = UserId(event.sender)
        if sender in self._services:
            return True, None
        found = await self._decide(sender, RoomId(event.room_id), event.type, event.content)
        if isinstance(found, Refused):
            self._unsent.tell(sender, found.reason)
            raise refusal(found.reason)
        if found == event.content:
            return True, None
        return True, {**event.get_dict(), "content": dict(found)}

    async def may_upload(self, user_id: str, size: int) -> bool:
        """Refuse every file that is not the house's own. The words of the refusal are Synapse's, about its size."""
        speaker = self._policy.speaker(UserId(user_id))
        if user_id in self._services or (speaker is not None and speaker.role is Role.SERVICE):
            return True
        self._unsent.tell(UserId(user_id), Reason.NOT_CARRIED)
        return False

    async def _decide(self, sender: UserId, room: RoomId, event_type: str, content: Content) -> Content | Refused:
        found = self._by_snapshot(sender, room, event_type, content)
        if not isinstance(found, Refused) or found.reason is Reason.NOT_CARRIED:
            return found
        # A refusal is rare and may cost a look: perhaps the person agreed to the rules a moment ago.
        if await self._policy.renewed():
            return self._by_snapshot(sender, room, event_type, content)
        # Somebody who is in a room was let in by the store. Until it answers, their words are not held up.
        if self._policy.speaker(sender) is None or self._policy.kind(room) is None:
            return carried(event_type, content, read_only=False)
        return found

    def _by_snapshot(self, sender: UserId, room: RoomId, event_type: str, content: Content) -> Content | Refused:
        return may_send(self._policy.speaker(sender), self._policy.kind(room), event_type, content)
