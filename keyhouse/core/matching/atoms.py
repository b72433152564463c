"""Words and phrases of the lexicon, found in one walk along a text."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

# More words than any lexicon has.
_BITS_OF_A_NUMBER = 24


class Atom(NamedTuple):
    """A stretch of tokens that fills a slot; sorts in the order of the text. first, last: its tokens."""

    first: int
    last: int


class Filled:
    """The slots that one phrase fills. bits: the same as a number, to see quickly which slots a text fills at all."""

    __slots__ = ("bits", "slots")

    def __init__(self, slots: tuple[str, ...], bits: int) -> None:
        self.slots, self.bits = slots, bits


Found = tuple[int, int, Filled]
"""First and last token of a phrase, and what it fills."""


class PhraseIndex:
    """Phrases of all slots as a tree of words, numbered. Built once, then only read.

    A walk from each word is linear in the text and does not notice how many phrases there are (decision 0012).
    The tree is a few tables of numbers: as objects it would take four times the memory, and Python's garbage
    collector would walk through all of it, which stopped a message for 45 ms.
    """

    def __init__(self, slots: Mapping[str, Iterable[tuple[str, ...]]]) -> None:
        self.bit = {slot: 1 << place for place, slot in enumerate(slots)}
        self._numbers: dict[str, int] = {}
        self._begin: dict[str, int] = {}
        self._following: dict[int, int] = {}
        self._goes_on = bytearray(1)
        self._fills: list[Filled | None] = [None]
        self._shared: dict[tuple[str, ...], Filled] = {}
        for slot, phrases in slots.items():
            for words in phrases:
                if words:
                    self._add(slot, words)

    def found_in(self, tokens: Sequence[str]) -> list[Found]:
        """Every phrase that stands in a row of words, by its first word."""
        found: list[Found] = []
        begin, fills, goes_on, following = self._begin.get, self._fills, self._goes_on, self._following.get
        numbers = list(map(self._numbers.get, tokens, repeat(0)))
        end = len(tokens)
        for first, word in enumerate(tokens):
            place = begin(word)
            last = first
            while place is not None:
                filled = fills[place]
                if filled is not None:
                    found.append((first, last, filled))
                last += 1
                if not goes_on[place] or last == end:
                    break
                place = following(place << _BITS_OF_A_NUMBER | numbers[last])
        return found

    def is_phrase(self, words: Sequence[str]) -> bool:
        """Say whether these words in a row are one phrase."""
        return any(last - first == len(words) - 1 for first, last, _ in self.found_in(words))

    def _add(self, slot: str, words: tuple[str, ...]) -> None:
        numbers, following = self._numbers, self._following
        place = self._begin.get(words[0])
        if place is None:
            place = self._begin[words[0]] = self._new_place()
        for word in words[1:]:
            step = place << _BITS_OF_A_NUMBER | (numbers.get(word) or numbers.setdefault(word, len(numbers) + 1))
            self._goes_on[place] = True
            place = following.get(step)
            if place is None:
                place = following[step] = self._new_place()
        filled = self._fills[place]
        slots = filled.slots if filled else ()
        self._fills[place] = self._filled(slots if slot in slots else (*slots, slot))

    def _new_place(self) -> int:
        self._goes_on.append(False)
        self._fills.append(None)
        return len(self._fills) - 1

    def _filled(self, slots: tuple[str, ...]) -> Filled:
        """A hundred thousand phrases fill the same few slots: what they fill is kept once."""
        known = self._shared.get(slots)
        if known is None:
            known = self._shared[slots] = Filled(slots, self.bits(slots))
        return known

    def bits(self, slots: Iterable[str]) -> int:
        """Return the number that stands for these slots."""
        bits = 0
        for slot in slots:
            bits |= self.bit[slot]
        return bits
