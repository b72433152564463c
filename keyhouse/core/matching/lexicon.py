"""Lexicons joined and made ready to judge with."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain

from keyhouse.core.matching.atoms import PhraseIndex
from keyhouse.core.matching.commonness import chance
from keyhouse.core.matching.definitions import (
    ContextLine,
    Example,
    Gathering,
    Lexicon,
    Modifier,
    RoomException,
    Rule,
    Step,
    Steps,
)
from keyhouse.core.matching.folding import exact
from keyhouse.core.matching.patterns import Pattern, ordered_patterns, seldomest, spoken_for, with_patterns
from keyhouse.core.matching.place import Place
from keyhouse.core.matching.situation import LookedFor, Situation, situation_of
from keyhouse.core.matching.spelling import Spelling
from keyhouse.core.matching.words import spelled

__all__ = ["CompiledLexicon", "ContextLine", "Example", "Lexicon", "Modifier", "Rule", "Step", "compile_lexicon"]

IDIOM = "(idiom)"
# A foreign phrase that loses its accents may become an English word; a long one hardly does.
_LETTERS_OF_A_FOREIGN_PHRASE = 6

_is_plain = re.compile(r"[a-z0-9 ]+").fullmatch


@dataclass(frozen=True, slots=True)
class CompiledLexicon:
    """Everything of all files, ready to judge with.

    patterns_for: numbers of patterns by the bit of each slot that is looked for first; patterns_looked_for: all those
    bits.  always_needed: bits of the slots of modifiers.
    """

    versions: Mapping[str, int]
    home: Mapping[str, str]
    index: PhraseIndex
    spelling: Spelling
    rules: tuple[Rule, ...]
    looked_for: tuple[LookedFor, ...]
    patterns: tuple[Pattern, ...]
    patterns_for: Mapping[int, tuple[int, ...]]
    patterns_looked_for: int
    always_needed: int
    idiom_slots: int
    idioms: tuple[Steps, ...]
    modifiers: tuple[Modifier, ...]
    gatherings: tuple[Gathering, ...]
    exceptions: tuple[RoomException, ...]
    clinically_reviewed: bool
    _situations: dict[tuple[Place | None, bool], Situation] = field(default_factory=dict, compare=False)

    def situation(self, place: Place | None, *, asked: bool) -> Situation:
        """The rules that count in a place; there are few kinds of place, so each is worked out once."""
        known = self._situations.get((place, asked))
        if known is None:
            known = self._situations[place, asked] = situation_of(self.looked_for, self.exceptions, place, asked=asked)
        return known


def compile_lexicon(lexicons: Sequence[Lexicon], english: Set[str] = frozenset()) -> CompiledLexicon:
    """Join lexicons into one that can judge. Their slots share one space of names; ids of rules are unique.

    english: words that are right as they are; without them every word that no lexicon has may be taken for a typo.
    Raises CircularPattern.
    """
    written = _written(lexicons, english)
    ordered = ordered_patterns(lexicons)
    index = PhraseIndex({**{slot: () for slot, _ in ordered}, **written})
    rules = tuple(rule for lexicon in lexicons for rule in lexicon.rules)
    vocabulary = frozenset(chain.from_iterable(chain.from_iterable(written.values())))
    chances = with_patterns({slot: sum(map(chance, phrases)) for slot, phrases in written.items()}, ordered)
    patterns_for = _by_bit([seldomest([step.slots for step in steps], chances) for _, steps in ordered], index)
    return CompiledLexicon(
        versions={lexicon.name: lexicon.version for lexicon in lexicons},
        home=_homes(lexicons),
        index=index,
        spelling=Spelling(vocabulary, english, index.is_phrase),
        rules=rules,
        looked_for=tuple(_looked_for(rule, index, written, ordered, chances) for rule in rules),
        patterns=tuple(_pattern(slot, steps, index) for slot, steps in ordered),
        patterns_for=patterns_for,
        patterns_looked_for=sum(patterns_for),
        always_needed=index.bits(
            slot for lexicon in lexicons for each in lexicon.modifiers for slot in each.mentions()
        ),
        idiom_slots=index.bits((IDIOM, *_of_idioms(lexicons))),
        idioms=tuple(idiom for lexicon in lexicons for idiom in lexicon.idioms),
        modifiers=tuple(modifier for lexicon in lexicons for modifier in lexicon.modifiers),
        gatherings=tuple(gathering for lexicon in lexicons for gathering in lexicon.gatherings),
        exceptions=tuple(exception for lexicon in lexicons for exception in lexicon.exceptions),
        clinically_reviewed=all(lexicon.clinically_reviewed for lexicon in lexicons),
    )


def _pattern(slot: str, steps: Steps, index: PhraseIndex) -> Pattern:
    needs = tuple(index.bits(step.slots) for step in steps)
    return Pattern(slot, steps, needs, index.bits(name for step in steps for name in step.slots))


def _of_idioms(lexicons: Iterable[Lexicon]) -> Iterator[str]:
    return (slot for lexicon in lexicons for idiom in lexicon.idioms for step in idiom for slot in step.slots)


def _looked_for(
    rule: Rule,
    index: PhraseIndex,
    written: Mapping[str, object],
    ordered: Sequence[tuple[str, Steps]],
    chances: Mapping[str, float],
) -> LookedFor:
    slots = seldomest(rule.groups(), chances)
    return LookedFor(
        rule=rule,
        needs=tuple(index.bits(group) for group in rule.groups()),
        bits=tuple(index.bit[slot] for slot in slots),
        hot=index.bits(spoken_for(slots, written, ordered, chances)),
        mentions=index.bits(rule.mentions()),
    )


def _written(lexicons: Sequence[Lexicon], english: Set[str]) -> dict[str, set[tuple[str, ...]]]:
    """The phrases of each slot, word by word; idioms are a slot of their own."""
    slots: dict[str, set[tuple[str, ...]]] = {IDIOM: set()}
    for lexicon in lexicons:
        for slot, phrases in lexicon.slots.items():
            if phrases:
                slots.setdefault(slot, set()).update(_phrases(phrases, lexicon.language, english))
        slots[IDIOM].update(_phrases(lexicon.idiom_phrases, lexicon.language, english))
    return slots


def _phrases(phrases: Iterable[str], language: str, english: Set[str]) -> Iterator[tuple[str, ...]]:
    for phrase in phrases:
        if _is_plain(phrase):
            yield tuple(phrase.split())
            continue
        words = spelled(phrase)
        with_accents = tuple(exact(phrase).split())
        if language == "en" or with_accents == words:
            yield words
            continue
        yield with_accents
        if sum(map(len, words)) >= _LETTERS_OF_A_FOREIGN_PHRASE and not all(word in english for word in words):
            yield words


def _homes(lexicons: Sequence[Lexicon]) -> dict[str, str]:
    named = ((lexicon.name, [*map(_id, lexicon.rules), *map(_id, lexicon.gatherings)]) for lexicon in lexicons)
    return {each: name for name, ids in named for each in ids}


def _id(named: Rule | Gathering) -> str:
    return named.id


def _by_bit(groups: Sequence[tuple[str, ...]], index: PhraseIndex) -> dict[int, tuple[int, ...]]:
    """Number the groups, and list the numbers by the bit of each slot of a group."""
    by_bit: dict[int, list[int]] = {}
    for place, slots in enumerate(groups):
        for slot in slots:
            by_bit.setdefault(index.bit[slot], []).append(place)
    return {bit: tuple(places) for bit, places in by_bit.items()}
