"""How soon a human must look at a message, and how that came about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.matching.modifiers import Bearing, bearings, changed, urgency_with
from keyhouse.core.matching.rules import Hit, hits
from keyhouse.core.matching.slots import Reading, read
from keyhouse.core.urgency import Urgency

Span = tuple[int, int]

# Of each earlier message only its end is read, so that a long room history cannot make judging slow.
CONTEXT_LETTERS = 500
CONTEXT_LINES = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message was said. kind: the room's kind.  carers: whether the room is for carers."""

    kind: str
    carers: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What one modifier did to one finding. span: where it stands; may lie in an earlier message, then empty at 0."""

    modifier: str
    span: Span
    before: Urgency
    after: Urgency
    without: Urgency


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule met at one place. span: in the original text.  slots: what filled each step and where."""

    rule: str
    lexicon: str
    version: int
    category: str
    span: Span
    slots: tuple[tuple[str, Span], ...]
    rule_urgency: Urgency
    changes: tuple[Change, ...]
    urgency: Urgency
    from_context: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The urgency of a message with everything that explains it.

    rules, category and spans are of findings that are not "none"; changed_by also names what made a finding "none".
    spans: half-open, in code points of the original text.  findings: soonest first; empty if no rule was met.
    without: for each modifier, what the urgency would have been had it not been said.
    """

    urgency: Urgency
    category: str | None
    rules: tuple[str, ...]
    spans: tuple[Span, ...]
    changed_by: tuple[str, ...]
    findings: tuple[Finding, ...]
    without: tuple[tuple[str, Urgency], ...]


def judge(
    text: str, lexicon: CompiledLexicon, context: Sequence[ContextLine] = (), place: Place | None = None
) -> Judgement:
    """Judge one message as its author wrote it.

    context: what was said just before in the same room, oldest first; what the same author said may complete a
    sentence, what another person asked may give meaning to an answer. place: None means rules of all rooms but
    those limited to a kind. Takes any string; time grows in proportion to its length.
    """
    recent = [line for line in context[-CONTEXT_LINES:] if line.text]
    question = _last_question(recent, lexicon)
    met = _findings(read(text, lexicon), lexicon, place, question, said_before=0)
    before = "".join(f"{line.text[-CONTEXT_LETTERS:]} " for line in recent if line.sender == "self")
    if before:
        met += _findings(read(before + text, lexicon), lexicon, place, None, said_before=len(before))
    return _judgement(_soonest_of_each(met))


def _last_question(recent: Sequence[ContextLine], lexicon: CompiledLexicon) -> Reading | None:
    said = next((line.text for line in reversed(recent) if line.sender == "other"), None)
    return None if said is None else read(said[-CONTEXT_LETTERS:], lexicon)


def _findings(
    reading: Reading, lexicon: CompiledLexicon, place: Place | None, question: Reading | None, said_before: int
) -> list[Finding]:
    """All findings of a reading whose last word stands in the message itself."""
    kind, carers = (place.kind, place.carers) if place else (None, False)
    return [
        _finding(hit, bearings(hit, reading, lexicon.modifiers, among_carers=carers), lexicon, said_before)
        for hit in hits(reading, lexicon, kind, question)
        if hit.whole.end > said_before and not (said_before and _is_about_one_message(hit))
    ]


def _is_about_one_message(hit: Hit) -> bool:
    return hit.rule.opening or hit.rule.longest_message is not None


def _finding(hit: Hit, borne: tuple[Bearing, ...], lexicon: CompiledLexicon, said_before: int) -> Finding:
    home = lexicon.home[hit.rule.id]
    return Finding(
        rule=hit.rule.id,
        lexicon=home,
        version=lexicon.versions[home],
        category=hit.rule.category,
        span=_span(hit.whole.start, hit.whole.end, said_before),
        slots=tuple(
            (slot, _span(atom.start, atom.end, said_before))
            for slot, atom in zip((*hit.filled(), *hit.rule.near), (*hit.steps, *hit.nearby), strict=True)
        ),
        rule_urgency=hit.rule.urgency,
        changes=_changes(hit, borne, said_before),
        urgency=urgency_with(hit, borne),
        from_context=said_before > 0 or bool(hit.rule.asked),
    )


def _changes(hit: Hit, borne: tuple[Bearing, ...], said_before: int) -> tuple[Change, ...]:
    """One Change for every modifier that made a difference."""
    changes = []
    urgency = hit.rule.urgency
    for bearing in borne:
        after = changed(urgency, bearing)
        if after is not urgency:
            without = urgency_with(hit, [other for other in borne if other is not bearing])
            span = _span(bearing.atom.start, bearing.atom.end, said_before)
            changes.append(Change(bearing.name, span, urgency, after, without))
        urgency = after
    return tuple(changes)


def _span(start: int, end: int, said_before: int) -> Span:
    return max(0, start - said_before), max(0, end - said_before)


def _soonest_of_each(met: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of the same rule at the same place only the soonest, found alone before found with context."""
    ordered = sorted(met, key=lambda finding: (-finding.urgency.rank, finding.from_context, finding.span, finding.rule))
    return tuple({(finding.rule, finding.span[1]): finding for finding in reversed(ordered)}.values())[::-1]


def _judgement(findings: tuple[Finding, ...]) -> Judgement:
    findings = tuple(sorted(findings, key=lambda finding: (-finding.urgency.rank, finding.span, finding.rule)))
    counted = [finding for finding in findings if finding.urgency is not Urgency.NONE]
    changed_by = tuple(dict.fromkeys(change.modifier for finding in findings for change in finding.changes))
    return Judgement(
        urgency=_soonest(finding.urgency for finding in counted),
        category=counted[0].category if counted else None,
        rules=tuple(dict.fromkeys(finding.rule for finding in counted)),
        spans=tuple(sorted({finding.span for finding in counted})),
        changed_by=changed_by,
        findings=findings,
        without=tuple((name, _soonest(_without(finding, name) for finding in findings)) for name in changed_by),
    )


def _without(finding: Finding, modifier: str) -> Urgency:
    changes = (change.without for change in finding.changes if change.modifier == modifier)
    return next(changes, finding.urgency)


def _soonest(urgencies: Iterable[Urgency]) -> Urgency:
    return max(urgencies, key=lambda urgency: urgency.rank, default=Urgency.NONE)
