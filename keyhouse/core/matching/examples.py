"""Every rule is tried with its own examples."""

from collections.abc import Iterator

from keyhouse.core.matching.definitions import Example, Gathering, Rule
from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.place import Place


def failing_examples(lexicon: CompiledLexicon) -> Iterator[str]:
    """One line for each example that does not do what its rule says; nothing if all hold."""
    tried: list[Rule | Gathering] = [*lexicon.rules, *lexicon.gatherings]
    for rule in tried:
        for example in rule.fires:
            if not is_found(rule, example, lexicon):
                yield f"{lexicon.home[rule.id]}: {rule.id}: should fire and is silent: {written(example)}"
        for example in rule.silent:
            if is_found(rule, example, lexicon):
                yield f"{lexicon.home[rule.id]}: {rule.id}: should be silent and fires: {written(example)}"


def is_found(rule: Rule | Gathering, example: Example, lexicon: CompiledLexicon) -> bool:
    """Say whether a rule is met in an example, in a room where it counts."""
    judgement = judge(example.text, lexicon, example.context, place_of(rule))
    return any(
        finding.rule == rule.id and (finding.urgency.rank > 0 or finding.nudge is not None)
        for finding in judgement.findings
    )


def place_of(rule: Rule | Gathering) -> Place | None:
    """A room where the rule counts; None when it counts anywhere."""
    if isinstance(rule, Gathering) or not (rule.rooms or rule.conditions):
        return None
    return Place(rule.rooms[0] if rule.rooms else "living_room", conditions=frozenset(rule.conditions))


def written(example: Example) -> str:
    """Write an example on one line."""
    return " / ".join([line.text for line in example.context] + [f'"{example.text}"'])
