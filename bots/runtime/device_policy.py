"""Which devices of a person are theirs beyond doubt, and which get the keys of a message.

Source: decision 0002. nio drops the signing keys from /keys/query, so the raw answer is read here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import vodozemac

from bots.runtime.cross_signing import owner_signing_key
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.olm import OlmAddress
from bots.runtime.signatures import is_signed_by

USERS_PER_QUERY = 50


class DevicePolicy(Enum):
    """To which devices of the people in a room a message is readable."""

    OWNER_SIGNED = "owner_signed"
    ALL_DEVICES = "all_devices"


@dataclass(frozen=True)
class Device:
    """One device as the homeserver tells it, with keys that fit together."""

    address: OlmAddress
    owner_signed: bool

    def gets_keys(self, policy: DevicePolicy) -> bool:
        """Whether a message under this policy is for this device."""
        return self.owner_signed or policy is DevicePolicy.ALL_DEVICES


def read_devices(answer: Mapping[str, Any], user_id: str) -> list[Device]:
    """The usable devices of one person out of a raw /keys/query answer.

    Left out: a device that is malformed, is filed under another name, or did not sign its own keys.
    """
    signing_key = owner_signing_key(answer, user_id)
    published = answer.get("device_keys", {}).get(user_id)
    devices = []
    for device_id, content in (published if isinstance(published, dict) else {}).items():
        address = _address(content, user_id, device_id)
        if address is not None:
            devices.append(Device(address, signing_key is not None and is_signed_by(content, user_id, signing_key)))
    return devices


class PeoplesDevices:
    """The devices of everybody this bot meets, as fresh as the last change the homeserver told."""

    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver
        self._by_user: dict[str, list[Device]] = {}
        self._changes: Counter[str] = Counter()

    def outdate(self, user_ids: Iterable[str]) -> None:
        """Forget what is known of these people, because it changed or is no longer told."""
        for user_id in user_ids:
            self._changes[user_id] += 1
            self._by_user.pop(user_id, None)

    async def know(self, user_ids: Iterable[str]) -> None:
        """Ask for the devices of those among these people who are not known; who is known costs nothing."""
        wanted = set(user_ids)
        while unknown := sorted(wanted - self._by_user.keys()):
            await self._ask(unknown[:USERS_PER_QUERY])

    async def _ask(self, user_ids: list[str]) -> None:
        before = {user_id: self._changes[user_id] for user_id in user_ids}
        asked: dict[str, dict[str, list[str]]] = {"device_keys": {user_id: [] for user_id in user_ids}}
        answer = await self._homeserver.post(path("keys", "query"), asked)
        for user_id in user_ids:
            # An answer that a change overtook on its way is old: it must not stand over the newer one.
            if self._changes[user_id] == before[user_id]:
                self._by_user[user_id] = read_devices(answer, user_id)

    def of(self, user_id: str) -> list[Device]:
        """The person's devices; empty for somebody who has none or is not known."""
        return self._by_user.get(user_id, [])

    def with_keys(self, user_id: str, curve25519: str, ed25519: str) -> Device | None:
        """The person's device that has both these keys."""
        keys = (curve25519, ed25519)
        return next(
            (each for each in self.of(user_id) if (each.address.curve25519, each.address.ed25519) == keys), None
        )

    def for_message(self, user_ids: Iterable[str], policy: DevicePolicy) -> Iterator[OlmAddress]:
        """The devices that are to read a message to these people."""
        for user_id in user_ids:
            yield from (device.address for device in self.of(user_id) if device.gets_keys(policy))


def _address(content: Any, user_id: str, device_id: str) -> OlmAddress | None:
    try:
        if (content["user_id"], content["device_id"]) != (user_id, device_id):
            return None
        ed25519, curve25519 = content["keys"][f"ed25519:{device_id}"], content["keys"][f"curve25519:{device_id}"]
        vodozemac.Curve25519PublicKey.from_base64(curve25519)
    except (KeyError, TypeError, ValueError):
        return None
    if not is_signed_by(content, user_id, ed25519, f"ed25519:{device_id}"):
        return None
    return OlmAddress(user_id, device_id, ed25519, curve25519)
