"""What the watcher knows: slots of words, rules over slots, idioms, and what softens a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keyhouse.core.matching.atoms import PhraseIndex
from keyhouse.core.matching.phrases import expand
from keyhouse.core.matching.views import spelled
from keyhouse.core.urgency import Urgency

IDIOM = "(idiom)"


@dataclass(frozen=True, slots=True)
class Step:
    """One place in a rule, filled by any of these slots, at most `gap` words after the step before it."""

    slots: tuple[str, ...]
    gap: int


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A message that came just before, by the same person (self) or by somebody else (other)."""

    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A message that a rule is tested with, and what came before it."""

    text: str
    context: tuple[ContextLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named pattern with an urgency.

    when: steps in order, never empty.  asked: steps in the other person's last message, empty means no question needed.
    near: slots that must stand within `reach` words on either side.  unless_near: slots that must not.
    raised_by: slot → urgency, when that slot stands within `reach`.  softened_by: modifier → its own lower bound here.
    rooms: room kinds in which the rule counts, empty means all.  opening: the first step opens the message.
    longest_message: most words the message may have, None means any number.
    """

    id: str
    when: tuple[Step, ...]
    urgency: Urgency
    category: str
    asked: tuple[Step, ...] = ()
    near: tuple[str, ...] = ()
    unless_near: tuple[str, ...] = ()
    raised_by: Mapping[str, Urgency] = field(default_factory=dict)
    softened_by: Mapping[str, Urgency] = field(default_factory=dict)
    reach: int = 10
    rooms: tuple[str, ...] = ()
    opening: bool = False
    longest_message: int | None = None
    fires: tuple[Example, ...] = ()
    silent: tuple[Example, ...] = ()

    def needs(self) -> frozenset[frozenset[str]]:
        """Groups of slots; the rule can only match if of each group one was seen."""
        return frozenset([frozenset(step.slots) for step in self.when] + [frozenset([slot]) for slot in self.near])

    def mentions(self) -> tuple[str, ...]:
        """Every slot that the rule names anywhere."""
        steps = [slot for step in (*self.when, *self.asked) for slot in step.slots]
        return (*steps, *self.near, *self.unless_near, *self.raised_by)


@dataclass(frozen=True, slots=True)
class Modifier:
    """Something said around a match that lowers its urgency.

    words: slots whose atoms are the modifier.  before, after: within how many words of the match it counts, 0 never.
    blocked_by: slots that, standing between modifier and match, keep them apart.
    swallowed_by: slots whose longer phrase takes the word ("can't stop" is no negation).
    cancelled_by: slots that anywhere within reach undo it ("used to … again").  not_for: steps that make it void.
    for_carers: whether it counts in rooms of carers.
    """

    name: str
    words: tuple[str, ...]
    lowers_to: Urgency
    before: int = 0
    after: int = 0
    blocked_by: tuple[str, ...] = ()
    swallowed_by: tuple[str, ...] = ()
    cancelled_by: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    for_carers: bool = True

    def mentions(self) -> tuple[str, ...]:
        """Every slot that the modifier names anywhere."""
        return (*self.words, *self.blocked_by, *self.swallowed_by, *self.cancelled_by, *self.not_for)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One file of the lexicon. idioms: each a sequence of steps whose words mean no harm together."""

    name: str
    version: int
    owner: str
    clinically_reviewed: bool
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    idioms: tuple[tuple[Step, ...], ...] = ()
    idiom_phrases: tuple[str, ...] = ()
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledLexicon:
    """Everything of all files, ready to judge with. rules_by_slot: each rule under its rarest slots; needs: by rule."""

    versions: Mapping[str, int]
    home: Mapping[str, str]
    index: PhraseIndex
    rules: tuple[Rule, ...]
    needs: Mapping[str, frozenset[frozenset[str]]]
    rules_by_slot: Mapping[str, tuple[Rule, ...]]
    idioms: tuple[tuple[Step, ...], ...]
    modifiers: tuple[Modifier, ...]
    clinically_reviewed: bool


def compile_lexicon(lexicons: Sequence[Lexicon]) -> CompiledLexicon:
    """Join lexicons into one that can judge. Their slots share one space of names; ids of rules are unique."""
    slots: dict[str, frozenset[tuple[str, ...]]] = {}
    for lexicon in lexicons:
        for name, phrases in lexicon.slots.items():
            slots[name] = slots.get(name, frozenset()) | _spelled(phrases)
    slots[IDIOM] = frozenset[tuple[str, ...]]().union(*(_spelled(lexicon.idiom_phrases) for lexicon in lexicons))
    rules = tuple(rule for lexicon in lexicons for rule in lexicon.rules)
    return CompiledLexicon(
        versions={lexicon.name: lexicon.version for lexicon in lexicons},
        home={rule.id: lexicon.name for lexicon in lexicons for rule in lexicon.rules},
        index=PhraseIndex(slots),
        rules=rules,
        needs={rule.id: rule.needs() for rule in rules},
        rules_by_slot=_by_rarest_slot(rules, slots),
        idioms=tuple(idiom for lexicon in lexicons for idiom in lexicon.idioms),
        modifiers=tuple(modifier for lexicon in lexicons for modifier in lexicon.modifiers),
        clinically_reviewed=all(lexicon.clinically_reviewed for lexicon in lexicons),
    )


def _spelled(phrases: Sequence[str]) -> frozenset[tuple[str, ...]]:
    words = (spelled(phrase) for written in phrases for phrase in expand(written))
    return frozenset(phrase for phrase in words if phrase)


def _by_rarest_slot(
    rules: Sequence[Rule], slots: Mapping[str, frozenset[tuple[str, ...]]]
) -> dict[str, tuple[Rule, ...]]:
    by_slot: dict[str, list[Rule]] = {}
    for rule in rules:
        rarest = max(sorted(rule.needs(), key=sorted), key=lambda group: min(_rarity(slots[slot]) for slot in group))
        for slot in rarest:
            by_slot.setdefault(slot, []).append(rule)
    return {slot: tuple(found) for slot, found in by_slot.items()}


def _rarity(phrases: frozenset[tuple[str, ...]]) -> int:
    """Nobody counts words here, but a slot whose shortest phrase is long is seldom seen."""
    return min((sum(map(len, words)) for words in phrases), default=0)
