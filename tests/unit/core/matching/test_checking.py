"""What a lexicon's own check finds, and how a change is told."""

from dataclasses import replace

import pytest

from keyhouse.core.matching.checking import idle, kept_under_disguise, lost_under_disguise
from keyhouse.core.matching.definitions import Example, Lexicon, Rule, Step
from keyhouse.core.matching.differences import differences
from keyhouse.core.matching.lexicon import CompiledLexicon, compile_lexicon
from keyhouse.core.urgency import Urgency

DIE = Rule("die", (Step(("WANT",), 0), Step(("DIE",), 2)), Urgency.CONCERN, "suicide",
           fires=(Example("want to disappear"),), silent=(Example("disappear"),))  # fmt: skip
ONE = Lexicon("one", 1, "nobody", False, {"WANT": ("want", "wish"), "DIE": ("disappear", "vanish")}, (DIE,))


def test_a_good_lexicon_is_left_alone() -> None:
    compiled = compile_lexicon([ONE])

    assert list(lost_under_disguise(compiled)) == []
    assert list(idle((ONE,), compiled)) == []


def test_an_example_that_only_its_spelling_makes_fire_is_named() -> None:
    # The check has to be able to fail: a lexicon whose index was spoiled loses every disguise.
    rule = replace(DIE, fires=(Example("nothing"),))

    lost = list(lost_under_disguise(compile_lexicon([replace(ONE, rules=(rule,))])))

    assert 'one: die: is lost under capitals: "nothing"' in lost


def test_how_many_examples_survive_a_guess_is_counted() -> None:
    kept = {each.disguise: (each.kept, each.of) for each in kept_under_disguise(compile_lexicon([ONE]))}

    assert kept["spaced letters"] == (1, 1)
    assert set(kept) == {"leet", "repeated letters", "spaced letters", "slips of the hand"}


@pytest.mark.parametrize(
    ("lexicon", "warning"),
    [
        pytest.param(replace(ONE, slots={**ONE.slots, "LEFT": ("over",)}),
                     "one: no rule uses the slot LEFT; remove it, or use it", id="an unused slot"),
        pytest.param(replace(ONE, rules=(DIE, replace(DIE, id="again"))),
                     "one: again: is met by the same words as die; keep one", id="the same rule twice"),
        pytest.param(replace(ONE, rules=(DIE, replace(DIE, id="wide", when=(Step(("WANT",), 0), Step(("DIE",), 9))))),
                     "one: die: wide finds all its examples as urgently; give it an example that only it finds, "
                     "or remove it", id="a rule in the shadow of another"),
        pytest.param(replace(ONE, rules=(DIE, replace(DIE, id="low", when=(Step(("WANT",), 0),)))),
                     'one: low: "want" alone is enough to meet it; ask for a second slot', id="a common word alone"),
    ],
)  # fmt: skip
def test_what_does_nothing_or_too_much_is_named(lexicon: Lexicon, warning: str) -> None:
    assert warning in list(idle((lexicon,), compiled(lexicon)))


def test_a_slot_that_only_a_row_uses_is_used() -> None:
    rows = {"BOTH": ((Step(("WANT",), 0), Step(("DIE",), 2)),)}
    lexicon = replace(ONE, patterns=rows, rules=(replace(DIE, when=(Step(("BOTH",), 0),)),))

    assert list(idle((lexicon,), compiled(lexicon))) == []


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (replace(ONE, version=2), "The lexicon one goes from version 1 to 2."),
        (replace(ONE, clinically_reviewed=True), "The lexicon one is now marked as clinically reviewed."),
        (replace(ONE, rules=()), "The rule die is gone."),
        (replace(ONE, rules=(DIE, replace(DIE, id="more"))), "The rule more is new: concern, suicide."),
        (replace(ONE, rules=(replace(DIE, urgency=Urgency.WATCH),)),
         "The rule die goes from concern to watch: a human looks later."),
        (replace(ONE, rules=(replace(DIE, near=("WANT",)),)),
         "The rule die changed in what must stand near: from nothing to WANT."),
        (replace(ONE, slots={**ONE.slots, "WANT": ("want", "hope")}), 'The slot WANT also finds "hope".'),
        (replace(ONE, slots={**ONE.slots, "WANT": ("want",)}), 'The slot WANT no longer finds "wish".'),
    ],
    ids=["version", "reviewed", "gone", "new", "later", "near", "a word more", "a word less"],
)  # fmt: skip
def test_a_change_is_told_in_plain_english(new: Lexicon, sentence: str) -> None:
    assert sentence in list(differences([ONE], [new]))
    assert list(differences([ONE], [ONE])) == []


def compiled(lexicon: Lexicon) -> CompiledLexicon:
    """One lexicon, ready to judge with."""
    return compile_lexicon([lexicon])
