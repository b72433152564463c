"""The same message read in other ways: each a row of words in which what looks disguised stands as it was meant."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property

from keyhouse.core.matching.confusables import NAME_OF_EMOJI
from keyhouse.core.matching.folding import exact
from keyhouse.core.matching.spelling import MOST_GUESSES, Guess, Spelling
from keyhouse.core.matching.words import SENTENCE_END, Words, positions_of

_ANY_SIGN = re.compile(r"[0-9@$!|+€*]")
_LEET_HINT = re.compile(r"[a-z][0-9@$|+€*]|[0-9@$|+€][a-z]|[a-z]!+[a-z]")
_LEET_PIECE = re.compile(r"(?:[^\W_]|[@$!|+€*])+")
_SIGN = re.compile(r"[0-9@$!|+€*]")
_LETTER = re.compile(r"[^\W\d_]")
_LONGEST_LEET_PIECE = 60
# Single letters with the same thing between each two of them.
_SPACED = re.compile(
    r"(?<![^\W_])[^\W_](?P<gap>[^\w\n]{1,3}|_)[^\W_](?![^\W_])(?:(?P=gap)[^\W_](?![^\W_]))+",
)
_FEWEST_SPACED = 3
_SHORTEST_PIECED_TOGETHER = 4
# Somebody who writes in another language has many; looking at more would let one message take too long.
MOST_STRANGE = 300
_MOST_STARRED = 30
# In words. Of a text that is longer only the likeliest guesses are tried.
_LONG = 600

_Place = tuple[int, tuple[Guess, ...]]
"""The last token that a guess stands for, and the guesses."""


class Row:
    """A text with words guessed in place of some of its tokens. Places are those of the tokens guessed at."""

    def __init__(self, words: Words, guessed: Sequence[tuple[int, int, Guess]]) -> None:
        """guessed: first and last token and what stands in their place, in order, none overlapping."""
        self._words, self._guessed = words, guessed
        self.tokens: list[str] = []
        done = 0
        for first, last, guess in guessed:
            self.tokens += words.tokens[done:first]
            self.tokens += guess
            done = last + 1
        self.tokens += words.tokens[done:]

    def place_of(self, token: int) -> int:
        """Where a token of the text stands in the row; for one that was guessed at, where the guess begins."""
        shift = 0
        for first, last, guess in self._guessed:
            if first >= token:
                break
            if last >= token:
                return first + shift
            shift += len(guess) - (last - first + 1)
        return token + shift

    @cached_property
    def places(self) -> Sequence[tuple[int, int]]:
        """For each token its half-open place in the original."""
        plain = self._words.places
        places: list[tuple[int, int]] = []
        done = 0
        for first, last, guess in self._guessed:
            places += plain[done:first]
            places += [(plain[first][0], plain[last][1])] * len(guess)
            done = last + 1
        return [*places, *plain[done:]]

    @cached_property
    def positions(self) -> Sequence[int]:
        """For each token its place counted in words, wider across a sentence's end."""
        return positions_of(self.tokens)

    def count(self) -> int:
        """How many words there are, sentence ends not counted."""
        return len(self.tokens) - self.tokens.count(SENTENCE_END)


def rows_of(words: Words, spelling: Spelling) -> tuple[list[Row], bool]:
    """Every other way to read a text, likeliest first, and whether all of the text could be looked at.

    Empty when nothing in it looks disguised.
    """
    strange = spelling.strange(words.tokens)
    places: dict[int, _Place] = {}
    taken: set[int] = set()
    for first, last, guesses in _guessed(words, strange, spelling):
        if guesses and taken.isdisjoint(range(first, last + 1)):
            taken.update(range(first, last + 1))
            places[first] = (last, guesses)
    most = max((len(guesses) for _, guesses in places.values()), default=0)
    if len(words.tokens) > _LONG:
        most = min(most, 1)
    return [_row(words, places, choice) for choice in range(most)], len(strange) <= MOST_STRANGE


def _row(words: Words, places: dict[int, _Place], choice: int) -> Row:
    """The row in which each guess is the one of this number, or the last that there is."""
    return Row(
        words,
        [(first, last, guesses[min(choice, len(guesses) - 1)]) for first, (last, guesses) in sorted(places.items())],
    )


def _guessed(words: Words, strange: set[str], spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    """First and last token, and what they may stand for; what comes first wins where two overlap."""
    if _ANY_SIGN.search(words.folded) and _LEET_HINT.search(words.folded):
        yield from _unleeted(words, spelling)
    if list(map(len, words.tokens)).count(1) - words.tokens.count(SENTENCE_END) >= _FEWEST_SPACED:
        yield from _unspaced(words, spelling)
    if not words.text.isascii():
        yield from _named(words, spelling)
        if spelling.accented:
            yield from _accented(words, spelling)
    if strange:
        yield from _respelled(words, strange, spelling)


def _unleeted(words: Words, spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    pieces = [(_bare(match.group()), *match.span()) for match in _LEET_PIECE.finditer(words.folded)]
    mixed = [piece for piece in pieces if _SIGN.search(piece[0]) and _LETTER.search(piece[0])]
    # Where several words are disguised, a "2" or an "@" alone may be one too.
    signs = [piece for piece in pieces if len(mixed) > 1 and piece[0] and not _LETTER.search(piece[0])]
    remembered: dict[str, tuple[Guess, ...]] = {}
    starred = 0
    for piece, start, end in (*mixed, *signs):
        if piece not in remembered and len(remembered) < MOST_STRANGE and len(piece) <= _LONGEST_LEET_PIECE:
            starred += "*" in piece
            guessable = not spelling.knows(piece) and ("*" not in piece or starred <= _MOST_STARRED)
            remembered[piece] = spelling.unleeted(piece) if guessable else ()
        yield from _standing(words, start, end, remembered.get(piece, ()))


def _bare(piece: str) -> str:
    """Without what emphasis leaves around a word; an exclamation mark alone may be an i."""
    return piece.lstrip("*|").rstrip("!*") or piece[:1]


def _unspaced(words: Words, spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    for match in _SPACED.finditer(words.folded):
        letters = "".join(letter for letter in match.group() if letter.isalnum())
        together = (
            spelling.apart(letters) or spelling.unleeted(letters) or [(word,) for word in spelling.typos(letters)]
        )
        yield from _standing(words, match.start(), match.end(), tuple(together[:MOST_GUESSES]))


def _standing(
    words: Words, start: int, end: int, guesses: tuple[Guess, ...]
) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    """Find the tokens that a stretch of the folded text covers."""
    first = bisect_right(words.folded_places, (start, end)) - 1
    if first < 0 or words.folded_places[first][1] <= start:
        first += 1
    last = bisect_left(words.folded_places, (end,)) - 1
    if guesses and first <= last:
        yield first, last, guesses


def _named(words: Words, spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    """An emoji stands for itself and for the word that it is called by."""
    for place, token in enumerate(words.tokens):
        name = NAME_OF_EMOJI.get(token)
        if name is not None and spelling.knows(name):
            yield place, place, ((name,),)


def _accented(words: Words, spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    for place, (start, end) in enumerate(words.places):
        written = exact(words.text[start:end])
        if written in spelling.accented:
            yield place, place, ((written,),)


def _respelled(words: Words, strange: set[str], spelling: Spelling) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    remembered: dict[str, tuple[Guess, ...]] = {}
    for place, token in enumerate(words.tokens):
        if token not in strange:
            continue
        yield from _pieced_together(words.tokens, place, spelling)
        if token not in remembered and len(remembered) < MOST_STRANGE:
            remembered[token] = spelling.guesses(token)
        yield place, place, remembered.get(token, ())


def _pieced_together(
    tokens: Sequence[str], place: int, spelling: Spelling
) -> Iterator[tuple[int, int, tuple[Guess, ...]]]:
    """A word that a space or a hyphen broke ("sui cidal"): the strange piece with one or two of its neighbours."""
    for first, last in ((place, place + 1), (place - 1, place), (place, place + 2), (place - 1, place + 1)):
        if first >= 0 and last < len(tokens) - 1:
            whole = "".join(tokens[first : last + 1])
            if len(whole) >= _SHORTEST_PIECED_TOGETHER and spelling.knows(whole):
                yield first, last, ((whole,),)
