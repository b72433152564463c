"""The same message read in several ways, each way knowing where its letters stand in the original."""

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, repeat
from typing import NamedTuple

from keyhouse.core.matching.confusables import APOSTROPHES, LETTER_FOR_LEET, LETTER_FOR_LOOK_ALIKE

# How far apart the words on either side of a sentence's end count, so that rules rarely reach across.
SENTENCE_END_COSTS = 4
SENTENCE_END = "."

_PLAIN_RUNS = re.compile(r"[\t\n\r\x20-\x7e]+|[^\t\n\r\x20-\x7e]")
_EMOJI = "\u2190-\u2bff\u3030-\u303d\U0001f000-\U0001faff"
_TOKENS = re.compile(rf"[^\W_]+(?:['`][^\W_]+)*|[.!?;]+|\n+|[{_EMOJI}]")
_LEET_TOKENS = re.compile(rf"(?:[^\W_]|[@$!|+€])+(?:['`][^\W_]+)*|[.?;]+|\n+|[{_EMOJI}]")
_SIMPLE_PHRASE = re.compile(r"[a-z0-9](?:[a-z0-9 ]|'(?=[a-z]))*")
_STOPS = frozenset(".!?;\n")
_MIXED = re.compile(r"(?=.*[^\W\d_])(?=.*[0-9@$!|+€])", re.DOTALL)
_LONG_REPEAT = re.compile(r"([^\W\d_])\1\1")
_REPEAT = re.compile(r"(.)\1+")
_INVISIBLE_KINDS = frozenset({"Mn", "Me", "Cf", "Cs", "Co", "Cn", "Sk"})
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_SHORTEST_SPACED_WORD = 3
_LONGEST_SPACE = 3
_LONGEST_LEET_TOKEN = 60


class Token(NamedTuple):
    """One word, emoji or sentence end ("."), with its half-open place in the original."""

    text: str
    start: int
    end: int


# Calling Token takes four times as long, and a long message has thousands.
_token: Callable[[tuple[str, int, int]], Token] = partial(tuple.__new__, Token)


@dataclass(frozen=True, slots=True)
class View:
    """Tokens in one spelling, joined by single spaces; only tokens counted in `altered` differ from the plain view.

    text begins and ends with a space.  starts: where each token begins in text.
    altered: how many altered tokens stand before each place; one longer than tokens.
    """

    tokens: tuple[Token, ...]
    text: str
    starts: Sequence[int]
    altered: Sequence[int]


@dataclass(frozen=True, slots=True)
class Views:
    """All readings of one text.

    positions: for each token of words its place counted in words, wider across a sentence's end.
    runs: stretches of single letters, each the joined letters and the index in words of the first and the last.
    """

    words: View
    skeleton: View | None
    joined: View | None
    runs: tuple[tuple[str, int, int], ...]
    positions: Sequence[int]


def fold(text: str) -> tuple[str, Sequence[int]]:
    """Fold case, width, accents, look-alikes and invisible letters; also say where each letter came from."""
    pieces: list[str] = []
    origins = array("l")
    for match in _PLAIN_RUNS.finditer(text):
        piece = match.group()
        if piece.isascii() and (len(piece) > 1 or " " <= piece <= "~" or piece in "\t\n\r"):
            pieces.append(piece.lower())
            origins.extend(range(match.start(), match.end()))
        else:
            folded = _fold_letter(piece)
            pieces.append(folded)
            origins.extend([match.start()] * len(folded))
    return "".join(pieces), origins


@lru_cache(maxsize=8192)
def skeleton(word: str) -> str:
    """Reduce a folded word to what leet spelling and repeated letters leave of it ("k1llll" and "kill" meet)."""
    return _REPEAT.sub(r"\1", word.translate(LETTER_FOR_LEET).replace("l", "i"))


def spelled(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as the plain view spells them."""
    if _SIMPLE_PHRASE.fullmatch(phrase):
        return tuple(phrase.replace("'", "").split())
    folded, origins = fold(phrase)
    return tuple(token.text for token in _tokens(folded, origins, _TOKENS))


def views_of(text: str) -> Views:
    """Read a text in every way we know. Takes any string and time in proportion to its length."""
    folded, origins = fold(text)
    words = _tokens(folded, origins, _TOKENS)
    words.append(Token(SENTENCE_END, len(text), len(text)))
    spaced = _spaced_runs(words, text)
    return Views(
        words=_view(words, repeat(True, len(words))),
        skeleton=_skeleton_view(folded, origins),
        joined=_joined_view(words, spaced),
        runs=tuple(("".join(token.text for token in words[a : b + 1]), a, b) for a, b in spaced),
        positions=_positions(words),
    )


@lru_cache(maxsize=8192)
def _fold_letter(letter: str) -> str:
    if letter in APOSTROPHES:
        return "'"
    if letter.isspace():
        return " "
    if letter in LETTER_FOR_LOOK_ALIKE:
        return LETTER_FOR_LOOK_ALIKE[letter]
    if letter in _INVISIBLE_LETTERS or unicodedata.category(letter) in _INVISIBLE_KINDS | {"Cc"}:
        return ""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
    return "".join(
        LETTER_FOR_LOOK_ALIKE.get(part, part) for part in folded if unicodedata.category(part) not in _INVISIBLE_KINDS
    )


def _tokens(folded: str, origins: Sequence[int], pattern: re.Pattern[str]) -> list[Token]:
    tokens = []
    for match in pattern.finditer(folded):
        start, end = match.span()
        word = match.group()
        if word[0] in _STOPS and not word[-1].isalnum():
            if word[0] != "\n" and end < len(folded) and not folded[end].isspace():
                continue
            word = SENTENCE_END
        elif "'" in word or "`" in word:
            word = word.replace("'", "").replace("`", "")
        tokens.append(_token((word, origins[start], origins[end - 1] + 1)))
    return tokens


def _view(tokens: Sequence[Token], altered: Iterable[bool]) -> View:
    return View(
        tokens=tuple(tokens),
        text=f" {' '.join([token.text for token in tokens])} ",
        starts=array("l", accumulate([len(token.text) + 1 for token in tokens], initial=1)),
        altered=array("l", accumulate(altered, initial=0)),
    )


def _positions(words: Sequence[Token]) -> Sequence[int]:
    steps = [SENTENCE_END_COSTS if token.text == SENTENCE_END else 1 for token in words[:-1]]
    return array("l", accumulate(steps, initial=0))


def _skeleton_view(folded: str, origins: Sequence[int]) -> View | None:
    if not _LONG_REPEAT.search(folded) and not any(letter in folded for letter in "013457@$!|+€"):
        return None
    written = [(text.rstrip("!"), start, end) for text, start, end in _tokens(folded, origins, _LEET_TOKENS)]
    disguised = [_is_disguised(text) for text, _, _ in written]
    if not any(disguised):
        return None
    return _view([_token((skeleton(text), start, end)) for text, start, end in written], disguised)


def _is_disguised(word: str) -> bool:
    if _LONG_REPEAT.search(word):
        return True
    return len(word) <= _LONGEST_LEET_TOKEN and _MIXED.match(word) is not None


def _spaced_runs(words: Sequence[Token], text: str) -> list[tuple[int, int]]:
    """First and last of each stretch of single letters, which goes on while the same thing stands between them."""
    letters = [len(word) == 1 and word.isalnum() for word, _, _ in words]
    runs = []
    first = 0
    while first + 1 < len(words):
        last = first
        if letters[first] and letters[first + 1]:
            gap = _between(words, first, text)
            while len(gap) <= _LONGEST_SPACE and letters[last + 1] and _between(words, last, text) == gap:
                last += 1
        if last - first + 1 >= _SHORTEST_SPACED_WORD:
            runs.append((first, last))
        first = last + 1
    return runs


def _between(words: Sequence[Token], place: int, text: str) -> str:
    return text[words[place].end : words[place + 1].start]


def _joined_view(words: Sequence[Token], spaced: Sequence[tuple[int, int]]) -> View | None:
    if not spaced:
        return None
    joined: list[Token] = []
    done = 0
    for first, last in spaced:
        joined.extend(words[done:first])
        letters = "".join(token.text for token in words[first : last + 1])
        joined.append(Token(letters, words[first].start, words[last].end))
        done = last + 1
    joined.extend(words[done:])
    starts = {words[first].start for first, _ in spaced}
    return _view(joined, (token.start in starts for token in joined))
