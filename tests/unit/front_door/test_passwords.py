"""Passwords that can be written down, are hard to guess, and hurt nobody."""

import pytest

from front_door.passwords import BITS, WORDS, draw_password


def test_a_password_has_at_least_60_bits() -> None:
    assert BITS >= 60
    assert len(set(WORDS)) == len(WORDS)


def test_a_password_is_six_words_of_plain_small_letters() -> None:
    words = draw_password().split("-")

    assert len(words) == 6
    assert set(words) <= set(WORDS)
    assert all(word.isascii() and word.islower() for word in words)


def test_no_two_passwords_are_alike() -> None:
    assert len({draw_password() for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "word", ["fat", "chubby", "skinny", "heavy", "greedy", "hungry", "pig", "whale", "pizza", "crazy"]
)
def test_no_password_speaks_of_bodies_food_or_madness(word: str) -> None:
    assert word not in WORDS
    assert "otter" in WORDS
