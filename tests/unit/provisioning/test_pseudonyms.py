"""A name says nothing about anybody and wounds nobody."""

import hashlib
import re

import pytest
from coolname.data import config

from keyhouse.core.names import may_be_given
from keyhouse.core.verdict import Allowed, Reason, Refused
from provisioning.pseudonym_words import LONGEST, REFUSED, first_words, second_words
from provisioning.pseudonyms import draw_pseudonym

# Changed by hand alone, after every new word was read.
READ_WORDS = "6521dc8fef009d5c"
WOUNDING = ["fat", "thin", "skinny", "slim", "lean", "chubby", "heavy", "ugly", "crazy", "hungry", "meaty", "greedy"]
WOUNDING += ["lazy", "dark", "loud", "furious", "normal", "healthy", "pig", "whale", "cow", "snake", "spider", "black"]


def test_a_name_is_two_words_and_two_digits() -> None:
    names = {draw_pseudonym() for _ in range(300)}

    assert all(re.fullmatch(r"[a-z]{2,10}-[a-z]{2,10}-[1-9][0-9]", name) for name in names)
    assert len(names) > 290


def test_words_that_make_the_teams_mark_where_they_meet_are_drawn_apart() -> None:
    meeting = [f"{one}-{other}" for one in first_words() for other in second_words() if "team" in one + other]

    assert all(may_be_given(f"{words}-44") == Refused(Reason.NAME_OF_TEAM) for words in [*meeting, "agate-ammonite"])
    assert all(may_be_given(draw_pseudonym()) == Allowed() for _ in range(300))


def test_no_two_words_that_can_be_drawn_look_alike() -> None:
    words = [*first_words(), *second_words()]
    read = {word.replace("rn", "m").replace("vv", "w").replace("cl", "d").replace("l", "i") for word in words}

    assert len(read) == len(words)


def test_every_word_that_can_be_drawn_has_been_read_by_somebody() -> None:
    words = " ".join((*first_words(), "|", *second_words()))

    assert hashlib.sha256(words.encode()).hexdigest()[:16] == READ_WORDS, (
        "The library has other words now. Read provisioning.pseudonym_words.first_words() and second_words(), "
        "refuse what wounds, and write the new fingerprint here."
    )


@pytest.mark.parametrize("word", WOUNDING)
def test_a_wounding_word_is_never_drawn(word: str) -> None:
    assert word not in {*first_words(), *second_words()}


def test_the_library_does_hold_words_that_wound() -> None:
    library = {word for part in config.values() for word in part.get("words", ())}

    assert {"fat", "skinny", "crazy", "pig", "whale"} <= library


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_word_is_refused_for_a_reason_that_says_something(reason: str) -> None:
    words = REFUSED[reason].split()

    assert len(reason) > 5
    assert len(words) == len(set(words))
    assert not {*words} & {*first_words(), *second_words()}


def test_there_are_names_for_a_large_house_and_they_fit_a_phone() -> None:
    assert len(first_words()) * len(second_words()) * 90 > 500_000
    assert max(map(len, (*first_words(), *second_words()))) <= LONGEST
