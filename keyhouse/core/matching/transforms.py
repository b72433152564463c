"""The disguises under which every example of every rule has to be found as well."""

from collections.abc import Callable, Mapping
from functools import partial

Transform = Callable[[str], str]

_LOOK_ALIKE = str.maketrans("aceopxyiCEOPXTAHKMB", "асеорхуіСЕОРХТАНКМВ")
_LEET = str.maketrans("aeiost", "43105+")
_ACCENTED = str.maketrans("aeiouc", "àëïòüç")
_LONG_ENOUGH_FOR_A_SLIP = 7


def _every_word(change: Callable[[str], str], text: str) -> str:
    return " ".join(map(change, text.split(" ")))


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _spaced(word: str) -> str:
    return " ".join(word) if word.isalpha() and len(word) >= _LONG_ENOUGH_FOR_A_SLIP else word


def _repeated(word: str) -> str:
    """Say the last vowel three times, as people do who draw a word out."""
    place = max(map(word.rfind, "aeiou"))
    return word[:place] + word[place] * 3 + word[place + 1 :] if place > 0 else word


def _slipped(word: str) -> str:
    """Two letters in the middle change places."""
    if not word.isalpha() or len(word) < _LONG_ENOUGH_FOR_A_SLIP:
        return word
    middle = len(word) // 2
    return word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :]


def _without_apostrophes(text: str) -> str:
    return text.replace("'", "").replace("’", "")


ALWAYS: Mapping[str, Transform] = {
    "capitals": str.upper,
    "wide letters": _wide,
    "look-alike letters": lambda text: text.translate(_LOOK_ALIKE),
    "accents": lambda text: text.translate(_ACCENTED),
    "invisible letters": "\u200b".join,
    "smart apostrophes": lambda text: text.replace("'", "’"),
    "no apostrophes": _without_apostrophes,
}
"""None of these can be told from the plain text, so every example has to hold, of both kinds."""

MOSTLY: Mapping[str, Transform] = {
    "leet": lambda text: text.lower().translate(_LEET),
    "repeated letters": partial(_every_word, _repeated),
    "spaced letters": partial(_every_word, _spaced),
    "slips of the hand": partial(_every_word, _slipped),
}
"""What these leave has to be guessed, so some examples may be lost; how many is reported."""
