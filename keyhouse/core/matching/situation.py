"""The rules that count in one kind of room, so that all others cost nothing there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keyhouse.core.matching.bits import single_bits
from keyhouse.core.matching.definitions import RoomException, Rule
from keyhouse.core.matching.place import Place, applies_in


@dataclass(frozen=True, slots=True)
class Situation:
    """rules_for: by the bit of each slot that is looked for first; looked_for: all those bits.

    hot: bits of phrases without which no rule of the situation can be met.
    """

    rules_for: Mapping[int, tuple["LookedFor", ...]]
    looked_for: int
    hot: int


@dataclass(frozen=True, slots=True)
class LookedFor:
    """A rule and how to look for it.

    needs: for each group of slots their bits, of which one must be seen.  bits: of the slots to look for first.
    hot: of the phrases by which these can be filled.  mentions: of every slot that the rule names.
    """

    rule: Rule
    needs: tuple[int, ...]
    bits: tuple[int, ...]
    hot: int
    mentions: int


def situation_of(
    rules: Iterable[LookedFor], exceptions: Iterable[RoomException], place: Place | None, *, asked: bool
) -> Situation:
    """Choose the rules that count in a place. asked: whether somebody else said something before."""
    holding = [exception for exception in exceptions if applies_in(exception, place)]
    by_bit: dict[int, list[LookedFor]] = {}
    hot = 0
    for looked_for in rules:
        if _counts(looked_for.rule, holding, place, asked=asked):
            hot |= looked_for.hot
            for bit in looked_for.bits:
                by_bit.setdefault(bit, []).append(looked_for)
    return Situation({bit: tuple(found) for bit, found in by_bit.items()}, sum(by_bit), hot)


def _counts(rule: Rule, holding: Iterable[RoomException], place: Place | None, *, asked: bool) -> bool:
    if rule.asked and not asked:
        return False
    if rule.rooms and (place is None or place.kind not in rule.rooms):
        return False
    if rule.conditions and (place is None or place.conditions.isdisjoint(rule.conditions)):
        return False
    return not any(exception.names(rule.id) for exception in holding)


def candidates(seen: int, situation: Situation) -> list[LookedFor]:
    """Rules of which every needed slot was seen; urgent ones first."""
    found = {
        looked_for.rule.id: looked_for
        for bit in single_bits(seen & situation.looked_for)
        for looked_for in situation.rules_for[bit]
        if all(need & seen for need in looked_for.needs)
    }
    return sorted(found.values(), key=_later) if len(found) > 1 else list(found.values())


def _later(looked_for: LookedFor) -> int:
    return -looked_for.rule.urgency.rank
