"""Which slots a text fills, after idioms have taken the words that mean no harm in them."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from heapq import merge
from itertools import groupby
from operator import itemgetter

from keyhouse.core.matching.atoms import Atom, Found
from keyhouse.core.matching.bits import single_bits
from keyhouse.core.matching.definitions import Step
from keyhouse.core.matching.lexicon import IDIOM, CompiledLexicon
from keyhouse.core.matching.rows import Row
from keyhouse.core.matching.situation import Situation, candidates
from keyhouse.core.matching.words import Words

# Calling Atom takes four times as long, and a long message has thousands.
_atom: Callable[[tuple[int, int]], Atom] = partial(tuple.__new__, Atom)

# Of an atom: the first word that it covers.
_FIRST = itemgetter(0)

# In words; a longer phrase may be missed when it is looked for near another.
LONGEST_PHRASE = 12


class Reading:
    """A row of words with its slots filled. seen: the bits of all slots that are filled."""

    def __init__(self, words: Words | Row, atoms: dict[str, list[Atom]], seen: int) -> None:
        self.words, self._atoms, self.seen = words, atoms, seen
        self._positions: Sequence[int] = words.positions

    def of(self, slots: Sequence[str]) -> Sequence[Atom]:
        """The atoms of any of these slots, in the order of the text."""
        if len(slots) == 1:
            return self._atoms.get(slots[0], ())
        return [atom for atom, _ in groupby(merge(*(self._atoms.get(slot, ()) for slot in slots)))]

    def fills(self, atom: Atom, slot: str) -> bool:
        """Say whether an atom fills a slot."""
        atoms = self._atoms.get(slot, ())
        place = bisect_left(atoms, atom)
        return place < len(atoms) and atoms[place] == atom

    def words_between(self, earlier: Atom, later: Atom) -> int:
        """How many words part two atoms; negative if they overlap or stand the other way round."""
        return self._positions[later.first] - self._positions[earlier.last] - 1

    def words_apart(self, one: Atom, other: Atom) -> int:
        """How many words part two atoms in whichever order they stand; nought if they touch or overlap."""
        return max(0, self.words_between(one, other), self.words_between(other, one))

    def near(self, slots: Iterable[str], place: Atom, reach: int) -> Atom | None:
        """The first atom of these slots that stands within reach of a place, or None."""
        return next((atom for atom in self.around(slots, place, reach) if self.words_apart(place, atom) <= reach), None)

    def around(self, slots: Iterable[str], place: Atom, reach: int) -> Iterator[Atom]:
        """Atoms of these slots about a place, by tokens alone: none within reach is left out, some beyond may come."""
        for slot in slots:
            atoms = self._atoms.get(slot)
            if atoms is None:
                continue
            # A phrase may begin some words before it comes within reach.
            for index in range(bisect_left(atoms, place.first - reach - LONGEST_PHRASE, key=_FIRST), len(atoms)):
                if atoms[index].first > place.last + reach + 1:
                    break
                yield atoms[index]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The half-open place in the original of these tokens and all between them."""
        places = self.words.places
        return places[first][0], places[last][1]

    def fill(self, slot: str, bit: int, atoms: Iterable[Atom]) -> None:
        """Add atoms to a slot."""
        self._atoms[slot] = sorted({*self._atoms.get(slot, ()), *atoms})
        self.seen |= bit


def read_if_hot(
    words: Words | Row, lexicon: CompiledLexicon, situation: Situation, new_from: int = 0
) -> Reading | None:
    """Fill the slots of a text; None when no rule can be met in it, which most texts are told by at little cost.

    new_from: the first token that was not judged before; a rule that needs nothing from there on is not met again.
    """
    found = lexicon.index.found_in(words.tokens)
    seen = _seen(found)
    if not seen & situation.hot:
        return None
    new = _seen([each for each in found if each[1] >= new_from]) if new_from else seen
    at_most, new, needed = _at_most(seen, new, lexicon)
    possible = [each for each in candidates(at_most, situation) if each.mentions & new]
    if not possible:
        return None
    for looked_for in possible:
        needed |= looked_for.mentions
    return _read(words, found, lexicon, needed | lexicon.always_needed)


def read(words: Words | Row, lexicon: CompiledLexicon) -> Reading:
    """Fill the slots of a text."""
    return _read(words, lexicon.index.found_in(words.tokens), lexicon, -1)


def _read(words: Words | Row, found: list[Found], lexicon: CompiledLexicon, needed: int) -> Reading:
    """Fill the slots whose bits are needed; the atoms of all others would be made for nothing."""
    if _seen(found) & lexicon.idiom_slots:
        found = _without_idioms(words, found, lexicon)
    reading = _filled(words, found, needed)
    _fill_patterns(reading, lexicon)
    return reading


def _without_idioms(words: Words | Row, found: list[Found], lexicon: CompiledLexicon) -> list[Found]:
    """Take away every phrase that touches an idiom."""
    reading = _filled(words, found, lexicon.idiom_slots)
    taken = [(atom.first, atom.last) for atom in reading.of((IDIOM,))]
    for idiom in lexicon.idioms:
        taken.extend((path[0].first, path[-1].last) for path in paths(reading, idiom))
    if not taken:
        return found
    covered = _covered(taken)
    return [each for each in found if not _overlaps(covered, each[0], each[1])]


def paths(reading: Reading, steps: Sequence[Step]) -> list[tuple[Atom, ...]]:
    """Every way to end these steps in the text, each with the nearest earlier words. Linear in the atoms."""
    reached: list[tuple[Atom, ...]] = [(atom,) for atom in reading.of(steps[0].slots)]
    for step in steps[1:]:
        if not reached:
            break
        reached = _extended(reading, reached, step)
    return reached


def _extended(reading: Reading, reached: list[tuple[Atom, ...]], step: Step) -> list[tuple[Atom, ...]]:
    """Walk both lists once: of all earlier ends the latest is the nearest."""
    ends = sorted(reached, key=lambda path: path[-1].last) if len(reached) > 1 else reached
    extended = []
    place = -1
    for atom in reading.of(step.slots):
        while place + 1 < len(ends) and ends[place + 1][-1].last < atom.first:
            place += 1
        if place >= 0 and reading.words_between(ends[place][-1], atom) <= step.gap:
            extended.append((*ends[place], atom))
    return extended


def _at_most(seen: int, new: int, lexicon: CompiledLexicon) -> tuple[int, int, int]:
    """The bits of all slots that could be filled, wherever the words stand; of the new ones; of those that fill."""
    needed = 0
    waiting = seen & lexicon.patterns_looked_for
    while waiting:
        bit = waiting & -waiting
        waiting ^= bit
        for place in lexicon.patterns_for[bit]:
            pattern = lexicon.patterns[place]
            if not all(need & seen for need in pattern.needs):
                continue
            needed |= pattern.all_needs
            filled = lexicon.index.bit[pattern.slot]
            if not filled & seen or (pattern.all_needs & new and not filled & new):
                seen |= filled
                new |= filled if pattern.all_needs & new else 0
                # What needs this slot may have been passed over.
                waiting |= seen & lexicon.patterns_looked_for
    return seen, new, needed


def _seen(found: Iterable[Found]) -> int:
    seen = 0
    for _, _, filled in found:
        seen |= filled.bits
    return seen


def _filled(words: Words | Row, found: Iterable[Found], needed: int) -> Reading:
    """Found phrases come by their first word, so the atoms of each slot are in order already."""
    atoms: dict[str, list[Atom]] = {}
    seen = 0
    for first, last, filled in found:
        if not filled.bits & needed:
            continue
        atom = _atom((first, last))
        seen |= filled.bits
        for slot in filled.slots:
            if slot in atoms:
                atoms[slot].append(atom)
            else:
                atoms[slot] = [atom]
    return Reading(words, atoms, seen)


def _fill_patterns(reading: Reading, lexicon: CompiledLexicon) -> None:
    """Fill slots from other slots, those first that others are made of."""
    touched = single_bits(reading.seen & lexicon.patterns_looked_for)
    waiting = sorted({place for bit in touched for place in lexicon.patterns_for[bit]})
    done = -1
    while waiting:
        place = waiting.pop(0)
        if place == done:
            continue
        done = place
        pattern = lexicon.patterns[place]
        if all(need & reading.seen for need in pattern.needs) and (found := paths(reading, pattern.steps)):
            bit = lexicon.index.bit[pattern.slot]
            reading.fill(pattern.slot, bit, (Atom(path[0].first, path[-1].last) for path in found))
            for later in lexicon.patterns_for.get(bit, ()):
                if later > place:
                    insort(waiting, later)


def _covered(taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping stretches so that looking one up is a bisection."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(taken):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _overlaps(covered: list[tuple[int, int]], first: int, last: int) -> bool:
    place = bisect_left(covered, (last + 1,))
    return place > 0 and covered[place - 1][1] >= first
