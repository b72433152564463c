"""How soon a human must look at a message, and how that came about."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from keyhouse.core.matching.definitions import ContextLine
from keyhouse.core.matching.findings import Budget, Change, Finding, Setting, Span, findings_in
from keyhouse.core.matching.gathering import gathered
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.place import Place
from keyhouse.core.matching.quoting import quoted_in
from keyhouse.core.matching.rows import Row, rows_of
from keyhouse.core.matching.slots import Reading, read, read_if_hot
from keyhouse.core.matching.words import Words
from keyhouse.core.urgency import Urgency

__all__ = ["Change", "Finding", "Judgement", "Place", "Span", "judge"]

COULD_NOT_BE_JUDGED = "house.could_not_be_judged"
_UNJUDGED_CATEGORY = "could_not_be_judged"

# Of what was said before only the end is read, so that a long room history cannot make judging slow.
CONTEXT_LINES = 10
CONTEXT_LETTERS = 300
# Nobody writes as much in a chat: what is longer is read at its ends, and a human is told to look at all of it.
MOST_LETTERS = 10_240
MOST_WORDS = 2_000
_HEAD, _TAIL, _HEAD_OF_MANY_WORDS = 6_144, 1_536, 2_048


@dataclass(frozen=True, slots=True)
class Judgement:
    """The urgency of a message with everything that explains it.

    rules, category and spans are of findings that are not "none"; changed_by also names what made a finding "none".
    spans: half-open, in code points of the original text.  findings: soonest first; empty if no rule was met.
    without: for each modifier, what the urgency would have been had it not been said.
    nudges: private words that the author is to be sent, beside whatever the urgency is.
    signposting: which lines go to the author; None leaves it to the house.
    whole: False when the message was too long or too strange to be looked at in full; then it alerts.
    """

    urgency: Urgency
    category: str | None
    rules: tuple[str, ...]
    spans: tuple[Span, ...]
    changed_by: tuple[str, ...]
    findings: tuple[Finding, ...]
    without: tuple[tuple[str, Urgency], ...]
    nudges: tuple[str, ...] = ()
    signposting: str | None = None
    whole: bool = True


NOTHING = Judgement(Urgency.NONE, None, (), (), (), (), ())


def judge(
    text: str, lexicon: CompiledLexicon, context: Sequence[ContextLine] = (), place: Place | None = None
) -> Judgement:
    """Judge one message as its author wrote it.

    context: what was said just before in the same room, oldest first; what the same author said may complete a
    sentence, what another person asked may give meaning to an answer. place: None means rules of all rooms but
    those limited to a kind. Takes any string; time grows in proportion to its length.
    """
    recent = [line for line in context[-CONTEXT_LINES:] if line.text]
    setting = Setting(place, _question(recent, lexicon), quoted=quoted_in(text))
    met, whole = _met_alone(text, lexicon, setting)
    before = _said_before(recent)
    if before:
        text = text[:MOST_LETTERS]
        joined = replace(setting, said_before=len(before), new_tokens=len(Words(text).tokens), quoted=())
        met += _met(before + text, lexicon, joined)[0]
    if lexicon.gatherings:
        met += gathered(met, recent, lexicon, lambda line: _met_alone(line, lexicon, Setting(place))[0])
    return _judgement(_soonest_of_each(met), whole=whole) if met or not whole else NOTHING


def _met_alone(text: str, lexicon: CompiledLexicon, setting: Setting) -> tuple[list[Finding], bool]:
    if len(text) <= MOST_LETTERS:
        return _met(text, lexicon, setting)
    head, _ = _met(text[:_HEAD], lexicon, setting)
    tail, _ = _met(text[-_TAIL:], lexicon, replace(setting, offset=len(text) - _TAIL, quoted=()))
    return head + tail, False


def _met(text: str, lexicon: CompiledLexicon, setting: Setting) -> tuple[list[Finding], bool]:
    """Findings in every way to read a text, and whether all of it could be looked at."""
    words = Words(text)
    whole = len(words.tokens) <= MOST_WORDS
    if not whole:
        words = Words(text[:_HEAD_OF_MANY_WORDS])
    found: list[Finding] = []
    rows, all_of_it = rows_of(words, lexicon.spelling)
    new_from = len(words.tokens) - setting.new_tokens if setting.said_before else 0
    budget = Budget()
    situation = lexicon.situation(setting.place, asked=setting.asked)
    ways: list[Words | Row] = [words, *rows]
    for way in ways:
        reading = read_if_hot(way, lexicon, situation, way.place_of(new_from))
        if reading is not None:
            more, is_whole = findings_in(reading, lexicon, situation, setting, budget)
            found += more
            whole = whole and is_whole
    return found, whole and all_of_it


def _question(recent: Sequence[ContextLine], lexicon: CompiledLexicon) -> Callable[[], Reading] | None:
    """Reads what somebody else said last, once it is asked for; None when nobody said anything."""
    said = next((line.text for line in reversed(recent) if line.sender == "other"), None)
    return None if said is None else cache(lambda: read(Words(said[-CONTEXT_LETTERS:]), lexicon))


def _said_before(recent: Sequence[ContextLine]) -> str:
    said = "".join(f"{line.text[-CONTEXT_LETTERS:]} " for line in recent if line.sender == "self")
    # From the next whole word on: what is left of a word that was cut may be another word.
    return said if len(said) <= CONTEXT_LETTERS else said[-CONTEXT_LETTERS:].partition(" ")[2]


def _soonest_of_each(met: Iterable[Finding]) -> tuple[Finding, ...]:
    """Of the same rule at the same place only the soonest, found alone before found with context."""
    ordered = sorted(met, key=lambda finding: (-finding.urgency.rank, finding.from_context, finding.span, finding.rule))
    return tuple({(finding.rule, finding.span[1]): finding for finding in reversed(ordered)}.values())[::-1]


def _judgement(findings: tuple[Finding, ...], *, whole: bool) -> Judgement:
    findings = tuple(sorted(findings, key=lambda finding: (-finding.urgency.rank, finding.span, finding.rule)))
    counted = [finding for finding in findings if finding.urgency is not Urgency.NONE]
    changed_by = tuple(dict.fromkeys(change.modifier for finding in findings for change in finding.changes))
    unjudged = () if whole else (Urgency.CONCERN,)
    category = counted[0].category if counted else None
    return Judgement(
        urgency=_soonest((*(finding.urgency for finding in counted), *unjudged)),
        category=category if whole else category or _UNJUDGED_CATEGORY,
        rules=(*dict.fromkeys(finding.rule for finding in counted), *(() if whole else (COULD_NOT_BE_JUDGED,))),
        spans=tuple(sorted({finding.span for finding in counted})),
        changed_by=changed_by,
        findings=findings,
        without=tuple((name, _soonest(_without(finding, name) for finding in findings)) for name in changed_by),
        nudges=tuple(dict.fromkeys(finding.nudge for finding in findings if finding.nudge)),
        signposting=next((finding.signposting for finding in counted if finding.signposting), None),
        whole=whole,
    )


def _without(finding: Finding, modifier: str) -> Urgency:
    changes = (change.without for change in finding.changes if change.modifier == modifier)
    return next(changes, finding.urgency)


def _soonest(urgencies: Iterable[Urgency]) -> Urgency:
    return max(urgencies, key=lambda urgency: urgency.rank, default=Urgency.NONE)
