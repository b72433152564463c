"""Reads a folder of lexicon files; every fault at once, with its file, its place and a hint."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from keyhouse.core.matching.lexicon import CompiledLexicon, Lexicon, compile_lexicon
from keyhouse.core.matching.patterns import CircularPattern, ordered_patterns
from keyhouse.settings.faults import SettingsFault, faults_of, file_label, read_yaml
from keyhouse.settings.lexicon_file import LexiconShape


def default_lexicon_directory() -> Path:
    """The example lexicons of the checkout that this code was started from."""
    directory = Path(__file__).resolve().parents[2] / "config" / "lexicons"
    if not directory.is_dir():
        raise SettingsFault(
            [f"{directory}: no lexicons are here; name the folder that holds them, for example config/lexicons"]
        )
    return directory


def load_lexicons(directory: Path) -> tuple[Lexicon, ...]:
    """Read every .yaml file of a folder. Raises SettingsFault with all that is wrong in all of them."""
    paths = sorted(directory.glob("*.yaml"))
    if not paths:
        raise SettingsFault([f"{directory}: holds no lexicon (*.yaml); nothing would be watched"])
    shapes: dict[str, LexiconShape] = {}
    faults: list[str] = []
    for path in paths:
        try:
            shapes[file_label(path)] = _read(path)
        except SettingsFault as fault:
            faults.extend(fault.faults)
    # With a file unread, its slots would all seem unknown.
    if not faults:
        faults.extend(_faults_between(shapes))
    if faults:
        raise SettingsFault(faults)
    return tuple(shape.to_core() for shape in shapes.values())


def load_compiled_lexicon(directory: Path) -> CompiledLexicon:
    """Read a folder of lexicons and make it ready to judge with."""
    return compile_lexicon(load_lexicons(directory), english_words())


@cache
def english_words() -> frozenset[str]:
    """Words that are never taken for a misspelling of a word of a lexicon."""
    path = Path(__file__).with_name("english_words.txt")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise SettingsFault(
            [f"{file_label(path)}: cannot be read ({error.strerror}); install keyhouse again"]
        ) from error
    return frozenset(line for line in lines if not line.startswith("#"))


def _read(path: Path) -> LexiconShape:
    label = file_label(path)
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise SettingsFault([f"{label}: holds no lexicon; it begins with `lexicon:`, `version:` and `owner:`"])
    try:
        return LexiconShape.model_validate(document)
    except ValidationError as error:
        raise SettingsFault(faults_of(label, error)) from error


def _faults_between(shapes: Mapping[str, LexiconShape]) -> Iterator[str]:
    yield from _named_twice(shapes)
    known_slots = {slot for shape in shapes.values() for slot in shape.slots}
    known_modifiers = {name for shape in shapes.values() for name in shape.modifiers}
    known_rules = {rule.id for shape in shapes.values() for rule in shape.rules}
    for file, shape in shapes.items():
        for where, slot in _slots_named(shape):
            if slot not in known_slots:
                yield f"{file}: {where}: no slot is called {slot}{_did_you_mean(slot, known_slots)}"
        for place, rule in enumerate(shape.rules):
            for name in rule.softened_by:
                if name not in known_modifiers:
                    hint = _did_you_mean(name, known_modifiers)
                    yield f"{file}: rules[{place}].softened_by: no modifier is called {name}{hint}"
        for where, rule_id in _rules_named(shape):
            if not any(fnmatchcase(known, rule_id) for known in known_rules):
                yield f"{file}: {where}: no rule is called {rule_id}{_did_you_mean(rule_id, known_rules)}"
    yield from _circles(shapes)


def _slots_named(shape: LexiconShape) -> Iterator[tuple[str, str]]:
    for place, rule in enumerate(shape.rules):
        yield from ((f"rules[{place}].when", slot) for step in rule.when for slot in step.slots)
        yield from ((f"rules[{place}].asked", slot) for step in rule.asked or () for slot in step.slots)
        for key, slots in (("near", rule.near), ("unless_near", rule.unless_near), ("raised_by", rule.raised_by)):
            yield from ((f"rules[{place}].{key}", slot) for slot in slots)
    for name in shape.slots:
        yield from ((f"slots.{name}", slot) for row in shape.rows_of(name) for step in row for slot in step.slots)
    for place, pattern in enumerate(shape.idiom_patterns):
        yield from ((f"idiom_patterns[{place}]", slot) for step in pattern for slot in step.slots)
    for name, modifier in shape.modifiers.items():
        yield from ((f"modifiers.{name}", slot) for slot in modifier.to_core(name).mentions())


def _rules_named(shape: LexiconShape) -> Iterator[tuple[str, str]]:
    for place, gathering in enumerate(shape.gatherings):
        yield from ((f"gatherings[{place}].of", rule_id) for rule_id in gathering.of)
    for place, exception in enumerate(shape.exceptions):
        yield from ((f"exceptions[{place}].disable", rule_id) for rule_id in exception.disable)


def _circles(shapes: Mapping[str, LexiconShape]) -> Iterator[str]:
    try:
        ordered_patterns([shape.to_core() for shape in shapes.values()])
    except CircularPattern as circle:
        files = [file for file, shape in shapes.items() if any(shape.rows_of(slot) for slot in shape.slots)]
        yield f"{files[0]}: slots: {circle}"


def _named_twice(shapes: Mapping[str, LexiconShape]) -> Iterator[str]:
    named = [(f"lexicon {shape.lexicon}", file, "lexicon") for file, shape in shapes.items()]
    for file, shape in shapes.items():
        named += [(f"slot {slot}", file, f"slots.{slot}") for slot in shape.slots]
        named += [(f"modifier {name}", file, f"modifiers.{name}") for name in shape.modifiers]
        named += [
            (f"gathering {each.id}", file, f"gatherings[{place}].id") for place, each in enumerate(shape.gatherings)
        ]
        named += [(f"rule {rule.id}", file, f"rules[{place}].id") for place, rule in enumerate(shape.rules)]
    homes: dict[str, str] = {}
    for what, file, where in named:
        if what in homes:
            yield f"{file}: {where}: the {what} is already in {homes[what]}; give one of them another name"
        homes.setdefault(what, file)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else "; write it under slots, or correct its spelling"
