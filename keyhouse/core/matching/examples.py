"""Every rule is tried with its own examples."""

from collections.abc import Iterator

from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, Example, Rule


def failing_examples(lexicon: CompiledLexicon) -> Iterator[str]:
    """One line for each example that does not do what its rule says; nothing if all hold."""
    for rule in lexicon.rules:
        for example in rule.fires:
            if not _is_found(rule, example, lexicon):
                yield f"{lexicon.home[rule.id]}: {rule.id}: should fire and is silent: {_written(example)}"
        for example in rule.silent:
            if _is_found(rule, example, lexicon):
                yield f"{lexicon.home[rule.id]}: {rule.id}: should be silent and fires: {_written(example)}"


def _is_found(rule: Rule, example: Example, lexicon: CompiledLexicon) -> bool:
    place = Place(rule.rooms[0]) if rule.rooms else None
    judgement = judge(example.text, lexicon, example.context, place)
    return any(finding.rule == rule.id and finding.urgency.rank > 0 for finding in judgement.findings)


def _written(example: Example) -> str:
    return " / ".join([line.text for line in example.context] + [f'"{example.text}"'])
