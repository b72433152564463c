"""What can be said of a lexicon without knowing any message: examples under disguises, rules that do nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from keyhouse.core.matching.commonness import is_common
from keyhouse.core.matching.definitions import Example, Lexicon, Rule
from keyhouse.core.matching.examples import is_found, place_of, written
from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.transforms import ALWAYS, MOSTLY, Transform

_SHORTEST_LONE_WORD = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """Of a guessable disguise: how many examples that fire still do."""

    disguise: str
    kept: int
    of: int


def lost_under_disguise(lexicon: CompiledLexicon) -> Iterator[str]:
    """One line for each example that a disguise nobody can see makes different."""
    for rule in lexicon.rules:
        for name, transform in ALWAYS.items():
            for example in rule.fires:
                if not is_found(rule, _disguised(example, transform), lexicon):
                    yield f"{lexicon.home[rule.id]}: {rule.id}: is lost under {name}: {written(example)}"
            for example in rule.silent:
                if is_found(rule, _disguised(example, transform), lexicon):
                    yield f"{lexicon.home[rule.id]}: {rule.id}: fires under {name}: {written(example)}"


def kept_under_disguise(lexicon: CompiledLexicon) -> list[Kept]:
    """How many examples alert still when what they say has to be guessed."""
    counts = []
    for name, transform in MOSTLY.items():
        tried = [(rule, example) for rule in lexicon.rules if not rule.longest_message for example in rule.fires]
        kept = sum(_is_judged(rule, _disguised(example, transform), lexicon) for rule, example in tried)
        counts.append(Kept(name, kept, len(tried)))
    return counts


def idle(lexicons: tuple[Lexicon, ...], lexicon: CompiledLexicon) -> Iterator[str]:
    """One line for everything that does nothing, says the same twice, or rests on one short or common word."""
    yield from _unused_slots(lexicons)
    yield from _duplicates(lexicon)
    yield from _shadowed(lexicon)
    yield from _lone_words(lexicons)


def _disguised(example: Example, transform: Transform) -> Example:
    lines = tuple(replace(line, text=transform(line.text)) for line in example.context)
    return Example(transform(example.text), lines)


def _is_judged(rule: Rule, example: Example, lexicon: CompiledLexicon) -> bool:
    judgement = judge(example.text, lexicon, example.context, place_of(rule))
    return judgement.urgency.rank > 0 or bool(judgement.nudges)


def _unused_slots(lexicons: tuple[Lexicon, ...]) -> Iterator[str]:
    used = {slot for lexicon in lexicons for rule in lexicon.rules for slot in rule.mentions()}
    used |= {slot for lexicon in lexicons for modifier in lexicon.modifiers for slot in modifier.mentions()}
    used |= {slot for lexicon in lexicons for idiom in lexicon.idioms for step in idiom for slot in step.slots}
    used |= {
        slot
        for lexicon in lexicons
        for rows in lexicon.patterns.values()
        for row in rows
        for step in row
        for slot in step.slots
    }
    for lexicon in lexicons:
        for slot in (*lexicon.slots, *(slot for slot in lexicon.patterns if slot not in lexicon.slots)):
            if slot not in used:
                yield f"{lexicon.name}: no rule uses the slot {slot}; remove it, or use it"


def _duplicates(lexicon: CompiledLexicon) -> Iterator[str]:
    first: dict[object, str] = {}
    for rule in lexicon.rules:
        met_by = (rule.when, rule.asked, rule.near, rule.unless_near, rule.reach, rule.rooms, rule.conditions,
                  rule.opening, rule.longest_message, rule.nudge)  # fmt: skip
        if met_by in first:
            yield f"{lexicon.home[rule.id]}: {rule.id}: is met by the same words as {first[met_by]}; keep one"
        first.setdefault(met_by, rule.id)


def _shadowed(lexicon: CompiledLexicon) -> Iterator[str]:
    """A rule all of whose examples another rule finds too, as urgently: nothing shows what it is for."""
    for rule in lexicon.rules:
        others: set[str] | None = None
        for example in rule.fires:
            findings = judge(example.text, lexicon, example.context, place_of(rule)).findings
            own = max((each.urgency.rank for each in findings if each.rule == rule.id), default=0)
            found = {each.rule for each in findings if each.rule != rule.id and each.urgency.rank >= max(own, 1)}
            others = found if others is None else others & found
        if others and not rule.nudge:
            yield (
                f"{lexicon.home[rule.id]}: {rule.id}: {sorted(others)[0]} finds all its examples as urgently; "
                "give it an example that only it finds, or remove it"
            )


def _lone_words(lexicons: tuple[Lexicon, ...]) -> Iterator[str]:
    """ "hit" or "od" alone is met by chance: such a rule needs a second slot."""
    phrases = {slot: written for lexicon in lexicons for slot, written in lexicon.slots.items()}
    for lexicon in lexicons:
        for rule in lexicon.rules:
            if len(rule.when) > 1 or rule.near or rule.asked or rule.longest_message or rule.rooms:
                continue
            for slot in rule.when[0].slots:
                for phrase in phrases.get(slot, ()):
                    if len(phrase) < _SHORTEST_LONE_WORD or is_common(phrase):
                        yield f'{lexicon.name}: {rule.id}: "{phrase}" alone is enough to meet it; ask for a second slot'
