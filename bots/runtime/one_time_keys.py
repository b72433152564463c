"""Keep the homeserver supplied with keys by which others reach this device: one-time keys and a fallback key."""

from collections.abc import Mapping
from typing import Any

from bots.runtime import fault_points
from bots.runtime.arrivals import MEGOLM
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.olm import HouseOlm
from bots.runtime.signatures import signed


class OneTimeKeys:
    """What the homeserver has left of this device's keys, and the upload of new ones."""

    def __init__(self, homeserver: Homeserver, olm: HouseOlm) -> None:
        self._homeserver = homeserver
        self._olm = olm
        self._left_at_homeserver: int | None = None
        self._fallback_used = False

    def note(self, answer: Mapping[str, Any]) -> None:
        """Learn from a sync what is left; a kind of key that is not listed is used up."""
        if isinstance(counts := answer.get("device_one_time_keys_count"), dict):
            self._left_at_homeserver = int(counts.get("signed_curve25519", 0))
        unused = answer.get("device_unused_fallback_key_types")
        self._fallback_used = isinstance(unused, list) and "signed_curve25519" not in unused

    def are_needed(self) -> bool:
        """Whether something is to be uploaded."""
        if not self._olm.account.shared or self._fallback_used or self._unpublished():
            return True
        return self._left_at_homeserver is not None and self._left_at_homeserver < self._olm.account.max_one_time_keys

    async def upload(self) -> None:
        """Publish the device's keys, new one-time keys and, if it was used, a new fallback key.

        The private halves are on the disk first. Keys whose upload was never confirmed are offered again
        as they were: the homeserver takes the same key twice, but never another one under the same name.
        """
        account = self._olm.account
        if not self._unpublished():
            account.generate_one_time_keys(max(0, account.max_one_time_keys - (self._left_at_homeserver or 0)))
            if self._fallback_used or not account.shared:
                account._account.generate_fallback_key()
        self._olm.save_account()
        answer = await self._homeserver.post(path("keys", "upload"), self._offer())
        fault_points.reached("between_upload_and_save")
        account.shared = True
        account.mark_keys_as_published()
        self._olm.save_account()
        self._fallback_used = False
        self._left_at_homeserver = int(answer.get("one_time_key_counts", {}).get("signed_curve25519", 0))

    def _unpublished(self) -> bool:
        account = self._olm.account
        return bool(account.one_time_keys["curve25519"] or account._account.fallback_key)

    def _offer(self) -> dict[str, Any]:
        account = self._olm.account
        one_time = account.one_time_keys["curve25519"].items()
        fallback = account._account.fallback_key.items()
        offer: dict[str, Any] = {
            "one_time_keys": {f"signed_curve25519:{name}": self._signed({"key": key}) for name, key in one_time},
            "fallback_keys": {
                f"signed_curve25519:{name}": self._signed({"key": key.to_base64(), "fallback": True})
                for name, key in fallback
            },
        }
        if not account.shared:
            offer["device_keys"] = self._device_keys()
        return offer

    def _device_keys(self) -> dict[str, Any]:
        own = self._olm.own
        return self._signed(
            {
                "algorithms": [self._olm._olm_algorithm, MEGOLM],
                "user_id": own.user_id,
                "device_id": own.device_id,
                "keys": {f"curve25519:{own.device_id}": own.curve25519, f"ed25519:{own.device_id}": own.ed25519},
            }
        )

    def _signed(self, content: Mapping[str, Any]) -> dict[str, Any]:
        own = self._olm.own
        return signed(content, own.user_id, f"ed25519:{own.device_id}", self._olm.sign)
