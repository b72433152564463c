"""Words and phrases of the lexicon, found in a text in one pass over each of its views."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import ahocorasick

from keyhouse.core.matching.views import SENTENCE_END, View, Views, skeleton

_SHORTEST_IN_A_RUN = 3
_SHORTEST_RUN_TOGETHER = 8


class Atom(NamedTuple):
    """A phrase found; sorts in the order of the text.

    first, last: the tokens of the plain view that it covers.  start, end: half-open, in the original.
    slots: all that it fills.
    """

    first: int
    last: int
    start: int
    end: int
    slots: tuple[str, ...]


# How many tokens (in a run: letters) a pattern covers, and the slots that it fills.
_Filled = tuple[int, tuple[str, ...]]

# A long message has tens of thousands of atoms: this makes one four times as fast as calling Atom does.
_atom: Callable[[tuple[int, int, int, int, tuple[str, ...]]], Atom] = partial(tuple.__new__, Atom)


class PhraseIndex:
    """Phrases of all slots, ready to be found in every view. Built once, then only read."""

    def __init__(self, slots: Mapping[str, frozenset[tuple[str, ...]]]) -> None:
        plain: dict[str, set[tuple[str, int]]] = {}
        reduced: dict[str, set[tuple[str, int]]] = {}
        bare: dict[str, set[tuple[str, int]]] = {}
        for slot, phrases in slots.items():
            for words in phrases:
                together = "".join(words)
                plain.setdefault(f" {' '.join(words)} ", set()).add((slot, len(words)))
                reduced.setdefault(f" {' '.join(map(skeleton, words))} ", set()).add((slot, len(words)))
                if len(words) > 1 and len(together) >= _SHORTEST_RUN_TOGETHER:
                    plain.setdefault(f" {together} ", set()).add((slot, 1))
                if len(together) >= _SHORTEST_IN_A_RUN and SENTENCE_END not in words:
                    bare.setdefault(together, set()).add((slot, len(together)))
        self._plain = _automaton(plain)
        self._reduced = _automaton(reduced)
        self._bare = _automaton(bare)

    def atoms_in(self, views: Views) -> list[Atom]:
        """Every slot that any view of the text fills; whole words only, but inside joined single letters."""
        found = list(self._plain_hits(views.words))
        if views.skeleton is None and views.joined is None:
            return found
        starts = [token.start for token in views.words.tokens]
        if views.skeleton is not None:
            found.extend(_hits(self._reduced, views.skeleton, starts))
        if views.joined is not None:
            found.extend(_hits(self._plain, views.joined, starts))
            found.extend(self._hits_in_runs(views))
        return list(dict.fromkeys(found))

    def _plain_hits(self, words: View) -> Iterator[Atom]:
        tokens, starts = words.tokens, words.starts
        for end, filled in _found(self._plain, words.text):
            last = bisect_right(starts, end - 1) - 1
            for length, slots in filled:
                first = last - length + 1
                yield _atom((first, last, tokens[first].start, tokens[last].end, slots))

    def _hits_in_runs(self, views: Views) -> Iterator[Atom]:
        tokens = views.words.tokens
        for letters, run_first, _ in views.runs:
            for end, filled in _found(self._bare, letters):
                for length, slots in filled:
                    first, last = run_first + end - length + 1, run_first + end
                    yield _atom((first, last, tokens[first].start, tokens[last].end, slots))


def _hits(automaton: Any, view: View, starts: Sequence[int]) -> Iterator[Atom]:
    """Hits of a view that touch something only this view reads; starts: where the words of the plain view begin."""
    for end, filled in _found(automaton, view.text):
        last = bisect_right(view.starts, end - 1) - 1
        for length, slots in filled:
            first = last - length + 1
            if view.altered[first] != view.altered[last + 1]:
                start, stop = view.tokens[first].start, view.tokens[last].end
                place = (bisect_right(starts, start) - 1, bisect_right(starts, stop - 1) - 1)
                yield _atom((*place, start, stop, slots))


def _found(automaton: Any, text: str) -> Iterable[tuple[int, tuple[_Filled, ...]]]:
    hits: Iterable[tuple[int, tuple[_Filled, ...]]] = () if automaton is None else automaton.iter(text)
    return hits


def _automaton(patterns: Mapping[str, set[tuple[str, int]]]) -> Any:
    if not patterns:
        return None
    automaton = ahocorasick.Automaton()
    # A hundred thousand patterns fill the same few slots: sharing what is kept for them saves most of the memory.
    shared: dict[tuple[_Filled, ...], tuple[_Filled, ...]] = {}
    for pattern, filled in patterns.items():
        by_length: dict[int, list[str]] = {}
        for slot, length in sorted(filled):
            by_length.setdefault(length, []).append(slot)
        value = tuple((length, tuple(slots)) for length, slots in by_length.items())
        automaton.add_word(pattern, shared.setdefault(value, value))
    automaton.make_automaton()
    return automaton
