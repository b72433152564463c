"""Which slots a text fills, after idioms have taken the words that mean no harm in them."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from keyhouse.core.matching.atoms import Atom
from keyhouse.core.matching.lexicon import IDIOM, CompiledLexicon, Step
from keyhouse.core.matching.views import SENTENCE_END, Views, views_of

# Of an atom: the first word that it covers.
_FIRST = itemgetter(0)

# In words; a longer phrase may be missed when it is looked for near another.
LONGEST_PHRASE = 10


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with its slots filled. atoms: by slot, in the order of the text."""

    views: Views
    atoms: Mapping[str, tuple[Atom, ...]]

    def of(self, slots: Iterable[str]) -> list[Atom]:
        """The atoms of any of these slots, in the order of the text."""
        found = [atoms for slot in slots if (atoms := self.atoms.get(slot))]
        return list(found[0]) if len(found) == 1 else sorted({atom for atoms in found for atom in atoms})

    def words_between(self, earlier: Atom, later: Atom) -> int:
        """How many words part two atoms; negative if they overlap or stand the other way round."""
        return self.views.positions[later.first] - self.views.positions[earlier.last] - 1

    def words_apart(self, one: Atom, other: Atom) -> int:
        """How many words part two atoms in whichever order they stand; nought if they touch or overlap."""
        return max(0, self.words_between(one, other), self.words_between(other, one))

    def near(self, slots: Iterable[str], place: Atom, reach: int) -> Atom | None:
        """The first atom of these slots that stands within reach of a place, or None."""
        return next((atom for atom in self.around(slots, place, reach) if self.words_apart(place, atom) <= reach), None)

    def around(self, slots: Iterable[str], place: Atom, reach: int) -> Iterator[Atom]:
        """Atoms of these slots about a place, by tokens alone: none within reach is left out, some beyond may come."""
        for slot in slots:
            atoms = self.atoms.get(slot, ())
            # A phrase may begin some words before it comes within reach.
            for index in range(bisect_left(atoms, place.first - reach - LONGEST_PHRASE, key=_FIRST), len(atoms)):
                if atoms[index].first > place.last + reach + 1:
                    break
                yield atoms[index]

    def has_words(self) -> int:
        """How many words the text has."""
        return sum(1 for token in self.views.words.tokens if token.text != SENTENCE_END)


def read(text: str, lexicon: CompiledLexicon) -> Reading:
    """Fill the slots of a text."""
    views = views_of(text)
    plain = Reading(views, _by_slot(lexicon.index.atoms_in(views)))
    taken = [(atom.first, atom.last) for atom in plain.atoms.get(IDIOM, ())]
    for idiom in lexicon.idioms:
        taken.extend((path[0].first, path[-1].last) for path in paths(plain, idiom))
    if not taken:
        return plain
    covered = _covered(taken)
    kept = {
        slot: tuple([atom for atom in atoms if not _overlaps(covered, atom)]) for slot, atoms in plain.atoms.items()
    }
    return Reading(views, {slot: atoms for slot, atoms in kept.items() if atoms})


def paths(reading: Reading, steps: tuple[Step, ...]) -> list[tuple[Atom, ...]]:
    """Every way to end these steps in the text, each with the nearest earlier words. Linear in the atoms."""
    if any(all(slot not in reading.atoms for slot in step.slots) for step in steps):
        return []
    reached: list[tuple[Atom, ...]] = [(atom,) for atom in reading.of(steps[0].slots)]
    for step in steps[1:]:
        reached = _extended(reading, reached, step)
    return reached


def _extended(reading: Reading, reached: list[tuple[Atom, ...]], step: Step) -> list[tuple[Atom, ...]]:
    """Walk both lists once: of all earlier ends the latest is the nearest."""
    ends = sorted(reached, key=lambda path: path[-1].last)
    extended = []
    place = -1
    for atom in reading.of(step.slots):
        while place + 1 < len(ends) and ends[place + 1][-1].last < atom.first:
            place += 1
        if place >= 0 and reading.words_between(ends[place][-1], atom) <= step.gap:
            extended.append((*ends[place], atom))
    return extended


def _by_slot(atoms: Iterable[Atom]) -> dict[str, tuple[Atom, ...]]:
    by_slot: dict[str, list[Atom]] = {}
    for atom in atoms:
        for slot in atom.slots:
            if slot in by_slot:
                by_slot[slot].append(atom)
            else:
                by_slot[slot] = [atom]
    # What one view found is in order already, so sorting costs next to nothing.
    return {slot: tuple(sorted(found, key=_FIRST)) for slot, found in by_slot.items()}


def _covered(taken: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Merge overlapping stretches so that looking one up is a bisection."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(taken):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _overlaps(covered: list[tuple[int, int]], atom: Atom) -> bool:
    place = bisect_left(covered, (atom.last + 1,))
    return place > 0 and covered[place - 1][1] >= atom.first
