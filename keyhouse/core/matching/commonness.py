"""How often a word is said, roughly: enough to know which of a rule's slots is worth looking for first."""

from collections.abc import Sequence
from itertools import repeat

# The commonest words of talk, commonest first. By Zipf's law the nth is said about a tenth of a time in n.
_COMMONEST = """
    i . the to a and you it of that is in my me for im not on was so have do this with be its just but what all your no
    like if dont are get at up out can know as or he they she one we about how when go think really her his them now
    there from some want good time more will been had has would him then who why ive got going here see an did because
    too much people make even well by feel cant back thats day need after am never last still than something only today
    us our right off way love say take over any help work long were again other thing always night could should being
    where life anyone thank thanks hope very these those down before home lot bit every yes ok lol oh please tonight
    myself yourself himself herself cannot didnt wont wanna gonna
    morning tomorrow week years mum friend baby kids house eat food sleep bed
"""
_RARE = 1 / 20_000
_CHANCES = {word: 0.1 / rank for rank, word in reversed(list(enumerate(_COMMONEST.split(), start=1)))}
# Words of a phrase are not said independently of each other.
_EACH_WORD_MORE = 1 / 20


def chance(words: Sequence[str]) -> float:
    """Return roughly how often a phrase begins at a word of ordinary talk."""
    return min(map(_CHANCES.get, words, repeat(_RARE)), default=0.0) * _EACH_WORD_MORE ** (len(words) - 1)


def is_common(word: str) -> bool:
    """Say whether a word is one of the commonest of talk."""
    return word in _CHANCES
