"""How soon a human must look at a message. Never anything about a person."""

from enum import StrEnum


class Urgency(StrEnum):
    """Of a message: urgent (five minutes), concern (this shift), watch (next working day), none."""

    NONE = "none"
    WATCH = "watch"
    CONCERN = "concern"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """Place in the order none, watch, concern, urgent; larger is sooner."""
        return _RANKS[self]

    def alerts(self) -> bool:
        """Say whether a clinician is rung for it."""
        return self in (Urgency.CONCERN, Urgency.URGENT)


# A message is compared many times: asking the enumeration for its order each time took a tenth of the judging.
_RANKS = {urgency: rank for rank, urgency in enumerate(Urgency)}
