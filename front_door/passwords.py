"""Draw a password of six words that can be read out, written down and typed on a phone."""

import secrets
from math import log2
from typing import cast

from coolname.data import config

_WORDS_IN_A_PASSWORD = 6
_LISTS = ("adjective", "animal", "of_modifier", "of_noun")
_LETTERS = range(3, 11)

# Words about bodies, food, madness, danger or being watched: the wrong ones to be handed in a house like this.
_LEFT_OUT = frozenset(
    """
    aboriginal acrid aggressive alluring ambrosial anger annoying ant argument arrogant attack attractive bald
    beautiful belligerent berserk bizarre booby broad bug bulky camouflaged champagne chaos chicken chubby control
    cookies cow crazy criticism curvy cute daft dangerous delectable demonic desirable devious domination drama
    earwig elusive evasive exercise fanatic fast fat fearless fertility flat flawless furious fury gabby gay
    girlish godlike gorgeous greedy grumpy hairy handsome health healthy heavenly heavy hissing hog hot hungry
    hypnotic hysterical illegal imposing invisible juicy kickass lean leech light lumpy lurking lush macho masked
    mature meaty might naughty neat obedient ordinary passion penetration perfect perfection performance pig pizza
    potency pretty psychedelic rampant rat resistance rough satiation saturation scallop serious sexy shapeless
    silent skinny skunk slim sloppy slug snake snobbish solid spicy spider spiked squid strength strict strong
    sweet swine tall tarantula temperance thick uptight vegan venomous vigilant viper voracious watchful weasel
    weightless weird whale whispering will worm
    """.split()  # noqa: SIM905
)

_PACKAGED = cast(dict[str, dict[str, list[str]]], config)
WORDS: tuple[str, ...] = tuple(
    sorted(
        {word for name in _LISTS for word in _PACKAGED[name]["words"] if word.isalpha() and len(word) in _LETTERS}
        - _LEFT_OUT
    )
)

# At least 1,024 words, six drawn evenly and apart: 60 bits. The homeserver keeps a slow bcrypt hash of it.
BITS = _WORDS_IN_A_PASSWORD * log2(len(WORDS))


def draw_password() -> str:
    """Return six random words with dashes between them."""
    return "-".join(secrets.choice(WORDS) for _ in range(_WORDS_IN_A_PASSWORD))
