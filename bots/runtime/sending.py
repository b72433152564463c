"""What leaves the house through a bot's account. Nothing here waits or tries again: the outbox decides that.

Asked for twice, also by two devices of one account, nothing happens twice: an event is marked and looked for (see
bots.runtime.once); the same reaction, invitation, removal or piece of state again is refused, or changes nothing.
"""

from collections.abc import Mapping
from typing import Any

from bots.runtime import fault_points
from bots.runtime.device_policy import DevicePolicy, PeoplesDevices
from bots.runtime.errors import MatrixRefused
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.olm import HouseOlm, Unreadable
from bots.runtime.once import MARK, Attempts, NoLongerOurs
from bots.runtime.room_keys import RoomKeys
from bots.runtime.rooms import Rooms
from bots.runtime.timeline import Timeline

MESSAGE = "m.room.message"


class Sending:
    """Requests of one bot. Each ends within its time limit or raises MatrixAway or MatrixRefused.

    txn_id: a request repeated with the same id, on the same device, in the same room within a day gives the same event.
    attempts: while one with this txn_id goes on, what is sent carries its mark, and is looked for first if it may be
    there already.
    """

    def __init__(
        self, homeserver: Homeserver, olm: HouseOlm, rooms: Rooms, devices: PeoplesDevices, room_keys: RoomKeys
    ) -> None:
        self._homeserver = homeserver
        self._olm = olm
        self._rooms = rooms
        self._devices = devices
        self._room_keys = room_keys
        self._timeline = Timeline(homeserver, olm.user_id)
        self.attempts = Attempts()

    async def send_message(
        self,
        room_id: str,
        content: Mapping[str, Any],
        txn_id: str,
        policy: DevicePolicy = DevicePolicy.OWNER_SIGNED,
        event_type: str = MESSAGE,
    ) -> str:
        """Send an event, encrypted if the room is; gives back its id.

        The room's members are asked for each time: whoever joined a moment ago can read it. Raises NoLongerOurs when
        the attempt that this belongs to may no longer send.
        """
        if (sent := await self._sent_before(room_id, txn_id)) is not None:
            return sent
        encryption = await self._encryption(room_id)
        if encryption is None:
            return await self._send_marked(room_id, event_type, content, txn_id)
        members = await self.joined_members(room_id)
        room = self._rooms.get(room_id)
        # Device changes are told only of people whom the stream has shown in a room with us.
        self._devices.outdate(members - (room.joined if room else set()))
        event = {"type": event_type, "content": dict(content)}
        sealed = await self._room_keys.encrypt(room_id, members, policy, encryption, event)
        return await self._send_marked(room_id, "m.room.encrypted", sealed, txn_id)

    async def edit(
        self,
        room_id: str,
        target: str,
        content: Mapping[str, Any],
        txn_id: str,
        policy: DevicePolicy = DevicePolicy.OWNER_SIGNED,
    ) -> str:
        """Replace the content of a message of this bot; nobody is notified again."""
        shown_by_old_clients = {name: f"* {content[name]}" for name in ("body", "formatted_body") if name in content}
        replacing = {
            **content,
            **shown_by_old_clients,
            "m.mentions": {},
            "m.new_content": dict(content),
            "m.relates_to": {"rel_type": "m.replace", "event_id": target},
        }
        return await self.send_message(room_id, replacing, txn_id, policy)

    async def react(self, room_id: str, target: str, key: str, txn_id: str) -> None:
        """React to an event, unless this account has done so; never encrypted, so that servers can count reactions."""
        relation = {"rel_type": "m.annotation", "event_id": target, "key": key}
        try:
            await self._send(room_id, "m.reaction", {"m.relates_to": relation}, txn_id)
        except MatrixRefused as refusal:
            if refusal.errcode != "M_DUPLICATE_ANNOTATION":
                raise

    async def redact(self, room_id: str, target: str, reason: str, txn_id: str) -> str:
        """Take an event's content away."""
        answer = await self._homeserver.put(path("rooms", room_id, "redact", target, txn_id), {"reason": reason})
        return str(answer["event_id"])

    async def invite(self, room_id: str, user_id: str) -> None:
        """Invite a person; refused with M_FORBIDDEN if the person is in already."""
        await self._homeserver.post(path("rooms", room_id, "invite"), {"user_id": user_id})

    async def kick(self, room_id: str, user_id: str, reason: str) -> None:
        """Remove a person; the reason is shown to everybody in the room."""
        await self._homeserver.post(path("rooms", room_id, "kick"), {"user_id": user_id, "reason": reason})

    async def join(self, room_id: str) -> None:
        """Accept an invitation."""
        await self._homeserver.post(path("join", room_id), {})

    async def leave(self, room_id: str) -> None:
        """Leave a room, or decline its invitation."""
        await self._homeserver.post(path("rooms", room_id, "leave"), {})

    async def create_room(self, body: Mapping[str, Any], txn_id: str) -> str:
        """Create a room from a raw request body; gives back its id.

        Repeated with the same txn_id it gives the same room, as long as the homeserver has not been started anew:
        Synapse knows the request in this form beside the one of the specification.
        """
        return str((await self._homeserver.put(path("createRoom", txn_id), body))["room_id"])

    async def put_state(self, room_id: str, event_type: str, state_key: str, content: Mapping[str, Any]) -> str:
        """Set one piece of a room's state; gives back the event's id."""
        answer = await self._homeserver.put(path("rooms", room_id, "state", event_type, state_key), content)
        return str(answer["event_id"])

    async def get_state(self, room_id: str, event_type: str, state_key: str = "") -> dict[str, Any] | None:
        """One piece of a room's state as the homeserver has it now; None if there is none."""
        try:
            return await self._homeserver.get(path("rooms", room_id, "state", event_type, state_key))
        except MatrixRefused as refusal:
            if refusal.status == 404:
                return None
            raise

    async def joined_members(self, room_id: str) -> set[str]:
        """Who is in the room now."""
        return set((await self._homeserver.get(path("rooms", room_id, "joined_members")))["joined"])

    async def read_own(self, room_id: str, event_id: str) -> dict[str, Any] | None:
        """What this bot first sent in an event; None if it is gone, or not its own, or of a device that is no more."""
        try:
            event = await self._homeserver.get(path("rooms", room_id, "event", event_id))
        except MatrixRefused as refusal:
            if refusal.status == 404:
                return None
            raise
        content = event.get("content")
        if event.get("sender") != self._olm.user_id or not isinstance(content, dict) or not content:
            return None
        if event.get("type") != "m.room.encrypted":
            return content
        try:
            inside = self._olm.read_room_event(room_id, event).payload.get("content")
        except Unreadable:
            return None
        return inside if isinstance(inside, dict) else None

    async def has_devices(self, user_id: str) -> bool:
        """Whether the person has a device now that could read an encrypted message."""
        self._devices.outdate([user_id])
        await self._devices.know([user_id])
        return bool(self._devices.of(user_id))

    async def has_signed_device(self, user_id: str) -> bool:
        """Whether the person has a device now that its owner has signed."""
        return await self.has_devices(user_id) and any(device.owner_signed for device in self._devices.of(user_id))

    async def _encryption(self, room_id: str) -> Mapping[str, Any] | None:
        """None only if the homeserver says now that the room is not encrypted: a plain message cannot be taken back."""
        room = self._rooms.get(room_id)
        if room and room.encryption is not None:
            return room.encryption
        return await self.get_state(room_id, "m.room.encryption")

    async def _sent_before(self, room_id: str, txn_id: str) -> str | None:
        attempt = self.attempts.of(txn_id)
        if attempt is None or attempt.perhaps_sent_since is None:
            return None
        return await self._timeline.find_own(room_id, txn_id, attempt.perhaps_sent_since)

    async def _send_marked(self, room_id: str, event_type: str, content: Mapping[str, Any], txn_id: str) -> str:
        attempt = self.attempts.of(txn_id)
        if attempt is None:
            return await self._send(room_id, event_type, content, txn_id)
        # Keys were shared meanwhile, which takes its time.
        if not attempt.may_send():
            raise NoLongerOurs
        fault_points.reached("before_send")
        event_id = await self._send(room_id, event_type, {**content, MARK: txn_id}, txn_id)
        fault_points.reached("after_send")
        return event_id

    async def _send(self, room_id: str, event_type: str, content: Mapping[str, Any], txn_id: str) -> str:
        answer = await self._homeserver.put(path("rooms", room_id, "send", event_type, txn_id), content)
        return str(answer["event_id"])
