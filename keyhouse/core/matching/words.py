"""A text as a row of words, each knowing where it stands in the original."""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

from keyhouse.core.matching.folding import fold, origins

# How far apart the words on either side of a sentence's end count, so that rules rarely reach across.
SENTENCE_END_COSTS = 4
SENTENCE_END = "."

_EMOJI = "\u2190-\u2bff\u3030-\u303d\U0001f000-\U0001faff"
_TOKENS = re.compile(rf"[^\W_]+|(?<![.!?;])[.!?;]++(?=\s|\Z)|\n+|[{_EMOJI}]")
_STOPS = frozenset(".!?;\n")


class Words:
    """A text as words, emoji and sentence ends ("."); it always ends with one. Places are worked out when asked for.

    tokens: the words in order.  folded: the text that they were cut from.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.folded = fold(text)
        found: list[str] = _TOKENS.findall(self.folded)
        self.tokens: list[str] = [SENTENCE_END if token[0] in _STOPS else token for token in found]
        self.tokens.append(SENTENCE_END)

    @cached_property
    def folded_places(self) -> list[tuple[int, int]]:
        """For each token its half-open place in the folded text."""
        end = len(self.folded)
        return [*(match.span() for match in _TOKENS.finditer(self.folded)), (end, end)]

    @cached_property
    def places(self) -> Sequence[tuple[int, int]]:
        """For each token its half-open place in the original."""
        came_from, end = origins(self.text), len(self.text)
        found = [(came_from[start], came_from[stop - 1] + 1) for start, stop in self.folded_places[:-1]]
        return [*found, (end, end)]

    @cached_property
    def positions(self) -> Sequence[int]:
        """For each token its place counted in words, wider across a sentence's end."""
        return positions_of(self.tokens)

    def place_of(self, token: int) -> int:
        """Where a token stands: the text is its own first row."""
        return token

    def count(self) -> int:
        """How many words there are, sentence ends not counted."""
        return len(self.tokens) - self.tokens.count(SENTENCE_END)


def positions_of(tokens: Sequence[str]) -> Sequence[int]:
    """For each token its place counted in words, wider across a sentence's end."""
    steps = [SENTENCE_END_COSTS if token == SENTENCE_END else 1 for token in tokens[:-1]]
    return list(accumulate(steps, initial=0))


def spelled(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as a text's words are spelled."""
    return tuple(SENTENCE_END if token[0] in _STOPS else token for token in _TOKENS.findall(fold(phrase)))
