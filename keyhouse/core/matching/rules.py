"""Which rules of the lexicon a text meets, before anything softens them."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyhouse.core.matching.atoms import Atom
from keyhouse.core.matching.lexicon import CompiledLexicon, Rule
from keyhouse.core.matching.slots import Reading, paths

# A message that meets one rule more often is no ordinary message; it is looked at in part and never softened.
MOST_HITS = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule is met. steps: an atom for each step.  whole: the stretch that they cover."""

    rule: Rule
    steps: tuple[Atom, ...]
    whole: Atom
    nearby: tuple[Atom, ...]
    may_be_softened: bool

    def filled(self) -> tuple[str, ...]:
        """For each step the slot that its atom fills; a step may name several."""
        pairs = zip(self.rule.when, self.steps, strict=True)
        return tuple(next(slot for slot in step.slots if slot in atom.slots) for step, atom in pairs)


def hits(reading: Reading, lexicon: CompiledLexicon, room_kind: str | None, question: Reading | None) -> Iterator[Hit]:
    """Every place where a rule is met. question: what somebody else said last, if anything."""
    candidates = {rule.id: rule for slot in reading.atoms for rule in lexicon.rules_by_slot.get(slot, ())}
    seen = reading.atoms.keys()
    for rule in candidates.values():
        if all(not group.isdisjoint(seen) for group in lexicon.needs[rule.id]) and _may_count(
            rule, reading, room_kind, question
        ):
            yield from _hits_of(rule, reading)


def _may_count(rule: Rule, reading: Reading, room_kind: str | None, question: Reading | None) -> bool:
    if rule.rooms and room_kind not in rule.rooms:
        return False
    if rule.longest_message is not None and reading.has_words() > rule.longest_message:
        return False
    return not rule.asked or (question is not None and bool(paths(question, rule.asked)))


def _hits_of(rule: Rule, reading: Reading) -> Iterator[Hit]:
    found = paths(reading, rule.when)
    few = len(found) <= MOST_HITS
    if not few:
        found = found[: MOST_HITS // 2] + found[-MOST_HITS // 2 :]
    for steps in found:
        if rule.opening and steps[0].first > 0:
            continue
        whole = Atom(steps[0].first, steps[-1].last, steps[0].start, steps[-1].end, ())
        nearby = tuple(atom for slot in rule.near if (atom := reading.near([slot], whole, rule.reach)))
        if len(nearby) == len(rule.near) and not reading.near(rule.unless_near, whole, rule.reach):
            yield Hit(rule, steps, whole, nearby, few)
