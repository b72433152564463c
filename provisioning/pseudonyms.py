"""Draw a name that says nothing about anybody: `indigo-otter-44`."""

import secrets
from functools import cache

from coolname import RandomGenerator
from coolname.types import CoolnameConfigT

from keyhouse.core.names import may_be_given
from keyhouse.core.verdict import Allowed
from provisioning.pseudonym_words import first_words, second_words

_LOWEST, _NUMBERS = 10, 90


def draw_pseudonym() -> str:
    """Draw two words and two digits; whether it is free is for the referrals to say."""
    while True:
        name = f"{_words().generate_slug()}-{_LOWEST + secrets.randbelow(_NUMBERS)}"
        # Two harmless words may make "team" where they meet.
        if isinstance(may_be_given(name), Allowed):
            return name


@cache
def _words() -> RandomGenerator:
    config: CoolnameConfigT = {
        "all": {"type": "cartesian", "lists": ["first", "second"]},
        "first": {"type": "words", "words": list(first_words())},
        "second": {"type": "words", "words": list(second_words())},
    }
    # The system's own chance: from a seeded one, who knows a few names could tell when the others were drawn.
    return RandomGenerator(config, secrets.SystemRandom())
