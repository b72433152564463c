"""However it is spelled, the words are read, and their place in the original is known."""

import pytest

from keyhouse.core.matching.spelling import skeleton
from keyhouse.core.matching.words import Words, spelled


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("I can’t", ["i", "cant", "."], id="smart apostrophe"),
        pytest.param("CAN`T stop", ["cant", "stop", "."], id="backtick"),
        pytest.param("kіll", ["kill", "."], id="Cyrillic i"),
        pytest.param("κill", ["kill", "."], id="Greek kappa"),
        pytest.param("Ꮶill", ["kill", "."], id="Cherokee"),
        pytest.param("ki\u200bll", ["kill", "."], id="zero width space"),
        pytest.param("\u202ekill\u202c", ["kill", "."], id="bidi override"),
        pytest.param("k\u0301i\u0489l\u0300l", ["kill", "."], id="zalgo"),
        pytest.param("ｋｉｌｌ", ["kill", "."], id="fullwidth"),
        pytest.param("𝓴𝓲𝓵𝓵", ["kill", "."], id="mathematical letters"),
        pytest.param("🅺🅸🅻🅻", ["kill", "."], id="letters in squares"),
        pytest.param("ki\0ll", ["kill", "."], id="NUL"),
        pytest.param("ki\ud800ll", ["kill", "."], id="lone surrogate"),
        pytest.param("<b>ki</b>ll", ["kill", "."], id="a tag inside a word"),
        pytest.param("a <3 b", ["a", "3", "b", "."], id="no tag"),
        pytest.param("self-harm", ["self", "harm", "."], id="hyphen"),
        pytest.param("stop. go", ["stop", ".", "go", "."], id="end of a sentence"),
        pytest.param("v1.5", ["v1", "5", "."], id="a point inside a number ends nothing"),
        pytest.param("a🔪b", ["a", "🔪", "b", "."], id="emoji"),
        pytest.param("", ["."], id="nothing"),
    ],
)
def test_the_words_are_read(written: str, read: list[str]) -> None:
    assert Words(written).tokens == read


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("so, K\u0301ILL\u200b me", "K\u0301ILL"),
        ("so, <b>ki</b>ll me", "ki</b>ll"),
        ("I’ve k’ill me", "k’ill"),
        ("ß kill", "kill"),
        ("ﬃ kill", "kill"),
    ],
    ids=["accents", "a tag", "apostrophes", "a letter that becomes two", "a letter that becomes three"],
)
def test_a_word_knows_its_place_in_the_original(text: str, written: str) -> None:
    words = Words(text)

    start, end = words.places[words.tokens.index("kill")]

    assert text[start:end] == written


@pytest.mark.parametrize("disguised", ["k1ll", "ki||", "kiiiilll", "K!LL", "k1l1"])
def test_the_skeleton_of_a_disguised_word_is_that_of_the_word(disguised: str) -> None:
    assert skeleton(disguised.lower()) == skeleton("kill")


def test_words_across_the_end_of_a_sentence_stand_further_apart() -> None:
    one = Words("end my life").positions
    two = Words("end. my life").positions

    assert one[1] - one[0] == 1
    assert two[2] - two[0] > 4


def test_a_phrase_is_spelled_as_a_text_is() -> None:
    assert spelled("can't stop") == spelled("CAN’T  stop") == ("cant", "stop")
