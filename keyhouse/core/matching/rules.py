"""Which rules of the lexicon a text meets, before anything softens them."""

from collections.abc import Iterator
from dataclasses import dataclass

from keyhouse.core.matching.atoms import Atom
from keyhouse.core.matching.definitions import Rule
from keyhouse.core.matching.slots import Reading, paths

# A message that meets one rule more often is no ordinary message; it is looked at in part and never softened.
MOST_HITS = 30


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule is met. steps: an atom for each step.  whole: the stretch that they cover."""

    rule: Rule
    steps: tuple[Atom, ...]
    whole: Atom
    nearby: tuple[Atom, ...]
    may_be_softened: bool
    filled: tuple[str, ...]
    """For each step the slot that its atom fills; a step may name several."""


def hits_of(rule: Rule, reading: Reading, question: Reading | None) -> Iterator[Hit]:
    """Every place where a rule is met. question: what somebody else said last, if anything."""
    if rule.longest_message is not None and reading.words.count() > rule.longest_message:
        return
    found = paths(reading, rule.when)
    if not found or (rule.asked and (question is None or not paths(question, rule.asked))):
        return
    few = len(found) <= MOST_HITS
    if not few:
        found = found[: MOST_HITS // 2] + found[-MOST_HITS // 2 :]
    for steps in found:
        if rule.opening and steps[0].first > 0:
            continue
        whole = Atom(steps[0].first, steps[-1].last)
        nearby = tuple(atom for slot in rule.near if (atom := reading.near([slot], whole, rule.reach)))
        if len(nearby) == len(rule.near) and not reading.near(rule.unless_near, whole, rule.reach):
            yield Hit(rule, steps, whole, nearby, few, _filled(rule, steps, reading))


def _filled(rule: Rule, steps: tuple[Atom, ...], reading: Reading) -> tuple[str, ...]:
    pairs = zip(rule.when, steps, strict=True)
    return tuple(next(slot for slot in step.slots if reading.fills(atom, slot)) for step, atom in pairs)
