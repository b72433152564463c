"""The rules of the house, and what counts as agreeing to them."""

from dataclasses import dataclass

from keyhouse.core.people import REFERRED_ROLES, Person

AGREES_WITH = "✅"
"""The reaction that stands for `!agree`."""

_AGREEING = frozenset({"agree", "i agree", "yes i agree"})
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class HouseRules:
    """The rules as people read them. version: at least 1, raised whenever a sentence changes its meaning."""

    version: int
    sentences: tuple[str, ...]


def says_agreed(text: str) -> bool:
    """Say whether a whole message is nothing but "I agree", however it is spelt and punctuated."""
    if len(text) > _LONGEST:
        return False
    words = "".join(char if char.isalnum() else " " for char in text).casefold()
    return " ".join(words.split()) in _AGREEING


def is_asked_to_agree(person: Person) -> bool:
    """Say whether a person has to agree before writing in the shared rooms; the team and the house are not asked."""
    return person.role in REFERRED_ROLES and person.rules_agreed is None
