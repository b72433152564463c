"""Several small signs of one person within the last messages."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from keyhouse.core.matching.definitions import ContextLine, Gathering
from keyhouse.core.matching.findings import Finding
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.urgency import Urgency


def gathered(
    met: Sequence[Finding],
    recent: Sequence[ContextLine],
    lexicon: CompiledLexicon,
    met_in: Callable[[str], Sequence[Finding]],
) -> list[Finding]:
    """One finding for each gathering that the message completes. met_in: finds what an earlier message met alone."""
    now = {finding.rule: finding for finding in met if finding.urgency is not Urgency.NONE}
    wanted = [gathering for gathering in lexicon.gatherings if not now.keys().isdisjoint(gathering.of)]
    if not wanted:
        return []
    before = {
        finding.rule
        for line in recent
        if line.sender == "self"
        for finding in met_in(line.text)
        if finding.urgency is not Urgency.NONE
    }
    return [
        _finding(gathering, now, lexicon)
        for gathering in wanted
        if len((now.keys() | before) & set(gathering.of)) >= gathering.at_least
    ]


def _finding(gathering: Gathering, now: dict[str, Finding], lexicon: CompiledLexicon) -> Finding:
    latest = next(now[rule] for rule in gathering.of if rule in now)
    home = lexicon.home[gathering.id]
    return replace(
        latest,
        rule=gathering.id,
        lexicon=home,
        version=lexicon.versions[home],
        category=gathering.category,
        rule_urgency=gathering.urgency,
        urgency=gathering.urgency,
        changes=(),
        from_context=True,
        signposting=gathering.signposting,
    )
