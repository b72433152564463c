"""Sets of slots as numbers: which slots a text fills is known long before it is known where."""

from collections.abc import Iterator


def single_bits(bits: int) -> Iterator[int]:
    """Take a number apart into its bits."""
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest
