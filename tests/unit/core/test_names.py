"""The team's mark and the names of the house's programs are imitated by nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyhouse.core.accounts import DISPLAY_NAMES
from keyhouse.core.matching.confusables import LETTER_FOR_LOOK_ALIKE
from keyhouse.core.names import LONGEST_NAME, TEAM_MARK, bears_mark, marked, may_be_given, team_name
from keyhouse.core.verdict import Allowed, Reason, Refused

IMITATED = ("team", "(team)", "Team", "a program", "Concierge", "Watcher", "Keyhouse", "Caretaker", "House check")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u0301\u0323\u20dd\ufe0f\u3164\u2800\U000e0061"
TURNING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200e\u200f\u061c"
BETWEEN = " \u00a0\u2009-_.·•*'()[]⟨⟩|"
TURNED_AROUND = "\u202emaet"


def look_alikes(letter: str) -> list[str]:
    """Everything that a reader takes for this letter, and the letter."""
    small = letter.lower()
    alike = [other for other, meant in LETTER_FOR_LOOK_ALIKE.items() if meant == small]
    shifted = [chr(start + ord(small) - ord("a")) for start in (0xFF41, 0xFF21, 0x1D41A, 0x24D0, 0x1D5D4)]
    leet = {"e": ["3"], "a": ["4", "@"], "o": ["0"], "i": ["1", "l", "|", "!"], "s": ["5", "$"], "m": ["rn"],
            "w": ["vv"], "t": ["7"], "g": []}  # fmt: skip
    return [small, small.upper(), *shifted, *alike, *leet.get(small, [])]


@st.composite
def imitations(draw: st.DrawFn) -> str:
    """A name that shows the mark or a program's name to a reader, in other letters."""
    shown = "".join(
        draw(st.sampled_from(look_alikes(sign))) if sign.isalpha() else sign for sign in draw(st.sampled_from(IMITATED))
    )
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(shown)))
        shown = shown[:place] + draw(st.sampled_from(INVISIBLE + TURNING + BETWEEN)) + shown[place:]
    before, after = (draw(st.sampled_from(["", "Dr Ash ", "river-otter-", "x"])) for _ in range(2))
    return f"{before}{shown}{after}"


@settings(deadline=None)
@given(imitations())
def test_no_look_alike_of_the_mark_or_of_a_program_is_given_to_anybody(name: str) -> None:
    assert may_be_given(name) == Refused(Reason.NAME_OF_TEAM)
    assert isinstance(team_name(name), Refused)


@pytest.mark.parametrize("name", [*DISPLAY_NAMES.values(), "Dr Ash (team)", TURNED_AROUND, "tearn", "vvvatcher"])
def test_what_stands_in_the_rooms_already_is_given_to_nobody(name: str) -> None:
    assert may_be_given(name) == Refused(Reason.NAME_OF_TEAM)


@pytest.mark.parametrize("name", ["indigo-otter-44", "Dr Ash", "Sister O’Hara", "Zoë Müller", "Αγγελική", "Dr Tamsin"])
def test_other_names_are_given(name: str) -> None:
    assert may_be_given(name) == Allowed()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        pytest.param("Dr Ash", "Dr Ash (team)", id="plain"),
        pytest.param("  Dr   Ash ", "Dr Ash (team)", id="spaces are put in order"),
        pytest.param("Zoë O’Hara-Ng (nights)", "Zoë O’Hara-Ng (nights) (team)", id="accents and signs"),
        pytest.param("Ω", "Ω (team)", id="one letter of any script"),
        pytest.param("é" * LONGEST_NAME, "é" * LONGEST_NAME + " (team)", id="the longest"),
    ],
)
def test_the_house_adds_the_mark(words: str, name: str) -> None:
    assert team_name(words) == name
    assert bears_mark(name)
    assert marked(name) == name


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("", id="empty"),
        pytest.param("   ", id="spaces"),
        pytest.param("17 - 4", id="no letter"),
        pytest.param("a" * (LONGEST_NAME + 1), id="one letter too long"),
        pytest.param("Dr\nAsh", id="two lines"),
        pytest.param("Dr\x00Ash", id="a NUL"),
        pytest.param("Dr \u202eAsh", id="turned around"),
        pytest.param("Dr\u200bAsh", id="something invisible"),
        pytest.param("Dr \ud800", id="half a letter"),
        pytest.param("Dr Ash ✅", id="a sign that means something else here"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused(words: str) -> None:
    assert team_name(words) == Refused(Reason.NAME_UNREADABLE)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_judged_and_what_is_given_bears_the_mark_once(words: str) -> None:
    given_name = team_name(words)

    assert isinstance(given_name, Refused) or (
        given_name.count(TEAM_MARK) == 1 and bears_mark(given_name) and len(given_name) <= LONGEST_NAME + 7
    )


def test_only_the_mark_itself_counts_as_the_mark() -> None:
    assert bears_mark("Dr Ash (team)")
    assert not any(map(bears_mark, ["Dr Ash", "Dr Ash (Team)", "Dr Ash (теам)", "(team) Dr Ash", "Dr Ash(team)"]))
