"""Lines in which an author repeats somebody else, as chat programs mark them."""

import re

_QUOTED_LINES = re.compile(r"^[ \t]{0,3}>[^\n]*(?:\n|\Z)", re.MULTILINE)


def quoted_in(text: str) -> tuple[tuple[int, int], ...]:
    """The stretches of a text whose lines begin with ">"; empty when there is nothing else: then they are meant."""
    if ">" not in text:
        return ()
    stretches = tuple(match.span() for match in _QUOTED_LINES.finditer(text))
    own = sum(map(str.isalnum, text)) - sum(sum(map(str.isalnum, text[start:end])) for start, end in stretches)
    return stretches if own else ()
