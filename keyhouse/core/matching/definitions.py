"""What a lexicon says: slots of words, rules over slots, idioms, what softens a rule, and where rules do not count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from keyhouse.core.urgency import Urgency


@dataclass(frozen=True, slots=True)
class Step:
    """One place in a rule, filled by any of these slots, at most `gap` words after the step before it."""

    slots: tuple[str, ...]
    gap: int


Steps = tuple[Step, ...]
"""Never empty where it stands for a rule or a pattern."""


@dataclass(frozen=True, slots=True)
class ContextLine:
    """A message that came just before, by the same person (self) or by somebody else (other)."""

    sender: Literal["self", "other"]
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    """A message that a rule is tested with, and what came before it."""

    text: str
    context: tuple[ContextLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named pattern with an urgency.

    when: steps in order, never empty.  asked: steps in the other person's last message, empty means no question needed.
    near: slots that must stand within `reach` words on either side.  unless_near: slots that must not.
    raised_by: slot → urgency, when that slot stands within `reach`.  softened_by: modifier → its own lower bound here.
    rooms: room kinds in which the rule counts, empty means all.  conditions: the same of what a room is about.
    opening: the first step opens the message.  longest_message: most words the message may have, None means any number.
    nudge: a private word to the author in place of an alert, then urgency is none.  signposting: which lines go along.
    """

    id: str
    when: Steps
    urgency: Urgency
    category: str
    asked: Steps = ()
    near: tuple[str, ...] = ()
    unless_near: tuple[str, ...] = ()
    raised_by: Mapping[str, Urgency] = field(default_factory=dict)
    softened_by: Mapping[str, Urgency] = field(default_factory=dict)
    reach: int = 10
    rooms: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    opening: bool = False
    longest_message: int | None = None
    nudge: str | None = None
    signposting: str | None = None
    fires: tuple[Example, ...] = ()
    silent: tuple[Example, ...] = ()

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Groups of slots; the rule can only be met if of each group one was seen."""
        return (*(step.slots for step in self.when), *((slot,) for slot in self.near))

    def mentions(self) -> tuple[str, ...]:
        """Every slot that the rule names anywhere."""
        steps = [slot for step in (*self.when, *self.asked) for slot in step.slots]
        return (*steps, *self.near, *self.unless_near, *self.raised_by)


@dataclass(frozen=True, slots=True)
class Modifier:
    """Something said around a match that lowers its urgency.

    words: slots whose atoms are the modifier.  before, after: within how many words of the match it counts, 0 never.
    blocked_by: slots that, standing between modifier and match, keep them apart.
    swallowed_by: slots whose longer phrase takes the word ("can't stop" is no negation).
    cancelled_by: slots that anywhere within reach undo it ("used to … again").  not_for: steps that make it void.
    for_carers: whether it counts in rooms of carers.
    """

    name: str
    words: tuple[str, ...]
    lowers_to: Urgency
    before: int = 0
    after: int = 0
    blocked_by: tuple[str, ...] = ()
    swallowed_by: tuple[str, ...] = ()
    cancelled_by: tuple[str, ...] = ()
    not_for: tuple[str, ...] = ()
    for_carers: bool = True

    def mentions(self) -> tuple[str, ...]:
        """Every slot that the modifier names anywhere."""
        return (*self.words, *self.blocked_by, *self.swallowed_by, *self.cancelled_by, *self.not_for)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Several signs of one person within the last messages, each too small to alert alone.

    of: ids of rules.  at_least: how many different ones of them.
    """

    id: str
    of: tuple[str, ...]
    at_least: int
    urgency: Urgency
    category: str
    signposting: str | None = None
    fires: tuple[Example, ...] = ()
    silent: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class RoomException:
    """Rules that do not count in some rooms.

    disable: ids of rules, or the beginning of ids with a * behind.  rooms, conditions: as of a rule; both empty means
    every room.  carers: True limits it to rooms of carers, False to all others, None to neither.
    """

    disable: tuple[str, ...]
    rooms: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    carers: bool | None = None

    def names(self, rule_id: str) -> bool:
        """Say whether the exception is about this rule."""
        return any(rule_id.startswith(name[:-1]) if name.endswith("*") else rule_id == name for name in self.disable)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One file of the lexicon.

    slots: phrases, each written out.  patterns: slots that are also filled by other slots in a row.
    idioms: steps whose words mean no harm together.  language: of the phrases; "en" is British English.
    """

    name: str
    version: int
    owner: str
    clinically_reviewed: bool
    slots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    idioms: tuple[Steps, ...] = ()
    idiom_phrases: tuple[str, ...] = ()
    modifiers: tuple[Modifier, ...] = ()
    patterns: Mapping[str, tuple[Steps, ...]] = field(default_factory=dict)
    gatherings: tuple[Gathering, ...] = ()
    exceptions: tuple[RoomException, ...] = ()
    language: str = "en"
