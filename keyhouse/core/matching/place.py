"""Where a message was said, as far as rules care."""

from dataclasses import dataclass

from keyhouse.core.matching.definitions import RoomException


@dataclass(frozen=True, slots=True)
class Place:
    """A room. kind: the room's kind.  carers: whether it is for carers.  conditions: what it is about, may be empty."""

    kind: str
    carers: bool = False
    conditions: frozenset[str] = frozenset()


def applies_in(exception: RoomException, place: Place | None) -> bool:
    """Say whether an exception holds in a place; one that names no room holds everywhere."""
    if exception.carers is not None and (place is None or place.carers is not exception.carers):
        return False
    if exception.rooms and (place is None or place.kind not in exception.rooms):
        return False
    return not exception.conditions or (place is not None and not place.conditions.isdisjoint(exception.conditions))
