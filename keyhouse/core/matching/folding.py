"""A text in one spelling: case, width, accents, look-alikes, invisible letters and simple tags make no difference."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain, repeat

from keyhouse.core.matching.confusables import APOSTROPHES, LETTER_FOR_LOOK_ALIKE

_INVISIBLE_KINDS = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Sk"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_MOST_REMEMBERED = 20_000
_PLAIN = re.compile(r"[\t\n\r\x20-\x26\x28-\x5f\x61-\x7e]*")
_TAG = re.compile(r"</?(?:b|i|u|s|em|strong|span|font|del|sup|sub|code|mark|a)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)


class _Folds(dict[str, str]):
    """What each letter folds to, worked out when it is first seen."""

    def __missing__(self, letter: str) -> str:
        folded = _fold_letter(letter)
        if len(self) < _MOST_REMEMBERED:
            self[letter] = folded
        return folded


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Return the text in one spelling; `origins` says where its letters came from."""
    text = _without_tags(text)
    return text.lower() if _PLAIN.fullmatch(text) else "".join(map(_FOLDS.__getitem__, text))


def origins(text: str) -> Sequence[int]:
    """For each letter of the folded text the place in the original that it came from."""
    text = _without_tags(text)
    if _PLAIN.fullmatch(text):
        return range(len(text))
    lengths = [len(_FOLDS[letter]) for letter in text]
    return list(chain.from_iterable(map(repeat, range(len(text)), lengths)))


def exact(text: str) -> str:
    """Return a text with its accents, which tell words of other languages apart; case alone makes no difference."""
    return unicodedata.normalize("NFC", text).lower()


def _without_tags(text: str) -> str:
    """Make tags that stand inside a word invisible, each letter in its place, so that every offset stays."""
    if "<" not in text:
        return text
    return _TAG.sub(lambda tag: "\u200b" * len(tag.group()), text)


def _fold_letter(letter: str) -> str:
    if letter in APOSTROPHES:
        return ""
    if letter.isspace():
        return letter if letter in "\t\n\r" else " "
    if letter in LETTER_FOR_LOOK_ALIKE:
        return LETTER_FOR_LOOK_ALIKE[letter]
    if letter in _INVISIBLE_LETTERS or unicodedata.category(letter) in _INVISIBLE_KINDS | {"Cc"}:
        return ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
    return "".join(
        LETTER_FOR_LOOK_ALIKE.get(part, part) for part in folded if unicodedata.category(part) not in _INVISIBLE_KINDS
    )
