"""What is said around a match and makes it sooner or later: negation, the past, somebody else, a joke."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyhouse.core.matching.atoms import Atom
from keyhouse.core.matching.definitions import Modifier
from keyhouse.core.matching.rules import Hit
from keyhouse.core.matching.slots import Reading
from keyhouse.core.urgency import Urgency

# A joke, an "if", or a third person never makes an urgent message less so, whatever a lexicon says.
NEVER_LOWERS_URGENT = frozenset({"humour", "hypothetical", "third_person"})
NEGATED = "negated"
THIRD_PERSON = "third_person"
QUOTE = "quote"
_CANCELLED_WITHIN = 15


@dataclass(frozen=True, slots=True)
class Bearing:
    """One modifier that bears on a match, where it stands, and the bound it sets (upper if it raises: lower)."""

    name: str
    atom: Atom
    bound: Urgency
    raises: bool


def bearings(hit: Hit, reading: Reading, modifiers: Sequence[Modifier], *, among_carers: bool) -> tuple[Bearing, ...]:
    """Everything that bears on a match: what raises it first, then what softens it."""
    raising = [
        Bearing(f"with_{slot.lower()}", atom, urgency, raises=True)
        for slot, urgency in hit.rule.raised_by.items()
        if (atom := reading.near([slot], hit.whole, hit.rule.reach)) and not _is_denied(atom, reading, modifiers)
    ]
    softening = [
        Bearing(modifier.name, atom, hit.rule.softened_by.get(modifier.name, modifier.lowers_to), raises=False)
        for modifier in modifiers
        if hit.may_be_softened
        and not (among_carers and (modifier.name == THIRD_PERSON or not modifier.for_carers))
        and (atom := _said_of(hit, reading, modifier))
    ]
    return (*raising, *softening)


def urgency_with(hit: Hit, borne: Iterable[Bearing]) -> Urgency:
    """The urgency of a match under these modifiers."""
    urgency = hit.rule.urgency
    for bearing in borne:
        urgency = changed(urgency, bearing)
    return urgency


def changed(urgency: Urgency, bearing: Bearing) -> Urgency:
    """The urgency after one more modifier."""
    if bearing.raises:
        return max(urgency, bearing.bound, key=lambda each: each.rank)
    if urgency is Urgency.URGENT and bearing.name in NEVER_LOWERS_URGENT:
        return urgency
    return min(urgency, bearing.bound, key=lambda each: each.rank)


def _is_denied(atom: Atom, reading: Reading, modifiers: Sequence[Modifier]) -> bool:
    """ "No plan" is not a plan: a raising word directly after a negation does not count."""
    return any(
        reading.words_between(word, atom) == 0
        for modifier in modifiers
        if modifier.name == NEGATED
        for word in reading.around(modifier.words, atom, 1)
    )


def _said_of(hit: Hit, reading: Reading, modifier: Modifier) -> Atom | None:
    """The word by which a modifier bears on a match, or None."""
    if any(slot in modifier.not_for for slot in hit.filled):
        return None
    for word in reading.around(modifier.words, hit.whole, max(modifier.before, modifier.after)):
        if _in_scope(word, hit, reading, modifier) and not reading.near(
            modifier.cancelled_by, hit.whole, _CANCELLED_WITHIN
        ):
            return word
    return None


def _in_scope(word: Atom, hit: Hit, reading: Reading, modifier: Modifier) -> bool:
    if any(_overlap(word, atom) for atom in (*hit.steps, *hit.nearby)):
        return False
    if any(_covers(longer, word) for longer in reading.around(modifier.swallowed_by, word, 0)):
        return False
    if word.first > hit.whole.last:
        return reading.words_between(hit.whole, word) < modifier.after and not _parted(
            hit.whole, word, reading, modifier
        )
    # "I am not well and I want to die": the second "I" parts "not" from the wish.
    aim = next((step for step in hit.steps if step.first > word.last and not _blocks(step, reading, modifier)), None)
    if aim is None or reading.words_between(word, hit.whole) >= modifier.before:
        return False
    return not _parted(word, aim, reading, modifier)


def _parted(earlier: Atom, later: Atom, reading: Reading, modifier: Modifier) -> bool:
    between = Atom(earlier.last + 1, later.first - 1)
    return any(
        earlier.last < atom.first and atom.last < later.first
        for atom in reading.around(modifier.blocked_by, between, 0)
    )


def _blocks(atom: Atom, reading: Reading, modifier: Modifier) -> bool:
    return any(reading.fills(atom, slot) for slot in modifier.blocked_by)


def _overlap(one: Atom, other: Atom) -> bool:
    return one.first <= other.last and other.first <= one.last


def _covers(longer: Atom, word: Atom) -> bool:
    return longer.first <= word.first and word.last <= longer.last
