"""However it is spelled, the words are read, and their place in the original is known."""

import pytest

from keyhouse.core.matching.views import View, skeleton, spelled, views_of


def texts(view: View | None) -> list[str]:
    return [] if view is None else [token.text for token in view.tokens]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("I can’t", ["i", "cant", "."], id="smart apostrophe"),
        pytest.param("CAN`T stop", ["cant", "stop", "."], id="backtick"),
        pytest.param("kіll", ["kill", "."], id="Cyrillic i"),
        pytest.param("κill", ["kill", "."], id="Greek kappa"),
        pytest.param("ki\u200bll", ["kill", "."], id="zero width space"),
        pytest.param("\u202ekill\u202c", ["kill", "."], id="bidi override"),
        pytest.param("k\u0301i\u0489l\u0300l", ["kill", "."], id="zalgo"),
        pytest.param("ｋｉｌｌ", ["kill", "."], id="fullwidth"),
        pytest.param("𝓴𝓲𝓵𝓵", ["kill", "."], id="mathematical letters"),
        pytest.param("🅺🅸🅻🅻", ["kill", "."], id="letters in squares"),
        pytest.param("ki\0ll", ["kill", "."], id="NUL"),
        pytest.param("ki\ud800ll", ["kill", "."], id="lone surrogate"),
        pytest.param("self-harm", ["self", "harm", "."], id="hyphen"),
        pytest.param("stop. go", ["stop", ".", "go", "."], id="end of a sentence"),
        pytest.param("v1.5", ["v1", "5", "."], id="a point inside a number ends nothing"),
        pytest.param("a 🔪 b", ["a", "🔪", "b", "."], id="emoji"),
        pytest.param("", ["."], id="nothing"),
    ],
)
def test_the_plain_view_reads(written: str, read: list[str]) -> None:
    assert texts(views_of(written).words) == read


def test_a_token_knows_its_place_in_the_original() -> None:
    text = "so, K\u0301ILL\u200b me"

    token = views_of(text).words.tokens[1]

    assert token.text == "kill"
    assert text[token.start : token.end] == "K\u0301ILL"


@pytest.mark.parametrize("disguised", ["k1ll", "ki||", "kiiiilll", "K!LL", "k1l1"])
def test_the_skeleton_of_a_disguised_word_is_that_of_the_word(disguised: str) -> None:
    assert skeleton("kill") in texts(views_of(f"they {disguised} it").skeleton)


@pytest.mark.parametrize("plain", ["kill", "hello there!", "10 30 2024", "see you at 5"])
def test_an_undisguised_text_has_no_skeleton(plain: str) -> None:
    assert views_of(plain).skeleton is None


@pytest.mark.parametrize(
    ("written", "joined"),
    [
        pytest.param("to k i l l it", ["to", "kill", "it", "."], id="spaces"),
        pytest.param("s.e.l.f h.a.r.m", ["self", "harm", "."], id="points, and a space between words"),
        pytest.param("k-i-l-l", ["kill", "."], id="hyphens"),
        pytest.param("a b", [], id="two letters are no word"),
    ],
)
def test_spaced_letters_are_joined(written: str, joined: list[str]) -> None:
    assert texts(views_of(written).joined) == joined


def test_words_across_the_end_of_a_sentence_stand_further_apart() -> None:
    one = views_of("end my life").positions
    two = views_of("end. my life").positions

    assert one[1] - one[0] == 1
    assert two[2] - two[0] > 4


def test_a_phrase_is_spelled_as_the_plain_view_spells_it() -> None:
    assert spelled("can't stop") == spelled("CAN’T  stop") == ("cant", "stop")
