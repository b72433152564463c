"""A word that is disguised, mistyped, broken or run together is guessed; a word that English has never is."""

import pytest

from keyhouse.core.matching.rows import rows_of
from keyhouse.core.matching.spelling import Spelling
from keyhouse.core.matching.words import Words

VOCABULARY = frozenset(
    [
        "i",
        "a",
        "want",
        "to",
        "kill",
        "myself",
        "die",
        "suicidal",
        "cutting",
        "night",
        "self",
        "harm",
        "end",
        "żyć",
        "knife",
    ]
)
ENGLISH = frozenset(["cunning", "sight", "hello", "there", "dine", "pool", "dead", "ends"])
SPELLING = Spelling(VOCABULARY, ENGLISH, lambda words: words == ("self", "harm"))


def guessed(text: str) -> set[str]:
    """All words that any row of the text has and the text itself has not."""
    words = Words(text)
    rows, _ = rows_of(words, SPELLING)
    return {token for row in rows for token in row.tokens} - set(words.tokens)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("k1ll", {"kill"}, id="a digit"),
        pytest.param("ki||", {"kill"}, id="signs"),
        pytest.param("k!ll it", {"kill"}, id="an exclamation mark inside"),
        pytest.param("k*ll", {"kill"}, id="a star"),
        pytest.param("s**cidal", {"suicidal"}, id="two stars"),
        pytest.param("**sui**cidal", {"suicidal"}, id="bold within a word"),
        pytest.param("kiiiilll", {"kill"}, id="repeated letters"),
        pytest.param("suicdial", {"suicidal"}, id="two letters changed places"),
        pytest.param("suicidl", {"suicidal"}, id="a letter is missing"),
        pytest.param("suiccidal", {"suicidal"}, id="a letter too many"),
        pytest.param("suicjdal", {"suicidal"}, id="another letter"),
        pytest.param("niht", {"night"}, id="a short word lacks a letter"),
        pytest.param("sui cidal", {"suicidal"}, id="broken by a space"),
        pytest.param("sui-cidal", {"suicidal"}, id="broken by a hyphen"),
        pytest.param("iwanttodie", {"i", "want", "to", "die"}, id="run together"),
        pytest.param("#killmyself", {"kill", "myself"}, id="a hashtag"),
        pytest.param("selfharm", {"self", "harm"}, id="a phrase run together"),
        pytest.param("to k i l l it", {"kill"}, id="spaced"),
        pytest.param("s.e.l.f h.a.r.m", {"self", "harm"}, id="points, and a space between words"),
        pytest.param("k i l l m y s e l f", {"kill", "myself"}, id="spaced words with nothing between"),
        pytest.param("🔪 tonight", {"knife"}, id="an emoji with a name"),
        pytest.param("chcę żyć", {"żyć"}, id="accents that a language needs"),
    ],
)
def test_a_disguised_word_is_guessed(written: str, meant: set[str]) -> None:
    assert guessed(written) >= meant


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("cunning", id="English, one slip from cutting"),
        pytest.param("sight", id="English, one slip from night"),
        pytest.param("deadpool", id="two words that make a name"),
        pytest.param("hello there!", id="ordinary"),
        pytest.param("10 30 2024", id="numbers"),
        pytest.param("see you at 5", id="a number"),
        pytest.param("kjll", id="another letter in a short word"),
        pytest.param("end's", id="a possessive"),
        pytest.param("a b", id="two letters"),
        pytest.param("💊 night", id="an emoji whose name the lexicon has not"),
    ],
)
def test_nothing_is_guessed_for(written: str) -> None:
    assert guessed(written) <= {"i", "a"}


def test_a_guessed_word_stands_where_what_was_written_stands() -> None:
    words = Words("to k i l l it")
    [row, *_], _ = rows_of(words, SPELLING)

    start, end = row.places[row.tokens.index("kill")]

    assert words.text[start:end] == "k i l l"


def test_a_text_of_many_strange_words_is_said_not_to_be_looked_at_in_full() -> None:
    def strange(count: int) -> Words:
        letters = "bcdfghjklmnpqrstvwxz"
        return Words(" ".join(letters[n // 20] + letters[n % 20] + "qqq" for n in range(count)))

    assert rows_of(strange(300), SPELLING)[1]
    assert not rows_of(strange(301), SPELLING)[1]
