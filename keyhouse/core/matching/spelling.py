"""What a word that nobody spells like this may have been meant to be: typos, leet, stars, repeats, words run together.

Only words of the lexicon are guessed, and nothing is guessed for a word that English has.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import groupby
from typing import TypeVar

from keyhouse.core.matching.commonness import is_common
from keyhouse.core.matching.confusables import LETTER_FOR_LEET

Guess = tuple[str, ...]
"""The words that one token, or a few in a row, may stand for."""

MOST_GUESSES = 3
_Key = TypeVar("_Key")
_DOUBLE = re.compile(r"(.)\1")
# A shorter word has too many neighbours to be guessed from a slip of the hand; one that lacks a letter may be shorter.
_SHORTEST_TYPO, _SHORTEST_THAT_LACKS = 4, 3
_OF_ONE_LETTER = "aiu"
_ANY_SLIP_FROM = 6
_SHORTEST_RUN_TOGETHER = 5
_LONGEST_RUN_TOGETHER = 400
_LONGEST_WORD = 16
_LONGEST_TYPO = 20
_FEWEST_LETTERS_BESIDE_STARS = 2
_TWO_LETTERS = """
    am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we uk tv vs pm dr mr ms st nd rd th
    ad ah aw ax ed eh er et ex ha ho id ie im ive la lo ma mm mo mum na nah ooh ox pa re sh ta ur um xx xo ya ye yo
"""
_SHORT_WORDS = frozenset(_TWO_LETTERS.split())


def skeleton(word: str) -> str:
    """Reduce a folded word to what leet spelling and repeated letters leave of it ("k1llll" and "kill" meet)."""
    reduced = word.translate(LETTER_FOR_LEET).replace("l", "i")
    return "".join(letter for letter, _ in groupby(reduced)) if _DOUBLE.search(reduced) else reduced


class Spelling:
    """The words that can be guessed. Built once with a lexicon, then only read."""

    def __init__(
        self, vocabulary: Set[str], english: Set[str] = frozenset(), is_phrase: Callable[[Guess], bool] | None = None
    ) -> None:
        """vocabulary: every word of the lexicon.  english: words that are right as they are; never guessed away.

        is_phrase: says of words whether the lexicon has them in this row; without it none is.
        """
        self._vocabulary = vocabulary
        self._english = english
        self._is_phrase = is_phrase or (lambda _: False)
        self.accented = frozenset(word for word in self._vocabulary if not word.isascii() and word.isalpha())
        plain = sorted(word for word in vocabulary if word.isascii() and (len(word) >= 2 or word in _OF_ONE_LETTER))
        self._by_skeleton = _filed((skeleton(word), word) for word in plain)
        self._by_length = {
            length: f" {words} " for length, words in _filed((len(word), word) for word in plain).items()
        }
        self._shortened = _filed(
            (shorter, word)
            for word in plain
            if _SHORTEST_TYPO <= len(word) <= _LONGEST_TYPO and word.isalpha()
            for shorter in set(_with_one_letter_less(word))
        )

    def strange(self, tokens: Iterable[str]) -> set[str]:
        """The words among these that neither the lexicon nor English has; numbers and sentence ends are not strange."""
        unknown = set(tokens) - self._vocabulary - self._english - _SHORT_WORDS
        return {token for token in unknown if len(token) > 1 and token.isalpha() and not self._is_possessive(token)}

    def knows(self, word: str) -> bool:
        """Say whether the lexicon has this word."""
        return word in self._vocabulary

    def guesses(self, token: str) -> tuple[Guess, ...]:
        """What a strange word may stand for, likeliest first; empty when nothing comes to mind."""
        if not token.isascii():
            return ()
        found = list(dict.fromkeys([*self._unrepeated(token), *self.typos(token)]))
        if found or len(token) < _SHORTEST_RUN_TOGETHER:
            return tuple([(word,) for word in found[:MOST_GUESSES]])
        return tuple(self.apart(token))

    def unleeted(self, piece: str) -> tuple[Guess, ...]:
        """What a word with digits or signs in it may stand for: "k1ll", "su*cide"."""
        words = self._unstarred(piece) if "*" in piece else self._by_skeleton.get(skeleton(piece), "").split()
        return tuple((word,) for word in sorted(words, key=lambda word: abs(len(word) - len(piece)))[:MOST_GUESSES])

    def typos(self, token: str) -> list[str]:
        """The words that one slip of the hand makes this: a letter more, less, another, or two changed places."""
        if not _SHORTEST_THAT_LACKS <= len(token) <= _LONGEST_TYPO:
            return []
        found = self._shortened.get(token, "").split()
        for shorter in _with_one_letter_less(token) if len(token) >= _SHORTEST_TYPO else ():
            if shorter in self._vocabulary and len(shorter) >= _SHORTEST_TYPO:
                found.append(shorter)
            alike = self._shortened.get(shorter)
            if alike is not None:
                found += [word for word in alike.split() if len(word) == len(token) and _is_one_slip(word, token)]
        return [word for word in dict.fromkeys(found) if len(word) >= _ANY_SLIP_FROM or word[0] == token[0]]

    def apart(self, letters: str) -> list[Guess]:
        """Words run together, taken apart where nothing is left over; empty when that cannot be done."""
        if len(letters) > _LONGEST_RUN_TOGETHER or letters in self._english:
            return []
        if letters in self._vocabulary:
            return [(letters,)]
        # For each end that can be reached the cheapest way there: its cost, and where its last word begins.
        best: dict[int, tuple[int, int]] = {0: (0, 0)}
        for start in range(len(letters)):
            before = best.get(start)
            if before is not None:
                for end in range(start + 1, min(start + _LONGEST_WORD, len(letters)) + 1):
                    cost = self._cost(letters[start:end])
                    if cost and (end not in best or before[0] + cost < best[end][0]):
                        best[end] = before[0] + cost, start
        if len(letters) not in best:
            return []
        words = tuple(reversed(list(_walked_back(letters, best))))
        return [words] if self._is_likely(words) else []

    def _is_likely(self, words: Guess) -> bool:
        """ "Deadpool" is a name; a sentence holds a small word, or is a phrase of the lexicon."""
        return len(words) > 3 or any(is_common(word) for word in words) or self._is_phrase(words)

    def _is_possessive(self, token: str) -> bool:
        """ "that's" and "women's" have lost their apostrophe."""
        return token[-1] == "s" and (token[:-1] in self._english or token[:-1] in self._vocabulary)

    def _cost(self, word: str) -> int:
        """What a word costs where letters are taken apart: words of the lexicon are likeliest; 0 means it is none."""
        if len(word) == 1:
            return 3 if word in _OF_ONE_LETTER else 0
        if word in self._vocabulary:
            return 2
        return 3 if len(word) > 3 and word in self._english else 0

    def _unrepeated(self, token: str) -> list[str]:
        if not _DOUBLE.search(token):
            return []
        runs = _runs(token)
        alike = self._by_skeleton.get(skeleton(token), "").split()
        return sorted((word for word in alike if _shrinks_to(runs, _runs(word))), key=len, reverse=True)

    def _unstarred(self, piece: str) -> list[str]:
        bare = piece.replace("*", "")
        if bare in self._vocabulary:
            return [bare]
        if len(bare) < _FEWEST_LETTERS_BESIDE_STARS:
            return []
        hidden = re.escape(piece).replace(r"\*", "[a-z]")
        return re.findall(f"(?<= ){hidden}(?= )", self._by_length.get(len(piece), ""))


def _filed(pairs: Iterable[tuple[_Key, str]]) -> dict[_Key, str]:
    """Words by key; those that share one stand in one string, parted by spaces, in half the memory of lists."""
    index: dict[_Key, str] = {}
    for key, word in pairs:
        index[key] = f"{index[key]} {word}" if key in index else word
    return index


def _with_one_letter_less(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


def _is_one_slip(word: str, token: str) -> bool:
    """Of two words of one length: whether two neighbours changed places or, in a long word, one letter is another."""
    different = [place for place, (one, other) in enumerate(zip(word, token, strict=True)) if one != other]
    if len(different) == 1:
        return len(word) >= _ANY_SLIP_FROM
    if len(different) != 2 or different[1] != different[0] + 1:
        return False
    first, second = different
    return word[first] == token[second] and word[second] == token[first]


def _runs(word: str) -> list[tuple[str, int]]:
    return [(letter, sum(1 for _ in same)) for letter, same in groupby(word)]


def _shrinks_to(long: list[tuple[str, int]], short: list[tuple[str, int]]) -> bool:
    return len(long) == len(short) and all(
        one == other and many >= few for (one, many), (other, few) in zip(long, short, strict=True)
    )


def _walked_back(letters: str, best: Mapping[int, tuple[int, int]]) -> Iterator[str]:
    end = len(letters)
    while end:
        start = best[end][1]
        yield letters[start:end]
        end = start
