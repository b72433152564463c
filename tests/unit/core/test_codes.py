"""The code on the paper: read as it was meant, and never as another one."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from keyhouse.core.codes import ALPHABET, RANDOM_BYTES, hash_code, in_groups, make_code, read_code

randomness = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)
places = st.integers(min_value=0, max_value=27)
KEY = b"k" * 32

# The check counts modulo 31, so that of 32 symbols these two count alike; nothing else does.
COUNT_ALIKE = {"0", "Z"}


def _symbols(drawn: bytes) -> str:
    return make_code(drawn).replace("-", "")


@given(randomness)
@example(bytes(RANDOM_BYTES))
@example(b"\xff" * RANDOM_BYTES)
def test_what_was_printed_is_read_back(drawn: bytes) -> None:
    code = make_code(drawn)

    assert read_code(code) == code.replace("-", "")
    assert len(code) == 34
    assert [len(group) for group in code.split("-")] == [4] * 7


@given(randomness, st.data())
def test_a_code_is_read_however_it_was_typed(drawn: bytes, data: st.DataObject) -> None:
    printed = _symbols(drawn)
    look_alike = {"0": ["0", "O", "o"], "1": ["1", "I", "i", "L", "l"], "V": ["V", "v", "U", "u"]}
    typed = "".join(
        data.draw(st.sampled_from(look_alike.get(symbol, [symbol, symbol.lower()])))
        + data.draw(st.sampled_from(["", "", " ", "-", " - ", "\n", "\u2013", "\u2011", "\u00a0", "\u200b", "\u00ad"]))
        for symbol in printed
    )

    assert read_code(f"  {typed} ") == printed


@given(randomness, places, st.sampled_from(ALPHABET))
def test_one_changed_symbol_is_refused(drawn: bytes, place: int, other: str) -> None:
    printed = _symbols(drawn)
    assume(printed[place] != other)
    assume({printed[place], other} != COUNT_ALIKE or place == 27)

    assert read_code(printed[:place] + other + printed[place + 1 :]) is None


@given(randomness, st.integers(min_value=0, max_value=26))
def test_two_exchanged_neighbours_are_refused(drawn: bytes, place: int) -> None:
    printed = _symbols(drawn)
    first, second = printed[place], printed[place + 1]
    assume(first != second)
    assume({first, second} != COUNT_ALIKE or place == 26)

    assert read_code(printed[:place] + second + first + printed[place + 2 :]) is None


@given(randomness, places)
def test_a_missing_or_a_doubled_symbol_is_refused(drawn: bytes, place: int) -> None:
    printed = _symbols(drawn)

    assert read_code(printed[:place] + printed[place + 1 :]) is None
    assert read_code(printed[:place] + printed[place] + printed[place:]) is None


@given(st.text(max_size=300))
def test_any_text_is_a_code_or_is_not(text: str) -> None:
    found = read_code(text)

    assert found is None or (len(found) == 28 and set(found) <= set(ALPHABET))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("0" * 27, id="one too few"),
        pytest.param("0" * 29, id="one too many"),
        pytest.param("*" + "0" * 27, id="a sign that is not in the alphabet"),
        pytest.param("é" + "0" * 27, id="an accent"),
        pytest.param("0" * 28 + " " * 200, id="far too long"),
        pytest.param("\ud800" + "0" * 27, id="half of a surrogate pair"),
        pytest.param("٠" * 28, id="digits of another script"),
    ],
)
def test_text_that_cannot_be_a_code_is_refused(text: str) -> None:
    assert read_code(text) is None
    assert read_code("0" * 28) == "0" * 28


@given(randomness, randomness)
def test_different_chance_gives_different_codes(first: bytes, second: bytes) -> None:
    # The last bit of the 136 is not used.
    assume(int.from_bytes(first) >> 1 != int.from_bytes(second) >> 1)

    assert make_code(first) != make_code(second)


@pytest.mark.parametrize("length", [0, RANDOM_BYTES - 1, RANDOM_BYTES + 1])
def test_too_little_or_too_much_chance_is_a_mistake(length: int) -> None:
    with pytest.raises(ValueError, match="17 random bytes"):
        make_code(b"x" * length)


def test_a_hash_depends_on_the_code_and_on_the_key() -> None:
    hashes = {hash_code("A" * 28, KEY), hash_code("B" * 28, KEY), hash_code("A" * 28, b"other" * 8)}

    assert len(hashes) == 3
    assert hash_code("A" * 28, KEY) == hash_code("A" * 28, KEY)
    assert in_groups("ABCDEFGHJ") == "ABCD-EFGH-J"
