"""The bot's own signing identity, by which strict clients know that its device is really its own.

Source: client-server specification, "Cross-signing"; decision 0002.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import IdentityLost, MatrixAway, MatrixFault, MatrixRefused
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.olm import HouseOlm
from bots.runtime.private_files import read_private, write_private
from bots.runtime.signatures import is_signed_by, padded, signed, unpadded

_RESTORE = (
    "Restore signing_seeds.json from a copy and start again. Without a copy a human must decide to reset the "
    "identity; no command does that."
)
_LOOKS, _LOOKS_EVERY_S = 20, 0.1
USAGES = ("master", "self_signing", "user_signing")


@dataclass(frozen=True)
class SigningSeeds:
    """The private halves of the identity, by usage."""

    keys: Mapping[str, Ed25519PrivateKey] = field(repr=False)

    @classmethod
    def load(cls, file: Path) -> "SigningSeeds | None":
        """Read the seeds; None if they are not there or not whole."""
        try:
            content = read_private(file) or {}
            return cls({usage: Ed25519PrivateKey.from_private_bytes(padded(content[usage])) for usage in USAGES})
        except (KeyError, ValueError):
            return None

    @classmethod
    def make(cls, file: Path) -> "SigningSeeds":
        """Make new seeds; they are on the disk before anybody can learn their public halves."""
        seeds = cls({usage: Ed25519PrivateKey.generate() for usage in USAGES})
        write_private(file, {usage: unpadded(key.private_bytes_raw()) for usage, key in seeds.keys.items()})
        return seeds

    def public(self, usage: str) -> str:
        """The public half, as Matrix writes it."""
        return unpadded(self.keys[usage].public_key().public_bytes_raw())

    def sign(self, usage: str, content: Mapping[str, Any], user_id: str) -> dict[str, Any]:
        """A copy of the content, signed by the key of this usage."""
        return signed(content, user_id, f"ed25519:{self.public(usage)}", self.keys[usage].sign)


def owner_signing_key(answer: Mapping[str, Any], user_id: str) -> str | None:
    """The key by which a person signs their devices, out of a raw /keys/query answer.

    None if there is none, or if it is not signed by the person's master key.
    """
    master = _only_key(answer.get("master_keys", {}).get(user_id), user_id, "master")
    signing = answer.get("self_signing_keys", {}).get(user_id)
    public = _only_key(signing, user_id, "self_signing")
    return public if master and public and is_signed_by(signing, user_id, master) else None


async def ensure_signed(
    homeserver: Homeserver, olm: HouseOlm, credentials: BotCredentials, files: BotFiles
) -> Literal["signed", "already"]:
    """Make the identity if the account has none, and sign this device by it. The device's keys are published already.

    The keys with all their signatures are kept in the machine, for those who cannot ask for them. Raises IdentityLost
    if the account has an identity that is not the one kept here; it is never replaced.
    """
    user_id, device_id = credentials.user_id, credentials.device_id
    answer = await _ask_for_whole(homeserver, user_id)
    seeds = kept_identity(answer, user_id, files)
    if _published_master(answer, user_id) is None:
        seeds = seeds or SigningSeeds.make(files.signing_seeds)
        await _publish(homeserver, olm, seeds, credentials)
    assert seeds is not None, "whoever has an identity and no seeds was refused"
    device = {name: value for name, value in answer["device_keys"][user_id][device_id].items() if name != "unsigned"}
    olm.published = seeds.sign("self_signing", device, user_id)
    if is_signed_by(device, user_id, seeds.public("self_signing")):
        return "already"
    bare = {name: value for name, value in device.items() if name != "signatures"}
    done = await homeserver.post(
        path("keys", "signatures", "upload"), {user_id: {device_id: seeds.sign("self_signing", bare, user_id)}}
    )
    if done.get("failures"):
        raise MatrixFault(f"The homeserver did not take the signature of {user_id}'s device. Start the bot again.")
    return "signed"


def kept_identity(answer: Mapping[str, Any], user_id: str, files: BotFiles) -> SigningSeeds | None:
    """Read the seeds kept here; None if neither they nor an identity in a raw /keys/query answer are there.

    Raises IdentityLost if the seeds are damaged, or if the account has an identity that is not theirs.
    """
    seeds = SigningSeeds.load(files.signing_seeds)
    if seeds is None and files.signing_seeds.exists():
        raise IdentityLost(f"{files.signing_seeds} is damaged. {_RESTORE}")
    if _published_master(answer, user_id) is not None and (seeds is None or not _is_published(answer, user_id, seeds)):
        raise lost_identity(user_id, files)
    return seeds


def lost_identity(user_id: str, files: BotFiles) -> IdentityLost:
    """Return what is raised when the seeds kept here are not those of the account's identity, or missing."""
    return IdentityLost(
        f"The signing identity of {user_id} at the homeserver is not the one in {files.signing_seeds}, "
        f"or that file is missing. {_RESTORE}"
    )


async def is_signed(homeserver: Homeserver, credentials: BotCredentials, files: BotFiles) -> bool:
    """Whether others see this bot's device as signed by the identity kept here. Needs no store: for doctor."""
    user_id, device_id = credentials.user_id, credentials.device_id
    answer = await _ask(homeserver, user_id)
    seeds = SigningSeeds.load(files.signing_seeds)
    device = answer.get("device_keys", {}).get(user_id, {}).get(device_id)
    signing = owner_signing_key(answer, user_id)
    if device is None or signing is None or seeds is None or signing != seeds.public("self_signing"):
        return False
    return is_signed_by(device, user_id, signing)


async def _ask(homeserver: Homeserver, user_id: str) -> dict[str, Any]:
    return await homeserver.post(path("keys", "query"), {"device_keys": {user_id: []}})


async def _ask_for_whole(homeserver: Homeserver, user_id: str) -> dict[str, Any]:
    """Ask again for a moment while half an identity is there: another device of the account is publishing it."""
    answer = await _ask(homeserver, user_id)
    for _ in range(_LOOKS):
        if (user_id in answer.get("master_keys", {})) == (user_id in answer.get("self_signing_keys", {})):
            break
        await asyncio.sleep(_LOOKS_EVERY_S)
        answer = await _ask(homeserver, user_id)
    return answer


def _only_key(content: Any, user_id: str, usage: str) -> str | None:
    """The one public key in a published cross-signing key; None if it is anybody else's or malformed."""
    if not isinstance(content, dict) or content.get("user_id") != user_id or usage not in (content.get("usage") or ()):
        return None
    keys = content.get("keys")
    if not isinstance(keys, dict) or len(keys) != 1:
        return None
    name, public = next(iter(keys.items()))
    return public if isinstance(public, str) and name == f"ed25519:{public}" else None


def _published_master(answer: Mapping[str, Any], user_id: str) -> str | None:
    return _only_key(answer.get("master_keys", {}).get(user_id), user_id, "master")


def _is_published(answer: Mapping[str, Any], user_id: str, seeds: SigningSeeds) -> bool:
    master = _published_master(answer, user_id)
    return master == seeds.public("master") and owner_signing_key(answer, user_id) == seeds.public("self_signing")


async def _publish(homeserver: Homeserver, olm: HouseOlm, seeds: SigningSeeds, credentials: BotCredentials) -> None:
    user_id = credentials.user_id
    bare = {
        usage: {
            "user_id": user_id,
            "usage": [usage],
            "keys": {f"ed25519:{seeds.public(usage)}": seeds.public(usage)},
        }
        for usage in USAGES
    }
    device_key = f"ed25519:{credentials.device_id}"
    body: dict[str, Any] = {"master_key": signed(bare["master"], user_id, device_key, olm.sign)}
    for usage in ("self_signing", "user_signing"):
        body[f"{usage}_key"] = seeds.sign("master", bare[usage], user_id)
    try:
        # Synapse asks for no password when an account gets its first identity, and we never give it another one.
        await homeserver.post(path("keys", "device_signing", "upload"), body)
    except (MatrixAway, MatrixRefused):
        # The other watcher, which has the same seeds, was a moment earlier: Synapse then breaks or asks for a password.
        if not _is_published(await _ask_for_whole(homeserver, user_id), user_id, seeds):
            raise
