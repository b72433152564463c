"""Private words in place of an alert. Not clinically reviewed. Neutral first words: a phone may be shared."""

from bots.runtime.words import spoken
from keyhouse.core.ids import UserId

_NO_NUMBERS = (
    "in rooms where people are recovering we leave out numbers: weights, sizes, calories. They can be hard to read "
    "for somebody who compares. If you like, you can edit your message; nobody is cross with you, and nobody else "
    "was told. How you feel about the number is always welcome."
)
_TEXTS = {"no_numbers": _NO_NUMBERS}


def nudge_content(nudge: str, name: str, person: UserId) -> dict[str, object]:
    """Write a nudge as it is sent to the person's desk. Raises LookupError for one that has no wording."""
    return spoken(f"A message for you from the house.\n\n{name}, {_TEXTS[nudge]}", [person])
