"""Somebody whose room keys come when a test says so, and not before."""

from bots.runtime.homeserver import path
from bots.runtime.received import Undecryptable
from tests.bots.living import LivingBot


class Late:
    """A second bot that writes in an encrypted room and keeps the room's key to itself."""

    def __init__(self, writer: LivingBot, room: str) -> None:
        self._client, self._room = writer.client, room
        self._olm, self._keys = writer.client._olm, writer.client._room_keys
        self._olm.create_outbound_group_session(room)
        self._session = self._olm.outbound_group_sessions[room]
        self._session.mark_as_shared()
        self._key = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room,
            "session_id": self._session.id,
            "session_key": self._session.session_key,
        }

    @property
    def session_id(self) -> str:
        return str(self._session.id)

    async def write(self, words: str) -> str:
        """Send a message that nobody can read yet; give its id."""
        sealed = self._olm.group_encrypt(
            self._room, {"type": "m.room.message", "content": {"msgtype": "m.text", "body": words}}
        )
        # Both are optional since the specification's version 1.3.
        del sealed["sender_key"], sealed["device_id"]
        return await self._client.sending._send(self._room, "m.room.encrypted", sealed, f"late {words}")

    async def give_key(self, user_id: str) -> None:
        """Send the room's key, from its first message on, to every device of this account."""
        self._keys._devices.outdate([user_id])
        await self._keys._devices.know([user_id])
        devices = [each.address for each in self._keys._devices.of(user_id)]
        await self._keys._open_sessions(devices)
        await self._keys._send("m.room_key", self._key, devices)

    async def withhold_key(self, user_id: str, device_id: str, code: str) -> None:
        """Say that the room's key will not be given."""
        content = {"algorithm": self._key["algorithm"], "room_id": self._room, "session_id": self.session_id}
        content |= {"sender_key": self._olm.own.curve25519, "code": code, "reason": ""}
        body = {"messages": {user_id: {device_id: content}}}
        await self._client._homeserver.put(path("sendToDevice", "m.room_key.withheld", self.session_id), body)


async def unreadable(bot: LivingBot, event_id: str) -> Undecryptable:
    """Wait until the bot could not read this event, and has kept that."""
    event = await bot.seen.event(event_id, Undecryptable)
    assert isinstance(event, Undecryptable)
    return event
