"""Lexicons made larger than the one that we ship, and the ordinary messages to try them on."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from keyhouse.core.matching.commonness import chance, is_common
from keyhouse.core.matching.definitions import Lexicon, Rule, Step
from keyhouse.settings.lexicons import english_words

CORPORA = ("sms_ham", "goemotions", "topical_chat")
_RARELY = 0.002


def ordinary_messages(folder: Path) -> dict[str, list[str]]:
    """The messages of each corpus."""
    return {name: _texts(folder / f"{name}.jsonl.gz") for name in CORPORA}


def made_phrases(count: int) -> tuple[str, ...]:
    """So many phrases of one to four English words; of so many words as the lexicon that we ship is made of."""
    words = sorted(english_words())[::15]
    return tuple(
        " ".join(words[(number * 7919 + place * 104_729) % len(words)] for place in range(1 + number % 4))
        for number in range(count)
    )


def made_lexicon(lexicons: Sequence[Lexicon], rules: int) -> list[Lexicon]:
    """The lexicons with so many rules: copies that speak of other things with the same small words."""
    made = list(lexicons)
    copy = 0
    while sum(len(lexicon.rules) for lexicon in made) < rules:
        copy += 1
        made += [_copied(lexicon, copy, lexicons) for lexicon in lexicons]
    return made


def write_phrases(folder: Path, phrases: Sequence[str]) -> None:
    """Write a lexicon file that holds these phrases in slots of a hundred, each with a rule."""
    lines = ["lexicon: made", "version: 1", "owner: nobody", "clinically_reviewed: false", "slots:"]
    for place in range(0, len(phrases), 100):
        lines.append(f"  SLOT_{place}:")
        lines += [f"    - {json.dumps(phrase)}" for phrase in phrases[place : place + 100]]
    lines.append("rules:")
    for place in range(0, len(phrases), 100):
        lines += [
            f"  - id: made.{place}", f"    when: [SLOT_{place}]", "    urgency: watch", "    category: suicide",
            "    examples: {fires: [a], silent: [b]}",
        ]  # fmt: skip
    (folder / "made.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _copied(lexicon: Lexicon, copy: int, all_of_it: Sequence[Lexicon]) -> Lexicon:
    rare = {
        slot
        for each in all_of_it
        for slot, phrases in each.slots.items()
        if sum(chance(phrase.split()) for phrase in phrases) < _RARELY
    }
    slots = {f"{slot}_{copy}": _otherwise(phrases, copy) for slot, phrases in lexicon.slots.items() if slot in rare}
    rules = tuple(_rule(rule, copy, rare) for rule in lexicon.rules)
    return Lexicon(f"{lexicon.name}_{copy}", 1, "", False, slots, rules)


def _rule(rule: Rule, copy: int, rare: set[str]) -> Rule:
    def renamed(slots: Sequence[str]) -> tuple[str, ...]:
        return tuple(f"{slot}_{copy}" if slot in rare else slot for slot in slots)

    return replace(
        rule,
        id=f"{rule.id}.{copy}",
        when=tuple(Step(renamed(step.slots), step.gap) for step in rule.when),
        near=renamed(rule.near),
        unless_near=renamed(rule.unless_near),
        raised_by=dict(zip(renamed(tuple(rule.raised_by)), rule.raised_by.values(), strict=True)),
        asked=tuple(Step(renamed(step.slots), step.gap) for step in rule.asked),
    )


def _otherwise(phrases: Sequence[str], copy: int) -> tuple[str, ...]:
    """The same phrases about something else."""
    words = sorted(english_words())
    return tuple(
        " ".join(
            word if is_common(word) else words[(sum(map(ord, word)) * 31 + copy * 7919) % len(words)]
            for word in phrase.split()
        )
        for phrase in phrases
    )


def _texts(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]
