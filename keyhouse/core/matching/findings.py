"""Which rules were met in one reading of a message, and what each modifier did to each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keyhouse.core.matching.definitions import Rule
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.modifiers import QUOTE, Bearing, bearings, changed, urgency_with
from keyhouse.core.matching.place import Place
from keyhouse.core.matching.rules import Hit, hits_of
from keyhouse.core.matching.situation import Situation, candidates
from keyhouse.core.matching.slots import Reading
from keyhouse.core.urgency import Urgency

Span = tuple[int, int]

# Looking at one atom for one rule counts one, explaining one finding twenty. An ordinary message costs a few hundred.
MOST_WORK = 12_000
_OF_A_FINDING = 20


class Budget:
    """The work that one message may make, in all ways to read it. Counted, because a clock differs by machine."""

    def __init__(self) -> None:
        self._left = MOST_WORK

    def spend(self, work: int) -> bool:
        """Take from what is left; False when nothing is."""
        self._left -= work
        return self._left >= 0


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
    """One rule met at one place. span: in the original text.  slots: what filled each step and where.

    nudge: set when the rule asks for a private word in place of an alert; the urgency is then none.
    """

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
    nudge: str | None = None
    signposting: str | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything about a message that is not in its words.

    question: reads what somebody else said last, None when nobody said anything.  said_before: how many letters of the
    text were said in earlier messages.  new_tokens: how many tokens were not, counted with the end of the text.
    offset: where the text begins in the whole message.  quoted: stretches that repeat somebody else's words.
    """

    place: Place | None
    question: Callable[[], Reading] | None = None
    said_before: int = 0
    new_tokens: int = 0
    offset: int = 0
    quoted: tuple[Span, ...] = ()

    @property
    def asked(self) -> bool:
        """Say whether somebody else said something before."""
        return self.question is not None

    def span(self, start: int, end: int) -> Span:
        """Turn a place in the text into one in the message; what was said before is empty at 0."""
        shift = self.offset - self.said_before
        return max(0, start + shift), max(0, end + shift)


def findings_in(
    reading: Reading, lexicon: CompiledLexicon, situation: Situation, setting: Setting, budget: Budget
) -> tuple[list[Finding], bool]:
    """All findings of a reading, and whether every rule could be looked at."""
    found: list[Finding] = []
    for looked_for in candidates(reading.seen, situation):
        rule = looked_for.rule
        if not budget.spend(sum(len(reading.of(step.slots)) for step in rule.when)):
            return found, False
        new = list(_findings_of(rule, reading, lexicon, setting))
        budget.spend(_OF_A_FINDING * len(new))
        found += new
    return found, True


def _findings_of(rule: Rule, reading: Reading, lexicon: CompiledLexicon, setting: Setting) -> Iterator[Finding]:
    if setting.said_before and (rule.opening or rule.longest_message is not None):
        return
    question = setting.question() if rule.asked and setting.question else None
    carers = setting.place is not None and setting.place.carers
    for hit in hits_of(rule, reading, question):
        borne = () if rule.nudge else bearings(hit, reading, lexicon.modifiers, among_carers=carers)
        if _is_quoted(hit, reading, setting):
            borne = (*borne, Bearing(QUOTE, hit.whole, Urgency.WATCH, raises=False))
        new = _what_is_new(hit, borne, reading, setting)
        if new is not None:
            yield _finding(hit, borne, reading, lexicon, setting, new)


def _is_quoted(hit: Hit, reading: Reading, setting: Setting) -> bool:
    if not setting.quoted:
        return False
    start, end = reading.span(hit.whole.first, hit.whole.last)
    return any(first <= start and end <= last for first, last in setting.quoted)


def _what_is_new(hit: Hit, borne: tuple[Bearing, ...], reading: Reading, setting: Setting) -> Span | None:
    """The stretch to point at; None when all of it was said, and judged, before."""
    start, end = reading.span(hit.whole.first, hit.whole.last)
    if end > setting.said_before:
        return start, end
    for bearing in borne:
        start, end = reading.span(*bearing.atom)
        # "I want to die" was judged before; "tonight" makes it another matter.
        if bearing.raises and end > setting.said_before:
            return start, end
    return None


def _finding(
    hit: Hit, borne: tuple[Bearing, ...], reading: Reading, lexicon: CompiledLexicon, setting: Setting, new: Span
) -> Finding:
    rule, home = hit.rule, lexicon.home[hit.rule.id]
    atoms = zip((*hit.filled, *rule.near), (*hit.steps, *hit.nearby), strict=True)
    return Finding(
        rule=rule.id,
        lexicon=home,
        version=lexicon.versions[home],
        category=rule.category,
        span=setting.span(*new),
        slots=tuple((slot, setting.span(*reading.span(*atom))) for slot, atom in atoms),
        rule_urgency=rule.urgency,
        changes=_changes(hit, borne, reading, setting),
        urgency=urgency_with(hit, borne),
        from_context=setting.said_before > 0 or bool(rule.asked),
        nudge=rule.nudge,
        signposting=rule.signposting,
    )


def _changes(hit: Hit, borne: tuple[Bearing, ...], reading: Reading, setting: Setting) -> tuple[Change, ...]:
    """One Change for every modifier that made a difference."""
    changes = []
    urgency = hit.rule.urgency
    for bearing in borne:
        after = changed(urgency, bearing)
        if after is not urgency:
            without = urgency_with(hit, [other for other in borne if other is not bearing])
            span = setting.span(*reading.span(*bearing.atom))
            changes.append(Change(bearing.name, span, urgency, after, without))
        urgency = after
    return tuple(changes)
