"""AES-GCM for what must not be read in the database file, bound to its row."""

import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyhouse.storage.errors import SealBroken

_NONCE_BYTES = 12


class Seal:
    """Seals and opens under one key of the house. key_id: stands in each row, so that keys can change one day."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._fingerprint_key = hmac.new(key, b"keyhouse fingerprint", hashlib.sha256).digest()
        self.key_id = hmac.new(key, b"keyhouse key id", hashlib.sha256).hexdigest()[:8]

    def close(self, words: bytes, table: str, row: str) -> bytes:
        """Seal words for one row: in another row, or another table, they do not open."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, words, _bound_to(table, row))

    def open(self, sealed: bytes, table: str, row: str, key_id: str) -> bytes:
        """Open what was sealed for this row; raises SealBroken."""
        if key_id != self.key_id:
            raise SealBroken
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(table, row))
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def fingerprint(self, word: str) -> str:
        """Return a keyed hash by which a word is found again without being kept."""
        # A stranger's event may name a session by half of a surrogate pair, which plain UTF-8 refuses.
        return hmac.new(self._fingerprint_key, word.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _bound_to(table: str, row: str) -> bytes:
    return f"{table}|{row}".encode()
