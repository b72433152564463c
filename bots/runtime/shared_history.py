"""Room keys that somebody shares with whom they invite, so that the history can be read (MSC4268).

Taken only from the person who invited the bot into that room, from a device that its owner has signed.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from bots.runtime.arrivals import MEGOLM
from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.errors import MatrixRefused, SessionEnded
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.kept_room_keys import exported_room_key
from bots.runtime.olm import HouseOlm
from bots.runtime.signatures import padded
from bots.runtime.waiting import Waiting, WaitingKind

BYTES_AT_MOST = 20 * 2**20
FETCHED_WITHIN = timedelta(seconds=60)
KEYS_AT_MOST, KEYS_AT_ONCE, WITHHELD_AT_MOST = 20_000, 200, 500
CHANGES_LOOKED_BACK = 5

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError)


class SharedHistory:
    """Takes the bundles that wait for rooms which the bot is in by now."""

    def __init__(self, homeserver: Homeserver, olm: HouseOlm, devices: PeoplesDevices) -> None:
        self._homeserver, self._olm, self._devices = homeserver, olm, devices
        self._counts = olm.arrivals.counts

    async def accept(self) -> None:
        """Import what may be imported; drop and count the rest. What fails while the homeserver is away waits on."""
        arrivals = self._olm.arrivals
        for bundle in arrivals.waiting.of(WaitingKind.KEY_BUNDLE, arrivals.rooms):
            try:
                await self._take(bundle)
                self._counts["bundles_taken"] += 1
            except (MatrixRefused, *_MALFORMED) as fault:
                if isinstance(fault, MatrixRefused) and fault.retry_after is not None:
                    raise
                self._counts["bundles_refused"] += 1
            with self._olm.one_transaction():
                arrivals.waiting.remove([bundle])

    async def _take(self, bundle: Waiting) -> None:
        if bundle.sender != await inviter(self._homeserver, bundle.room_id, self._olm.user_id):
            raise ValueError("a bundle of somebody who did not invite the bot")
        # We may have shared no room until now, so nobody told us of changes.
        self._devices.outdate([bundle.sender])
        await self._devices.know([bundle.sender])
        device = self._devices.with_keys(bundle.sender, bundle.curve25519, bundle.ed25519)
        if device is None or not device.owner_signed:
            raise ValueError("a bundle from a device that its owner has not signed")
        file = bundle.content["file"]
        sealed = await self._homeserver.download(file["url"], BYTES_AT_MOST, FETCHED_WITHIN)
        content = await asyncio.to_thread(_opened, sealed, file)
        await self._import(bundle, content)

    async def _import(self, bundle: Waiting, content: Mapping[str, Any]) -> None:
        keys = content["room_keys"][:KEYS_AT_MOST]
        for first in range(0, len(keys), KEYS_AT_ONCE):
            with self._olm.one_transaction():
                self._keep(bundle, keys[first : first + KEYS_AT_ONCE])
            # Events of other rooms go on between two parts.
            await asyncio.sleep(0)
        with self._olm.one_transaction():
            for each in content.get("withheld", [])[:WITHHELD_AT_MOST]:
                self._withhold(bundle, each)

    def _keep(self, bundle: Waiting, keys: Sequence[Any]) -> None:
        for key in keys:
            try:
                if (key["algorithm"], key["room_id"]) != (MEGOLM, bundle.room_id):
                    raise ValueError("not a room key of this room")
                # Who made the key is only the inviter's word, which the chain remembers.
                session = exported_room_key(key, key["sender_claimed_keys"]["ed25519"], [bundle.curve25519])
            except _MALFORMED:
                self._counts["shared_keys_malformed"] += 1
                continue
            self._olm.kept.keep(session)
            self._olm.arrivals.came(session.room_id, session.id)
            self._counts["shared_keys_taken"] += 1

    def _withhold(self, bundle: Waiting, content: Any) -> None:
        try:
            if content["room_id"] == bundle.room_id:
                self._olm.arrivals.withheld.note(bundle.sender, content)
        except _MALFORMED:
            self._counts["shared_keys_malformed"] += 1


async def inviter(homeserver: Homeserver, room_id: str, user_id: str) -> str | None:
    """Who invited this user into a room they are in, as the room's state tells; None if nobody did, or long ago."""
    try:
        at = path("rooms", room_id, "state", "m.room.member", user_id)
        event = await homeserver.get(at, {"format": "event"})
        for _ in range(CHANGES_LOOKED_BACK):
            if event.get("content", {}).get("membership") == "invite":
                return str(event["sender"])
            before = event.get("unsigned", {}).get("replaces_state")
            if not isinstance(before, str):
                return None
            event = await homeserver.get(path("rooms", room_id, "event", before))
    except SessionEnded:
        raise
    except MatrixRefused as refusal:
        if refusal.status not in (403, 404):
            raise
    return None


def _opened(sealed: bytes, file: Mapping[str, Any]) -> Mapping[str, Any]:
    """Open an encrypted file (specification, "Sending encrypted attachments"); raises if it is not what was meant."""
    told = padded(file["hashes"]["sha256"].rstrip("="))
    if not hmac.compare_digest(hashlib.sha256(sealed).digest(), told):
        raise ValueError("the file is not the one that was meant")
    if file["key"]["alg"] != "A256CTR":
        raise ValueError("a file that is encrypted in another way")
    key = padded(file["key"]["k"].translate(str.maketrans("-_", "+/")).rstrip("="))
    decryptor = Cipher(AES(key), CTR(padded(file["iv"].rstrip("=")))).decryptor()
    content = json.loads(decryptor.update(sealed) + decryptor.finalize())
    if not isinstance(content, dict) or not isinstance(content.get("room_keys"), list):
        raise TypeError("the file holds no room keys")
    return content
