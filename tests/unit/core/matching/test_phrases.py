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
        ("cut+", ("cut", "cuts", "cutting", "cuttin", "cutted")),
        ("die+", ("die", "dies", "dying", "dyin", "died")),
        ("purge+", ("purge", "purges", "purging", "purgin", "purged")),
        ("cry+", ("cry", "cries", "crying", "cryin", "cried")),
        ("(end|top)+ it", ("end it", "ends it", "ending it", "endin it", "ended it",
                           "top it", "tops it", "topping it", "toppin it", "topped it")),
        ("a +", ("a +",)),
    ],
)  # fmt: skip
def test_a_phrase_expands(written: str, phrases: tuple[str, ...]) -> None:
    assert expand(written) == phrases


@pytest.mark.parametrize("written", ["(a|b", "a)", "(a|)", "", "(a|b|c|d|e|f|g|h|i)" * 5, "a+ " * 8])
def test_a_phrase_that_cannot_be_read_is_refused(written: str) -> None:
    with pytest.raises(PhraseFault):
        expand(written)
