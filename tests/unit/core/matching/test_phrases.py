"""One written phrase stands for each of its choices."""

import pytest

from keyhouse.core.matching.phrases import PhraseFault, expand


@pytest.mark.parametrize(
    ("written", "phrases"),
    [
        ("cut", ("cut",)),
        ("cut(s|ting|)", ("cuts", "cutting", "cut")),
        ("(a|b) (c|d)", ("a c", "a d", "b c", "b d")),
        ("(my (own |)|)life", ("my own life", "my life", "life")),
    ],
)
def test_a_phrase_expands(written: str, phrases: tuple[str, ...]) -> None:
    assert expand(written) == phrases


@pytest.mark.parametrize("written", ["(a|b", "a)", "(a|)", "", "(a|b|c|d|e|f|g|h|i)" * 5])
def test_a_phrase_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(PhraseFault):
        expand(written)
