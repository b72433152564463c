"""Signed JSON as Matrix has it (client-server specification, appendix "Signing JSON")."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from canonicaljson import encode_canonical_json
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def unpadded(raw: bytes) -> str:
    """Base64 without the padding, as Matrix writes keys."""
    return base64.b64encode(raw).rstrip(b"=").decode()


def padded(text: str) -> bytes:
    """The bytes behind unpadded base64; ValueError if it is none."""
    return base64.b64decode(text + "=" * (-len(text) % 4))


def signed(content: Mapping[str, Any], user_id: str, key_id: str, sign: Callable[[bytes], bytes]) -> dict[str, Any]:
    """A copy of the content with one signature added; earlier signatures stay."""
    signatures = {user: dict(by_key) for user, by_key in content.get("signatures", {}).items()}
    signatures.setdefault(user_id, {})[key_id] = unpadded(sign(_signed_bytes(content)))
    return {**content, "signatures": signatures}


def is_signed_by(content: Mapping[str, Any], user_id: str, public_key: str, key_id: str | None = None) -> bool:
    """Whether this key of this user signed the content; whatever is malformed is not signed.

    key_id: "ed25519:" and the device id for a device's key; a cross-signing key stands under its own public half.
    """
    try:
        signature = content["signatures"][user_id][key_id or f"ed25519:{public_key}"]
        key = Ed25519PublicKey.from_public_bytes(padded(public_key))
        key.verify(padded(signature), _signed_bytes(content))
    except (InvalidSignature, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        return False
    return True


def _signed_bytes(content: Mapping[str, Any]) -> bytes:
    bare = {name: value for name, value in content.items() if name not in ("signatures", "unsigned")}
    encoded: bytes = encode_canonical_json(bare)
    return encoded
