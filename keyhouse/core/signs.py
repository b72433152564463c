"""One sign, as people react by it where only the house writes: it shows something and spells nothing."""

import re
import unicodedata

MOST_JOINED = 4
"""A family is four people, and no sign of Unicode's own joins more."""

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_JOINER = "\u200d"
_SKIN_AND_STYLE = "\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"
_SPELLS = re.compile("LETTER|BRAILLE")


def is_one_sign(key: str) -> bool:
    """Say whether this is a single sign: a drawing, a mark, a flag, one key of a telephone.

    Two signs are none: a row of flags, keys or letters in black circles spells a name or a number.
    """
    if _FLAG.fullmatch(key) or _KEYCAP.fullmatch(key):
        return True
    parts = key.split(_JOINER)
    return len(parts) <= MOST_JOINED and all(_is_drawing(part.rstrip(_SKIN_AND_STYLE)) for part in parts)


def _is_drawing(sign: str) -> bool:
    if len(sign) != 1 or _SPELLS.search(unicodedata.name(sign, "")):
        return False
    # Letters in white circles and squares have a drawing's category; what they stand for shows when they are folded.
    return all(unicodedata.category(folded)[0] in "SP" for folded in unicodedata.normalize("NFKC", sign))
