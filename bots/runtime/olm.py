"""The encryption machine of one device: nio's, with what it lacks and without what nobody here needs."""

import json
import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import vodozemac
from nio.crypto import InboundGroupSession, Olm, OlmDevice, OutboundGroupSession  # type: ignore[import-untyped]
from nio.store import SqliteStore  # type: ignore[import-untyped]

from bots.runtime.signatures import padded

# nio writes user ids and session ids into its log; this layer counts instead.
logging.getLogger("nio").setLevel(logging.CRITICAL)

MEGOLM = "m.megolm.v1.aes-sha2"


class Unreadable(Exception):
    """A room event that cannot be decrypted, for one of the reasons below."""

    def __init__(self, reason: str, session_id: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.session_id = session_id


NO_ROOM_KEY, BAD_CIPHERTEXT, REPLAYED, MALFORMED = "no_room_key", "bad_ciphertext", "replayed", "malformed"


@dataclass(frozen=True)
class Decrypted:
    """What was inside an encrypted room event, and which device keys its room key came with."""

    payload: Mapping[str, Any]
    curve25519: str
    ed25519: str


@dataclass(frozen=True)
class OlmAddress:
    """A device as the machine needs it to encrypt for it alone."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str


class HouseOlm(Olm):  # type: ignore[misc]
    """nio's Olm machine for one device; every change is saved before it is relied upon.

    Devices and trust are not kept here: bots.runtime.device_policy decides them from the homeserver's raw answers.
    """

    def __init__(self, user_id: str, device_id: str, store: SqliteStore) -> None:
        self.new_room_keys: list[tuple[str, str]] = []
        self.broken_sessions: set[tuple[str, str]] = set()
        super().__init__(user_id, device_id, store)

    @property
    def own(self) -> OlmAddress:
        """This device."""
        keys = self.account.identity_keys
        return OlmAddress(self.user_id, self.device_id, keys["ed25519"], keys["curve25519"])

    def sign(self, message: bytes) -> bytes:
        """Sign with the device's own key."""
        return padded(self.account.sign(message.decode()))

    def one_transaction(self) -> AbstractContextManager[Any]:
        """Everything saved inside is saved together. Nothing inside may wait."""
        transaction: AbstractContextManager[Any] = self.store.database.atomic()
        return transaction

    def read_to_device(self, event: Mapping[str, Any]) -> None:
        """Take the room key out of an encrypted to-device event.

        Whatever is malformed raises; room keys that were taken stand in new_room_keys as (room id, session id).
        """
        content = event["content"]
        if content["algorithm"] != self._olm_algorithm:
            raise ValueError("not an Olm message")
        sealed = content["ciphertext"][self.own.curve25519]
        sender, sender_key = event["sender"], content["sender_key"]
        try:
            self.decrypt(sender, sender_key, _olm_message(sealed["type"], sealed["body"]))
        except vodozemac.SessionCreationException:
            # The sender used a one-time key that this store no longer has: tell them by a new session.
            self._mark_device_for_unwedging(sender, sender_key)
            raise

    def read_room_event(self, room_id: str, event: Mapping[str, Any]) -> Decrypted:
        """Decrypt a room event, or raise Unreadable."""
        content = event["content"]
        session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
        if content.get("algorithm") != MEGOLM or not isinstance(session_id, str) or not isinstance(ciphertext, str):
            raise Unreadable(MALFORMED, session_id if isinstance(session_id, str) else None)
        session = self._room_key(room_id, session_id, content.get("sender_key"))
        if session is None:
            raise Unreadable(NO_ROOM_KEY, session_id)
        try:
            plaintext, index = session.decrypt(ciphertext)
        except ValueError as fault:
            raise Unreadable(_why_not(session, ciphertext), session_id) from fault
        seen = self.message_index_store.setdefault((session_id, index), event["event_id"])
        if seen != event["event_id"]:
            raise Unreadable(REPLAYED, session_id)
        return Decrypted(_payload(plaintext, room_id, session_id), session.sender_key, session.ed25519)

    def has_session_with(self, device: OlmAddress) -> bool:
        """Whether an Olm session with this device exists."""
        return self.session_store.get(device.curve25519) is not None

    def encrypt_for(self, device: OlmAddress, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Encrypt for one device; the session is saved before the message can leave."""
        keys = {"ed25519": device.ed25519, "curve25519": device.curve25519}
        recipient = OlmDevice(device.user_id, device.device_id, keys)
        sealed: dict[str, Any] = self._olm_encrypt(self.session_store.get(device.curve25519), recipient, kind, content)
        return sealed

    def own_room_key(self, room_id: str) -> OutboundGroupSession | None:
        """The room key that this device encrypts with, if there is one that is not used up."""
        session = self.outbound_group_sessions.get(room_id)
        return None if session is None or session.expired else session

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        """Keep a room key, unless we hold the same one from an earlier message on; raises if it is malformed."""
        session = InboundGroupSession(session_key, sender_fp_key, sender_key, room_id)
        if session.id != session_id:
            raise ValueError("the room key belongs to another session")
        held = [
            each for each in self._room_keys(room_id, session_id) if each.first_known_index <= session.first_known_index
        ]
        if any(each.sender_key == sender_key for each in held):
            return
        self.inbound_group_store.add(session)
        # The store has one row per session id: somebody who passes a key on must not overwrite its maker's.
        if not held:
            self.save_inbound_group_session(session)

    def _handle_olm_event(self, sender: str, sender_key: str, payload: dict[Any, Any]) -> None:
        content = payload["content"]
        if payload["type"] != "m.room_key" or content["algorithm"] != MEGOLM:
            return
        room_id, session_id, session_key = content["room_id"], content["session_id"], content["session_key"]
        ed25519 = payload["keys"]["ed25519"]
        if not all(isinstance(each, str) for each in (room_id, session_id, session_key, ed25519)):
            raise TypeError("a room key's fields are texts")
        self.create_group_session(sender_key, ed25519, room_id, session_id, session_key)
        self.new_room_keys.append((room_id, session_id))

    def _mark_device_for_unwedging(self, sender: str, sender_key: str) -> None:
        self.broken_sessions.add((sender, sender_key))

    def _room_keys(self, room_id: str, session_id: str) -> list[InboundGroupSession]:
        return [keys[session_id] for keys in self.inbound_group_store[room_id].values() if session_id in keys]

    def _room_key(self, room_id: str, session_id: str, sender_key: object) -> InboundGroupSession | None:
        """The sender key in an event is optional and only decides between several holders of one session."""
        keys = self._room_keys(room_id, session_id)
        return next((each for each in keys if each.sender_key == sender_key), keys[0] if keys else None)


def _olm_message(kind: int, body: str) -> vodozemac.PreKeyMessage | vodozemac.AnyOlmMessage:
    if kind == 0:
        return vodozemac.PreKeyMessage.from_base64(body)
    return vodozemac.AnyOlmMessage.normal(padded(body))


def _why_not(session: InboundGroupSession, ciphertext: str) -> str:
    """A room key that begins after the message is a missing key too: its earlier part may still come."""
    try:
        index = vodozemac.MegolmMessage.from_base64(ciphertext).message_index()
    except ValueError:
        return BAD_CIPHERTEXT
    return NO_ROOM_KEY if index < session.first_known_index else BAD_CIPHERTEXT


def _payload(plaintext: str, room_id: str, session_id: str) -> Mapping[str, Any]:
    try:
        payload = json.loads(plaintext)
    except (ValueError, RecursionError) as fault:
        raise Unreadable(MALFORMED, session_id) from fault
    if not isinstance(payload, dict) or payload.get("room_id") != room_id:
        raise Unreadable(MALFORMED, session_id)
    return payload
