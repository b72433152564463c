"""The shape of one lexicon file, and how it becomes what core.matching knows."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, model_validator

from keyhouse.core.matching.definitions import (
    ContextLine,
    Example,
    Gathering,
    Lexicon,
    Modifier,
    RoomException,
    Rule,
    Step,
    Steps,
)
from keyhouse.core.matching.phrases import expand
from keyhouse.core.rooms import RoomKind
from keyhouse.core.urgency import Urgency

DEFAULT_GAP = 2
MOST_GAP = 20

Category = Literal[
    "suicide", "self_harm", "eating_disorder_behaviour", "pro_ana_content", "medical_emergency",
    "perinatal_harm_to_baby", "psychosis", "abuse_safeguarding", "substance", "harm_to_others", "method_seeking",
    "staff_bullying", "asked_for_help",
]  # fmt: skip

Signposting = Literal[
    "crisis", "emergency", "eating_disorders", "abuse", "perinatal", "substance", "staff", "none",
]  # fmt: skip
Nudge = Literal["no_numbers"]


def _steps(written: object) -> Steps:
    """Read `[SELF, {gap: 3}, WANT|NEED, DIE]`."""
    if not isinstance(written, list):
        raise ValueError("is not a list; write slots in order, for example [SELF, {gap: 3}, WANT]")
    if not written:
        raise ValueError("is empty; an empty rule would match everything")
    steps: list[Step] = []
    gap = DEFAULT_GAP
    for place, item in enumerate(written):
        if isinstance(item, dict):
            gap = _gap(item, place)
        elif isinstance(item, str) and item.strip():
            steps.append(Step(tuple(name.strip() for name in item.split("|")), gap))
            gap = DEFAULT_GAP
        else:
            raise ValueError(f"item {place + 1} is neither a slot nor a gap; write SLOT, SLOT|OTHER or {{gap: 3}}")
    if isinstance(written[-1], dict) or isinstance(written[0], dict):
        raise ValueError("begins or ends with a gap; a gap stands between two slots")
    return tuple(steps)


def _gap(item: dict[object, object], place: int) -> int:
    gap = item.get("gap")
    if set(item) != {"gap"} or not isinstance(gap, int) or not 0 <= gap <= MOST_GAP:
        raise ValueError(f"item {place + 1} is not a gap; write {{gap: 3}} with a number from 0 to {MOST_GAP}")
    return gap


def _phrases(written: object) -> tuple[str, ...]:
    if not isinstance(written, str):
        raise ValueError(
            f'is not text; put it in quotes: "{written}" (YAML reads no, yes, on and off as true or false)'
        )
    return expand(written)


def _slot_item(written: object) -> tuple[str, ...] | Steps:
    """A phrase, or a list of other slots in a row."""
    return _steps(written) if isinstance(written, list) else _phrases(written)


def _named(written: object) -> object:
    return [written] if isinstance(written, str) else written


WrittenSteps = Annotated[tuple[InstanceOf[Step], ...], BeforeValidator(_steps)]
Phrases = Annotated[tuple[str, ...], BeforeValidator(_phrases)]
SlotItem = Annotated[tuple[str, ...] | tuple[InstanceOf[Step], ...], BeforeValidator(_slot_item)]
SlotNames = Annotated[tuple[str, ...], BeforeValidator(_named)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ContextLineShape(_Strict):
    """A line said before an example."""

    sender: Literal["self", "other"]
    text: str


class ExampleShape(_Strict):
    """A message that a rule must or must not find."""

    text: str
    context: tuple[ContextLineShape, ...] = ()

    def to_core(self) -> Example:
        """The example as core knows it."""
        return Example(self.text, tuple(ContextLine(line.sender, line.text) for line in self.context))


def _example(written: object) -> object:
    return {"text": written} if isinstance(written, str) else written


ExampleList = Annotated[
    tuple[Annotated[ExampleShape, BeforeValidator(_example)], ...],
    Field(min_length=1),
]


class ExamplesShape(_Strict):
    """Both kinds are required: a rule that nobody tried is not a rule."""

    fires: ExampleList
    silent: ExampleList


class RuleShape(_Strict):
    """One watch rule."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9_.]+$")
    when: WrittenSteps
    category: Category
    examples: ExamplesShape
    urgency: Literal["urgent", "concern", "watch"] | None = None
    nudge: Nudge | None = None
    signposting: Signposting | None = None
    asked: WrittenSteps | None = None
    near: SlotNames = ()
    unless_near: SlotNames = ()
    raised_by: dict[str, Literal["urgent", "concern"]] = {}
    softened_by: dict[str, Urgency] = {}
    reach: int = Field(default=10, ge=0, le=50)
    rooms: tuple[RoomKind, ...] = ()
    conditions: tuple[str, ...] = ()
    opening: bool = False
    longest_message: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_one_outcome(self) -> Self:
        if (self.urgency is None) is (self.nudge is None):
            raise ValueError(
                "says both urgency and nudge, or neither; give one: a human looks, or a private word to the author"
            )
        return self

    def to_core(self) -> Rule:
        """The rule as core knows it."""
        return Rule(
            id=self.id,
            when=self.when,
            urgency=Urgency(self.urgency) if self.urgency else Urgency.NONE,
            category=self.category,
            asked=self.asked or (),
            near=self.near,
            unless_near=self.unless_near,
            raised_by={slot: Urgency(urgency) for slot, urgency in self.raised_by.items()},
            softened_by=dict(self.softened_by),
            reach=self.reach,
            rooms=tuple(kind.value for kind in self.rooms),
            conditions=self.conditions,
            opening=self.opening,
            longest_message=self.longest_message,
            nudge=self.nudge,
            signposting=self.signposting,
            fires=tuple(example.to_core() for example in self.examples.fires),
            silent=tuple(example.to_core() for example in self.examples.silent),
        )


class ModifierShape(_Strict):
    """One modifier; its name is the key that it stands under."""

    words: SlotNames = Field(min_length=1)
    lowers_to: Literal["none", "watch", "concern"]
    before: int = Field(default=0, ge=0, le=50)
    after: int = Field(default=0, ge=0, le=50)
    blocked_by: SlotNames = ()
    swallowed_by: SlotNames = ()
    cancelled_by: SlotNames = ()
    not_for: SlotNames = ()
    for_carers: bool = True

    def to_core(self, name: str) -> Modifier:
        """The modifier as core knows it."""
        return Modifier(name, lowers_to=Urgency(self.lowers_to), **self.model_dump(exclude={"lowers_to"}))


class GatheringShape(_Strict):
    """Several small signs of one person within the last messages."""

    id: str = Field(min_length=1, pattern=r"^[a-z0-9_.]+$")
    of: tuple[str, ...] = Field(min_length=2)
    at_least: int = Field(ge=2)
    urgency: Literal["urgent", "concern", "watch"]
    category: Category
    examples: ExamplesShape
    signposting: Signposting | None = None

    def to_core(self) -> Gathering:
        """The gathering as core knows it."""
        return Gathering(
            id=self.id,
            of=self.of,
            at_least=self.at_least,
            urgency=Urgency(self.urgency),
            category=self.category,
            signposting=self.signposting,
            fires=tuple(example.to_core() for example in self.examples.fires),
            silent=tuple(example.to_core() for example in self.examples.silent),
        )


class ExceptionShape(_Strict):
    """Rules that do not count in some rooms; `why` is for whoever reads the file next."""

    disable: SlotNames = Field(min_length=1)
    why: str = Field(min_length=1)
    rooms: tuple[RoomKind, ...] = ()
    conditions: SlotNames = ()
    carers: bool | None = None

    def to_core(self) -> RoomException:
        """The exception as core knows it."""
        return RoomException(self.disable, tuple(kind.value for kind in self.rooms), self.conditions, self.carers)


class LexiconShape(_Strict):
    """One file."""

    lexicon: str = Field(min_length=1, pattern=r"^[a-z0-9_-]+$")
    version: int = Field(ge=1)
    owner: str = Field(min_length=1)
    clinically_reviewed: bool
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}$")
    slots: dict[str, Annotated[tuple[SlotItem, ...], Field(min_length=1)]] = {}
    modifiers: dict[str, ModifierShape] = {}
    idioms: tuple[Phrases, ...] = ()
    idiom_patterns: tuple[WrittenSteps, ...] = ()
    exceptions: tuple[ExceptionShape, ...] = ()
    rules: tuple[RuleShape, ...] = ()
    gatherings: tuple[GatheringShape, ...] = ()

    def phrases_of(self, slot: str) -> tuple[str, ...]:
        """Every phrase that fills a slot, written out."""
        return tuple(each for item in self.slots[slot] for each in item if isinstance(each, str))

    def rows_of(self, slot: str) -> tuple[Steps, ...]:
        """The other slots that fill a slot when they stand in a row."""
        rows = (tuple(step for step in item if isinstance(step, Step)) for item in self.slots[slot])
        return tuple(row for row in rows if row)

    def to_core(self) -> Lexicon:
        """The lexicon as core knows it."""
        return Lexicon(
            name=self.lexicon,
            version=self.version,
            owner=self.owner,
            clinically_reviewed=self.clinically_reviewed,
            language=self.language,
            slots={slot: phrases for slot in self.slots if (phrases := self.phrases_of(slot))},
            patterns={slot: rows for slot in self.slots if (rows := self.rows_of(slot))},
            rules=tuple(rule.to_core() for rule in self.rules),
            idioms=self.idiom_patterns,
            idiom_phrases=tuple(phrase for idiom in self.idioms for phrase in idiom),
            modifiers=tuple(shape.to_core(name) for name, shape in self.modifiers.items()),
            gatherings=tuple(gathering.to_core() for gathering in self.gatherings),
            exceptions=tuple(exception.to_core() for exception in self.exceptions),
        )
