"""The short way of writing many phrases: `(kill|end)+ my(self|own life)` stands for each choice in every inflection."""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from keyhouse.core.matching.inflections import inflected

MOST_PHRASES = 4000
_PLAIN = re.compile(r"[^\s()|+]+(?: [^\s()|+]+)*")
_MARKS = re.compile(r"([()|])")


class PhraseFault(ValueError):
    """A phrase cannot be read; the message says why."""


def expand(written: str) -> tuple[str, ...]:
    """All phrases that one written phrase stands for.

    (a|b) is a choice, (a|) may be left out, both may nest. A + behind a word, or behind a choice of words, stands for
    all inflections: "cut+" is cut, cuts, cutting.
    """
    if _PLAIN.fullmatch(written):
        return (written,)
    if "(" in written or ")" in written:
        phrases, rest = _choices([piece for piece in _MARKS.split(written) if piece], 0, written, nested=False)
        if rest:
            raise PhraseFault(f'"{written}" has a ")" without a "("; close what was opened')
    else:
        phrases = [written]
    cleaned = tuple(dict.fromkeys(" ".join(phrase.split()) for phrase in phrases))
    if any(not phrase for phrase in cleaned):
        raise PhraseFault(f'"{written}" can be empty; an empty phrase would be found everywhere')
    if "+" not in written:
        return cleaned
    return tuple(dict.fromkeys(form for phrase in cleaned for form in _all_forms(phrase, written)))


def _choices(pieces: Sequence[str], place: int, written: str, *, nested: bool) -> tuple[list[str], int]:
    """Read alternatives up to the bracket that closes them; returns them and the place after, 0 at the end."""
    all_choices: list[str] = []
    parts: list[list[str]] = []
    while place < len(pieces):
        piece = pieces[place]
        if piece == "(":
            inner, place = _choices(pieces, place + 1, written, nested=True)
            if not place:
                raise PhraseFault(f'"{written}" opens a "(" that is never closed')
            parts.append(inner)
        elif piece == ")":
            return [*all_choices, *_joined(parts, written)], place + 1
        elif piece == "|" and nested:
            all_choices.extend(_joined(parts, written))
            parts = []
            place += 1
        else:
            parts.append([piece])
            place += 1
    return [*all_choices, *_joined(parts, written)], 0


def _joined(parts: list[list[str]], written: str) -> list[str]:
    total = 1
    for part in parts:
        total *= len(part)
        if total > MOST_PHRASES:
            raise PhraseFault(f'"{written}" stands for more than {MOST_PHRASES} phrases; split it')
    return ["".join(choice) for choice in product(*parts)]


def _all_forms(phrase: str, written: str) -> Iterator[str]:
    if "+" not in phrase:
        yield phrase
        return
    words = [inflected(word[:-1]) if word.endswith("+") and len(word) > 1 else (word,) for word in phrase.split()]
    yield from _joined([list(forms) for forms in _spaced(words)], written)


def _spaced(words: Sequence[tuple[str, ...]]) -> Iterator[Sequence[str]]:
    for place, forms in enumerate(words):
        if place:
            yield (" ",)
        yield forms
