"""Encrypt a message for a room: first every device that is to read it gets the room key, then the message goes."""

import asyncio
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any
from weakref import WeakValueDictionary

import vodozemac

from bots.runtime.arrivals import MEGOLM
from bots.runtime.device_policy import DevicePolicy, PeoplesDevices
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.olm import HouseOlm, OlmAddress
from bots.runtime.signatures import is_signed_by

DEVICES_PER_REQUEST = 50
ASK_AGAIN_AFTER = timedelta(minutes=1)


class RoomKeys:
    """The room keys that this device encrypts with, and who has them."""

    def __init__(self, homeserver: Homeserver, olm: HouseOlm, devices: PeoplesDevices) -> None:
        self._homeserver = homeserver
        self._olm = olm
        self._devices = devices
        # Two sends into one room at once would both find a key missing and share it twice. Other rooms go on meanwhile:
        # a homeserver that is slow to hand out somebody's key must not hold up a card.
        self._in_room: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._ask_again_at: dict[OlmAddress, float] = {}

    async def encrypt(
        self,
        room_id: str,
        user_ids: Collection[str],
        policy: DevicePolicy,
        rotation: Mapping[str, Any],
        event: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Encrypt an event (type and content) so that these people's devices can read it.

        rotation: the content of the room's m.room.encryption; its limits count, not nio's.
        A device that cannot be reached now (it has no one-time key left) does not hold the message up.
        """
        async with self._in_room.setdefault(room_id, asyncio.Lock()):
            await self._devices.know(user_ids)
            readers = {device for device in self._devices.for_message(user_ids, policy) if device != self._olm.own}
            session = self._olm.own_room_key(room_id)
            # Who has the key and may no longer read: the next message needs another key.
            if session is None or not session.users_shared_with <= readers:
                self._olm.create_outbound_group_session(room_id)
                session = self._olm.outbound_group_sessions[room_id]
                _apply_rotation(session, rotation)
            await self._share(room_id, session, readers - session.users_shared_with)
            session.mark_as_shared()
            sealed: dict[str, Any] = self._olm.group_encrypt(room_id, dict(event))
        if relation := event["content"].get("m.relates_to"):
            sealed["m.relates_to"] = relation
        return sealed

    async def mend(self) -> None:
        """Begin a new Olm session with every device whose old one broke, so that its next room key arrives."""
        broken = frozenset(self._olm.arrivals.broken_sessions)
        await self._devices.know({user_id for user_id, _ in broken})
        devices = [
            device.address
            for user_id, curve25519 in broken
            for device in self._devices.of(user_id)
            if device.address.curve25519 == curve25519
        ]
        mendable = self._to_ask(devices)
        await self._open_sessions(mendable)
        await self._send("m.dummy", {}, [each for each in mendable if self._olm.has_session_with(each)])
        # Only now: what the homeserver was away for is tried again.
        self._olm.arrivals.broken_sessions -= broken

    async def tell(self, device: OlmAddress, kind: str, content: Mapping[str, Any]) -> bool:
        """Send something to one device, inside an Olm message; False if the device cannot be reached now."""
        if not self._olm.has_session_with(device):
            await self._open_sessions(self._to_ask([device]))
        if not self._olm.has_session_with(device):
            return False
        await self._send(kind, content, [device])
        return True

    async def _share(self, room_id: str, session: Any, devices: Collection[OlmAddress]) -> None:
        without_session = [each for each in devices if not self._olm.has_session_with(each)]
        await self._open_sessions(self._to_ask(without_session))
        content = {
            "algorithm": MEGOLM,
            "room_id": room_id,
            "session_id": session.id,
            "session_key": session.session_key,
        }
        reached = [each for each in devices if self._olm.has_session_with(each)]
        for first in range(0, len(reached), DEVICES_PER_REQUEST):
            part = reached[first : first + DEVICES_PER_REQUEST]
            await self._send("m.room_key", content, part)
            session.users_shared_with.update(part)

    def _to_ask(self, devices: Iterable[OlmAddress]) -> list[OlmAddress]:
        """Each device is asked for a one-time key once a minute at most, however often it fails."""
        now = time.monotonic()
        return [each for each in devices if self._ask_again_at.get(each, now) <= now]

    async def _open_sessions(self, devices: Collection[OlmAddress]) -> None:
        """Claim a one-time key of each device and begin an Olm session with it."""
        if not devices:
            return
        wanted: dict[str, dict[str, str]] = {}
        for device in devices:
            wanted.setdefault(device.user_id, {})[device.device_id] = "signed_curve25519"
        answer = await self._homeserver.post(path("keys", "claim"), {"one_time_keys": wanted})
        with self._olm.one_transaction():
            for device in devices:
                self._ask_again_at[device] = time.monotonic() + ASK_AGAIN_AFTER.total_seconds()
                if key := _one_time_key(answer, device):
                    self._olm.create_session(key, device.curve25519)

    async def _send(self, kind: str, content: Mapping[str, Any], devices: Collection[OlmAddress]) -> None:
        if not devices:
            return
        messages: dict[str, dict[str, Any]] = {}
        with self._olm.one_transaction():
            for device in devices:
                sealed = self._olm.encrypt_for(device, kind, content)
                messages.setdefault(device.user_id, {})[device.device_id] = sealed
        await self._homeserver.put(path("sendToDevice", "m.room.encrypted", uuid.uuid4().hex), {"messages": messages})


def _one_time_key(answer: Mapping[str, Any], device: OlmAddress) -> str | None:
    """The claimed key, if the device itself signed it."""
    try:
        claimed = next(iter(answer["one_time_keys"][device.user_id][device.device_id].values()))
        key = claimed["key"]
        vodozemac.Curve25519PublicKey.from_base64(key)
    except (KeyError, TypeError, AttributeError, ValueError, StopIteration):
        return None
    signed = is_signed_by(claimed, device.user_id, device.ed25519, f"ed25519:{device.device_id}")
    return key if signed and isinstance(key, str) else None


def _apply_rotation(session: Any, rotation: Mapping[str, Any]) -> None:
    messages, age_ms = rotation.get("rotation_period_msgs"), rotation.get("rotation_period_ms")
    if isinstance(messages, int) and 0 < messages < session.max_messages:
        session.max_messages = messages
    if isinstance(age_ms, int) and 0 < age_ms < session.max_age / timedelta(milliseconds=1):
        session.max_age = timedelta(milliseconds=age_ms)
