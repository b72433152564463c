"""The encryption machine of one device: nio's, with what it lacks and without what nobody here needs."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import vodozemac
from nio.crypto import InboundGroupSession, Olm, OutboundGroupSession  # type: ignore[import-untyped]

from bots.runtime import fault_points
from bots.runtime.arrivals import MEGOLM, Arrivals
from bots.runtime.clock import Clock, utc_now
from bots.runtime.house_store import HouseStore
from bots.runtime.kept_room_keys import KeptRoomKeys, is_vouched, room_key
from bots.runtime.replays import FirstEvents
from bots.runtime.signatures import padded, unpadded

# nio writes user ids and session ids into its log; this layer counts instead.
logging.getLogger("nio").setLevel(logging.CRITICAL)

OLM_SESSIONS_OF_ONE_DEVICE = 10
MISSING_AT_ONCE = 1000


class Unreadable(Exception):
    """A room event that cannot be decrypted, for one of the reasons below."""

    def __init__(self, reason: str, session_id: str | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.session_id = session_id


NO_ROOM_KEY, BAD_CIPHERTEXT, REPLAYED, MALFORMED = "no_room_key", "bad_ciphertext", "replayed", "malformed"


@dataclass(frozen=True)
class Decrypted:
    """What was inside an encrypted room event, and which device keys its room key came with.

    vouched: the device with these keys gave the room key itself; otherwise somebody who passed it on says so.
    """

    payload: Mapping[str, Any]
    curve25519: str
    ed25519: str
    vouched: bool


@dataclass(frozen=True)
class Missing:
    """A room key that an event could not be read without. curve25519: of the device that is said to have made it."""

    room_id: str
    session_id: str
    sender: str
    curve25519: str | None


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
    missing: room keys that an event could not be read without, by room id and session id, until they are asked for.
    published: this device's keys as the homeserver gives them out, signed by the device and its owner; None before.
    """

    def __init__(self, user_id: str, device_id: str, store: HouseStore, clock: Clock = utc_now) -> None:
        super().__init__(user_id, device_id, store)
        self.kept = KeptRoomKeys(store, self.inbound_group_store)
        self.arrivals = Arrivals(user_id, store, self.kept, clock)
        self.missing: dict[tuple[str, str], Missing] = {}
        self.published: Mapping[str, Any] | None = None
        self._first_events = FirstEvents(store, self.message_index_store)

    @property
    def own(self) -> OlmAddress:
        """This device."""
        keys = self.account.identity_keys
        return OlmAddress(self.user_id, self.device_id, keys["ed25519"], keys["curve25519"])

    def sign(self, message: bytes) -> bytes:
        """Sign with the device's own key."""
        return padded(self.account.sign(message.decode()))

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Everything saved inside is saved together. Nothing inside may wait."""
        with self.store.transaction():
            self._first_events.save()
            yield

    def save_seen(self) -> None:
        """Write down which messages were read since the last transaction."""
        with self.one_transaction():
            return

    def read_to_device(self, event: Mapping[str, Any]) -> None:
        """Take what an event for this device alone brings, in the open transaction; see Arrivals.

        Whatever is malformed raises. Kinds that nobody here needs are passed over.
        """
        if event["type"] != "m.room.encrypted":
            self.arrivals.in_clear(event)
            return
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
        self._forget_old_sessions(sender_key)

    def read_room_event(self, room_id: str, event: Mapping[str, Any]) -> Decrypted:
        """Decrypt a room event, or raise Unreadable; a room key that is missing is asked for by itself."""
        content = event["content"]
        session_id, ciphertext = content.get("session_id"), content.get("ciphertext")
        if content.get("algorithm") != MEGOLM or not isinstance(session_id, str) or not isinstance(ciphertext, str):
            raise Unreadable(MALFORMED, session_id if isinstance(session_id, str) else None)
        try:
            session, plaintext, index = self._decrypted(room_id, session_id, content.get("sender_key"), ciphertext)
        except Unreadable as why:
            if why.reason == NO_ROOM_KEY:
                self._miss(room_id, session_id, event)
            raise
        if self._first_events.of(session_id, index, event["event_id"]) != event["event_id"]:
            raise Unreadable(REPLAYED, session_id)
        payload = _payload(plaintext, room_id, session_id)
        return Decrypted(payload, session.sender_key, session.ed25519, is_vouched(session))

    def has_session_with(self, device: OlmAddress) -> bool:
        """Whether an Olm session with this device exists."""
        return self.session_store.get(device.curve25519) is not None

    def encrypt_for(self, device: OlmAddress, kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Encrypt for one device; the session is saved before the message can leave.

        Our own keys go along: a strict client that could not ask for a new device's keys yet would never show what it
        says. Source: client-server specification, "m.olm.v1.curve25519-aes-sha2", sender_device_keys.
        """
        session, own = self.session_store.get(device.curve25519), self.own
        payload = {
            "sender": own.user_id,
            "sender_device": own.device_id,
            "keys": {"ed25519": own.ed25519},
            "recipient": device.user_id,
            "recipient_keys": {"ed25519": device.ed25519},
            "type": kind,
            "content": content,
            **({"sender_device_keys": self.published} if self.published else {}),
        }
        number, ciphertext = session.encrypt(json.dumps(payload)).to_parts()
        self.store.save_session(device.curve25519, session)
        sealed = {"type": number, "body": unpadded(ciphertext)}
        return {
            "algorithm": self._olm_algorithm,
            "sender_key": own.curve25519,
            "ciphertext": {device.curve25519: sealed},
        }

    def own_room_key(self, room_id: str) -> OutboundGroupSession | None:
        """The room key that this device encrypts with, if there is one that is not used up."""
        session = self.outbound_group_sessions.get(room_id)
        return None if session is None or session.expired else session

    def create_group_session(
        self, sender_key: str, sender_fp_key: str, room_id: str, session_id: str, session_key: str
    ) -> None:
        """Keep a room key, unless we hold the same one from an earlier message on; raises if it is malformed."""
        content = {"room_id": room_id, "session_id": session_id, "session_key": session_key}
        with self.one_transaction():
            self.kept.keep(room_key(content, sender_key, sender_fp_key))

    def _handle_olm_event(self, sender: str, sender_key: str, payload: dict[Any, Any]) -> None:
        fault_points.reached("between_olm_and_megolm")
        self.arrivals.sealed(sender, sender_key, payload)

    def _mark_device_for_unwedging(self, sender: str, sender_key: str) -> None:
        self.arrivals.broken_sessions.add((sender, sender_key))
        self.arrivals.stirred.set()

    def _decrypted(
        self, room_id: str, session_id: str, sender_key: object, ciphertext: str
    ) -> tuple[InboundGroupSession, str, int]:
        """Decrypt by whichever copy of the room key can: a false one that somebody passed on must not stand before."""
        reasons = set()
        # The sender key in an event is optional and only decides which copy is tried first.
        for session in self.kept.of(room_id, session_id, sender_key):
            try:
                return (session, *session.decrypt(ciphertext))
            except ValueError:
                reasons.add(_why_not(session, ciphertext))
        raise Unreadable(BAD_CIPHERTEXT if reasons == {BAD_CIPHERTEXT} else NO_ROOM_KEY, session_id)

    def _miss(self, room_id: str, session_id: str, event: Mapping[str, Any]) -> None:
        if len(self.missing) < MISSING_AT_ONCE:
            said = event["content"].get("sender_key")
            curve25519 = said if isinstance(said, str) else None
            self.missing[room_id, session_id] = Missing(room_id, session_id, str(event.get("sender")), curve25519)
            self.arrivals.stirred.set()

    def _forget_old_sessions(self, sender_key: str) -> None:
        # A new session with every message costs the sender nothing, and us a row each.
        sessions = sorted(self.session_store[sender_key], key=lambda each: each.use_time, reverse=True)
        if len(sessions) > OLM_SESSIONS_OF_ONE_DEVICE:
            self.session_store[sender_key][:] = sessions[:OLM_SESSIONS_OF_ONE_DEVICE]
            self.store.forget_sessions(sessions[OLM_SESSIONS_OF_ONE_DEVICE:])


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
