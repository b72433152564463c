"""Names that people read: the team's mark, drawn by the house alone, and what may be taken for it."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import combinations

from keyhouse.core.accounts import DISPLAY_NAMES
from keyhouse.core.matching.folding import fold
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

TEAM_MARK = "(team)"
LONGEST_NAME = 60

_PROGRAM_MARK = "(a program)"
_READABLE_KINDS = ("L", "M", "N")
_READABLE_SIGNS = frozenset(" .,'’-()/&")
_DIGIT_LIKE = str.maketrans("0134578@$!|l", "oieastbasiii")
_STROKES_APART = str.maketrans("|!", "  ")
"""Strokes that stand for a letter, or between letters."""

_PAIR_LIKE = ((re.compile("rn"), "m"), (re.compile("vv+"), "w"))
_TURNING_SIGNS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs by which a text is shown from right to left: what is read is then not what was written."""


def team_name(words: str) -> str | Refused:
    """Return a team member's name with the mark; refused when it is unreadable, or holds the mark already.

    words: as the person is called at work, 1 to LONGEST_NAME letters on one line.
    """
    if not _is_readable(words):
        return Refused(Reason.NAME_UNREADABLE)
    verdict = may_be_given(words)
    return verdict if isinstance(verdict, Refused) else marked(" ".join(words.split()))


def marked(name: str) -> str:
    """Return this name with the team's mark, once."""
    return name if bears_mark(name) else f"{name} {TEAM_MARK}"


def bears_mark(name: str) -> bool:
    """Say whether a name ends in the team's mark, letter for letter."""
    return name.endswith(f" {TEAM_MARK}")


def may_be_given(name: str) -> Verdict:
    """Decide whether somebody may be called so without being taken for the team or for one of the house's programs.

    Look-alike, invisible and missing signs, spaces and case make no difference.
    """
    if not _TURNING_SIGNS.isdisjoint(name):
        return Refused(Reason.NAME_OF_TEAM)
    looks = _looks(name)
    return (
        Refused(Reason.NAME_OF_TEAM) if any(reserved in look for reserved in _RESERVED for look in looks) else Allowed()
    )


def _is_readable(words: str) -> bool:
    kinds = [unicodedata.category(sign) for sign in words]
    fits = len(words.strip()) > 0 and len(words) <= LONGEST_NAME
    known = all(kind[0] in _READABLE_KINDS or sign in _READABLE_SIGNS for sign, kind in zip(words, kinds, strict=True))
    return fits and known and any(kind[0] == "L" for kind in kinds)


def _looks(name: str) -> frozenset[str]:
    """Return the letters and digits of a name as a reader may see them: "Tearn" also as "team", and also as itself."""
    pairs = [chosen for size in range(len(_PAIR_LIKE) + 1) for chosen in combinations(_PAIR_LIKE, size)]
    return frozenset(
        _with_pairs(_letters(read), chosen) for read in (name, name.translate(_STROKES_APART)) for chosen in pairs
    )


def _letters(name: str) -> str:
    folded = fold(name).translate(_DIGIT_LIKE)
    return "".join(sign for sign in folded if sign.isalnum())


def _with_pairs(letters: str, pairs: Iterable[tuple[re.Pattern[str], str]]) -> str:
    for pair, letter in pairs:
        letters = pair.sub(letter, letters)
    return letters


def _plain(display_name: str) -> str:
    return _letters(display_name.removesuffix(_PROGRAM_MARK))


_RESERVED = frozenset({_letters(TEAM_MARK), _letters(_PROGRAM_MARK), *map(_plain, DISPLAY_NAMES.values())})
