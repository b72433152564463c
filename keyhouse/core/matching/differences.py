"""What changed between two lexicons, in plain English, for whoever is to accept the newer one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields

from keyhouse.core.matching.definitions import Gathering, Lexicon, Modifier, Rule, Step
from keyhouse.core.urgency import Urgency

_SHOWN = 12
_IN_WORDS = {
    "when": "the words that it needs", "asked": "the question that it answers", "near": "what must stand near",
    "unless_near": "what must not stand near", "raised_by": "what raises it", "softened_by": "what softens it",
    "rooms": "the rooms where it counts", "conditions": "what a room has to be about", "fires": "examples that fire",
    "silent": "examples that stay silent", "longest_message": "the longest message", "reach": "how far it looks",
    "opening": "whether it opens the message", "signposting": "the lines that go to the author",
    "lowers_to": "what it lowers to", "of": "the signs", "at_least": "how many signs",
}  # fmt: skip


def differences(old: Sequence[Lexicon], new: Sequence[Lexicon]) -> Iterator[str]:
    """One sentence for each thing that is not as it was; nothing when nothing changed."""
    yield from _files(old, new)
    yield from _named("rule", _by_id(old), _by_id(new))
    yield from _named("gathering", _gatherings(old), _gatherings(new))
    yield from _named("modifier", _modifiers(old), _modifiers(new))
    yield from _words("slot", _slots(old), _slots(new))
    yield from _words("idiom list", {"of all files": _idioms(old)}, {"of all files": _idioms(new)})
    if _exceptions(old) != _exceptions(new):
        yield "The exceptions for some rooms changed."


def _files(old: Sequence[Lexicon], new: Sequence[Lexicon]) -> Iterator[str]:
    before, after = ({each.name: each for each in lexicons} for lexicons in (old, new))
    for name in sorted(before.keys() - after.keys()):
        yield f"The lexicon {name} is gone, with all its rules."
    for name in sorted(after.keys() - before.keys()):
        yield f"The lexicon {name} is new."
    for name in sorted(before.keys() & after.keys()):
        if before[name].version != after[name].version:
            yield f"The lexicon {name} goes from version {before[name].version} to {after[name].version}."
        if before[name].clinically_reviewed is not after[name].clinically_reviewed:
            reviewed = after[name].clinically_reviewed
            yield f"The lexicon {name} is {'now' if reviewed else 'no longer'} marked as clinically reviewed."


def _named(
    kind: str, old: Mapping[str, Rule | Gathering | Modifier], new: Mapping[str, Rule | Gathering | Modifier]
) -> Iterator[str]:
    for name in sorted(old.keys() - new.keys()):
        yield f"The {kind} {name} is gone."
    for name in sorted(new.keys() - old.keys()):
        yield f"The {kind} {name} is new{_weight(new[name])}."
    for name in sorted(old.keys() & new.keys()):
        yield from _changed(f"The {kind} {name}", old[name], new[name])


def _weight(named: Rule | Gathering | Modifier) -> str:
    match named:
        case Rule(nudge=str(nudge)):
            return f": a private word to the author ({nudge})"
        case Rule() | Gathering():
            return f": {named.urgency.value}, {named.category.replace('_', ' ')}"
        case Modifier():
            return f": it lowers to {named.lowers_to.value}"


def _changed(subject: str, old: object, new: object) -> Iterator[str]:
    for field in fields(old):  # type: ignore[arg-type]
        before, after = getattr(old, field.name), getattr(new, field.name, None)
        if before == after:
            continue
        if isinstance(before, Urgency) and isinstance(after, Urgency):
            way = "sooner" if after.rank > before.rank else "later"
            yield f"{subject} goes from {before.value} to {after.value}: a human looks {way}."
        else:
            what = _IN_WORDS.get(field.name, field.name.replace("_", " "))
            yield f"{subject} changed in {what}: from {_said(before)} to {_said(after)}."


def _said(value: object) -> str:
    match value:
        case None | () | "":
            return "nothing"
        case tuple():
            return ", ".join(map(_said_of_one, value[:_SHOWN])) + (" …" if len(value) > _SHOWN else "")
        case Mapping():
            return ", ".join(f"{key}: {_said_of_one(each)}" for key, each in value.items()) or "nothing"
        case _:
            return str(value)


def _said_of_one(value: object) -> str:
    if isinstance(value, Step):
        return " or ".join(value.slots) + (f" (within {value.gap} words)" if value.gap else "")
    text = getattr(value, "text", None)
    return f'"{text}"' if isinstance(text, str) else str(value)


def _words(kind: str, old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, frozenset()), new.get(name, frozenset())
        for verb, words in (("also finds", after - before), ("no longer finds", before - after)):
            if words:
                shown = ", ".join(f'"{word}"' for word in sorted(words)[:_SHOWN])
                more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
                yield f"The {kind} {name} {verb} {shown}{more}."


def _by_id(lexicons: Iterable[Lexicon]) -> dict[str, Rule | Gathering | Modifier]:
    return {rule.id: rule for lexicon in lexicons for rule in lexicon.rules}


def _gatherings(lexicons: Iterable[Lexicon]) -> dict[str, Rule | Gathering | Modifier]:
    return {gathering.id: gathering for lexicon in lexicons for gathering in lexicon.gatherings}


def _modifiers(lexicons: Iterable[Lexicon]) -> dict[str, Rule | Gathering | Modifier]:
    return {modifier.name: modifier for lexicon in lexicons for modifier in lexicon.modifiers}


def _slots(lexicons: Iterable[Lexicon]) -> dict[str, frozenset[str]]:
    slots: dict[str, frozenset[str]] = {}
    for lexicon in lexicons:
        for slot, phrases in lexicon.slots.items():
            slots[slot] = slots.get(slot, frozenset()) | frozenset(phrases)
        for slot, rows in lexicon.patterns.items():
            slots[slot] = slots.get(slot, frozenset()) | {" + ".join(map(_said_of_one, row)) for row in rows}
    return slots


def _idioms(lexicons: Iterable[Lexicon]) -> frozenset[str]:
    phrases = {phrase for lexicon in lexicons for phrase in lexicon.idiom_phrases}
    rows = {" + ".join(map(_said_of_one, row)) for lexicon in lexicons for row in lexicon.idioms}
    return frozenset(phrases | rows)


def _exceptions(lexicons: Iterable[Lexicon]) -> list[object]:
    return [exception for lexicon in lexicons for exception in lexicon.exceptions]
