"""The regular forms of an English verb or noun, and the one that people type without its last letter."""

import re

_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"
# One syllable that ends in one vowel and one consonant doubles it: cut, cutting.
_DOUBLES = re.compile(r"(?:[^aeiou]|qu)*[aeiou][^aeiouwxy]")


def inflected(word: str) -> tuple[str, ...]:
    """Return the word with its forms in -s, -ing, -in and -ed; irregular forms are written out in the lexicon."""
    stem = _stem(word)
    return tuple(dict.fromkeys((word, _with_s(word), f"{stem}ing", f"{stem}in", _with_ed(word))))


def _with_s(word: str) -> str:
    if word.endswith(_HISSING):
        return f"{word}es"
    return f"{word[:-1]}ies" if _ends_in_consonant_and_y(word) else f"{word}s"


def _with_ed(word: str) -> str:
    if word.endswith("e"):
        return f"{word}d"
    return f"{word[:-1]}ied" if _ends_in_consonant_and_y(word) else f"{_doubled(word)}ed"


def _stem(word: str) -> str:
    """What -ing follows."""
    if word.endswith("ie"):
        return f"{word[:-2]}y"
    if word.endswith("e") and not word.endswith(("ee", "oe", "ye")):
        return word[:-1]
    return _doubled(word)


def _doubled(word: str) -> str:
    return word + word[-1] if _DOUBLES.fullmatch(word) else word


def _ends_in_consonant_and_y(word: str) -> bool:
    return len(word) > 1 and word.endswith("y") and word[-2] not in _VOWELS
