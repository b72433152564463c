"""The code on the paper: 135 random bits and a check character, in seven groups of four.

Crockford's base 32, because its alphabet leaves out the letters that are read as digits.
"""

import hashlib
import hmac
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_BYTES = 17
_SYMBOLS = 27
_GROUP = 4
_LOOK_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_BETWEEN = frozenset({"Pd", "Zs", "Zl", "Zp", "Cf", "Cc"})
"""Dashes and spaces of every sort, and the marks without width that come along when a letter is copied."""


def make_code(randomness: bytes) -> str:
    """Write 17 random bytes as a code in groups of four, ``7KQ2-M9FD-…``."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a code needs {RANDOM_BYTES} random bytes")
    number = int.from_bytes(randomness) >> (RANDOM_BYTES * 8 - _SYMBOLS * 5)
    symbols = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(_SYMBOLS)))
    return in_groups(symbols + _check_symbol(symbols))


def read_code(text: str) -> str | None:
    """Return the code's 28 symbols as they were printed, or None if this cannot be a code.

    Lower case, spaces, dashes and the look-alikes O, I, L and U are understood; a wrong check character is not.
    """
    if len(text) > 200:
        return None
    signs = (sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) not in _BETWEEN)
    symbols = "".join(signs).upper().translate(_LOOK_ALIKE)
    if len(symbols) != _SYMBOLS + 1 or set(symbols) - set(ALPHABET):
        return None
    return symbols if _check_symbol(symbols[:-1]) == symbols[-1] else None


def in_groups(symbols: str) -> str:
    """Part the symbols into groups of four with dashes."""
    return "-".join(symbols[start : start + _GROUP] for start in range(0, len(symbols), _GROUP))


def hash_code(symbols: str, key: bytes) -> str:
    """Return the keyed hash under which a referral is kept; the code itself is kept nowhere."""
    return hmac.new(key, symbols.encode(), hashlib.sha256).hexdigest()


def _check_symbol(symbols: str) -> str:
    # A weight that differs from place to place finds two exchanged symbols, which a plain sum would not.
    total = sum((place + 1) * ALPHABET.index(symbol) for place, symbol in enumerate(symbols))
    return ALPHABET[total % 31]
