"""Slots that are filled by other slots in a row: in which order to fill them, and what to look for first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from keyhouse.core.matching.definitions import Lexicon, Steps

_OF_A_ROW = 0.3


class CircularPattern(ValueError):
    """A slot is made, perhaps by way of others, of itself. The message names them."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way to fill a slot with other slots in a row. needs: bits of the slots of each step; all_needs: of all."""

    slot: str
    steps: Steps
    needs: tuple[int, ...]
    all_needs: int


def ordered_patterns(lexicons: Iterable[Lexicon]) -> list[tuple[str, Steps]]:
    """All patterns, each after those that it needs; raises CircularPattern."""
    ways: dict[str, list[Steps]] = {}
    for lexicon in lexicons:
        for slot, rows in lexicon.patterns.items():
            ways.setdefault(slot, []).extend(rows)
    needed = {slot: {name for row in rows for step in row for name in step.slots} for slot, rows in ways.items()}
    try:
        order = list(TopologicalSorter(needed).static_order())
    except CycleError as error:
        raise CircularPattern(f"{' → '.join(error.args[1])}: a slot cannot be made of itself") from error
    return [(slot, row) for slot in order for row in ways.get(slot, ())]


def with_patterns(chances: Mapping[str, float], ordered: Sequence[tuple[str, Steps]]) -> dict[str, float]:
    """How often a slot is filled, also by patterns."""
    joined = dict(chances)
    for slot, row in ordered:
        joined[slot] = joined.get(slot, 0.0) + _OF_A_ROW * min(chance_of(step.slots, joined) for step in row)
    return joined


def chance_of(slots: Iterable[str], chances: Mapping[str, float]) -> float:
    """How often any of these slots is filled."""
    return sum(chances[slot] for slot in slots)


def seldomest(groups: Iterable[tuple[str, ...]], chances: Mapping[str, float]) -> tuple[str, ...]:
    """Of groups of slots the one that is filled least often: the first to look for."""
    return min(groups, key=lambda group: (chance_of(group, chances), group))


def spoken_for(
    slots: Iterable[str], written: Mapping[str, object], ordered: Sequence[tuple[str, Steps]],
    chances: Mapping[str, float],
) -> set[str]:  # fmt: skip
    """The slots with phrases of their own, one of which must be seen before any of these slots can be filled."""
    ways: dict[str, list[Steps]] = {}
    for slot, row in ordered:
        ways.setdefault(slot, []).append(row)
    found: set[str] = set()
    waiting, looked = list(slots), set(slots)
    while waiting:
        slot = waiting.pop()
        if slot in written:
            found.add(slot)
        for row in ways.get(slot, ()):
            more = set(seldomest([step.slots for step in row], chances)) - looked
            looked |= more
            waiting.extend(more)
    return found
