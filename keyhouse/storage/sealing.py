"""AES-GCM for what must not be read in the database file, bound to its row."""

import hashlib
import hmac
import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyhouse.storage.errors import SealBroken
from keyhouse.storage.house_keys import HouseKeys, fingerprint_key_of

_NONCE_BYTES = 12


class Seal:
    """Seals under one key, and opens under it and the one before. key_id: of the one key; stands in each row."""

    def __init__(self, key: bytes, *, fingerprint_key: bytes | None = None, retiring: bytes | None = None) -> None:
        self._fingerprint_key = fingerprint_key or fingerprint_key_of(key)
        self.key_id = _id_of(key)
        self._ciphers = {_id_of(one): AESGCM(one) for one in (retiring, key) if one is not None}

    @classmethod
    def of(cls, keys: HouseKeys) -> Self:
        """Return the seal of a house."""
        return cls(keys.seal, fingerprint_key=keys.fingerprint_key, retiring=keys.retiring)

    def close(self, words: bytes, table: str, row: str) -> bytes:
        """Seal words for one row: in another row, or another table, they do not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._ciphers[self.key_id].encrypt(nonce, words, _bound_to(table, row))

    def open(self, sealed: bytes, table: str, row: str, key_id: str) -> bytes:
        """Open what was sealed for this row; raises SealBroken."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealBroken
        try:
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(table, row))
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def fingerprint(self, word: str) -> str:
        """Return a keyed hash by which a word is found again without being kept."""
        # A stranger's event may name a session by half of a surrogate pair, which plain UTF-8 refuses.
        return hmac.new(self._fingerprint_key, word.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _id_of(key: bytes) -> str:
    return hmac.new(key, b"keyhouse key id", hashlib.sha256).hexdigest()[:8]


def _bound_to(table: str, row: str) -> bytes:
    return f"{table}|{row}".encode()
