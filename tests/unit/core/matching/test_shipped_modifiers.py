"""What softens a message in the lexicons that come along, and that danger said in the same breath undoes it."""

import pytest

from keyhouse.core.matching.judgement import judge
from keyhouse.core.matching.lexicon import CompiledLexicon

# Calm words, and their twin in which the same words stand beside danger.
TWINS = {
    "an urge that passed": (
        "urge to cut came and went, held ice and rang my mate",
        "the urge passed but it's back and I'm going to cut",
    ),
    "something else done instead": (
        "I wanted to hurt myself, did a jigsaw instead",
        "rang my sister instead but it didn't help, I can't keep myself safe",
    ),
    "a nurse who knows": (
        "bit of an urge to cut, my nurse knows and we're upping my visits",
        "my nurse knows but it isn't helping, I'm going to kill myself",
    ),
    "safe, said plainly": (
        "not suicidal, I'm safe, just knackered",
        "I told them I'm safe. I'm not. I want to die",
    ),
    "asked, and an honest no": (
        "they asked if I was suicidal and I could honestly say no",
        "they asked if I was suicidal and I said no, but I lied",
    ),
    "a trifle cried over": (
        "'I want to die' said dramatically by me at the gym",
        "I said it dramatically but I'm serious, I want to die",
    ),
    "a machine that gives up": (
        "the printer has decided to end it all",
        "the printer broke and I have decided to end it all",
    ),
    "a question about a form": (
        "do I have to tell DVLA about my suicide attempt",
        "I have to tell DVLA about my overdose and I want to die",
    ),
    "somebody who came through it": (
        "you don't have to do this, I was on that ledge once",
        "you don't have to do this for me any more, I'm on the ledge and I'm going to jump",
    ),
    "how to stand by a friend": (
        "how do I ask a friend if he is suicidal",
        "how do I talk to my friend, he says he's going to kill himself tonight",
    ),
    "a course": (
        "for my course: what is suicidal ideation",
        "it's for my dissertation but honestly I want to die",
    ),
    "long ago": (
        "when I was fifteen I cut my arms",
        "when I was fifteen I cut my arms and I want to die",
    ),
}


@pytest.mark.parametrize(("calm", "danger"), TWINS.values(), ids=TWINS)
def test_calm_words_ring_nobody_and_danger_beside_them_does(shipped: CompiledLexicon, calm: str, danger: str) -> None:
    softened, pressing = judge(calm, shipped), judge(danger, shipped)

    assert not softened.urgency.alerts()
    assert pressing.urgency.alerts()


@pytest.mark.parametrize(
    "said",
    [
        "i want to die im only 14, he posts my pics at school in an hour",
        "I'm fifteen years old and I want to die",
        "my 12 year old has fresh cuts up her arm and says it was the cat",
    ],
)
def test_an_age_and_a_school_are_not_the_past(shipped: CompiledLexicon, said: str) -> None:
    assert judge(said, shipped).urgency.alerts()
