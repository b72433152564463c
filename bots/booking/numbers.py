"""The numbers of slots in what somebody typed; anything beside them is not taken for a number."""

import re

from keyhouse.core.ids import SlotNumber

_ONE = re.compile(r"(?:slot |session |number |no\.? )?#?(\d{1,9})[.!]?", re.IGNORECASE)
_TWO = re.compile(r"#?(\d{1,9})(?:\s*(?:to|for|and|->|>|→|,)\s*|\s+)#?(\d{1,9})[.!]?", re.IGNORECASE)
_SEVERAL = re.compile(r"#?\d{1,9}(?:(?:\s*,\s*|\s+and\s+|\s+)#?\d{1,9})*", re.IGNORECASE)


def one_number(words: str) -> SlotNumber | None:
    """Read "3" or "slot 3"; None for "tuesday at 3", which is no number."""
    found = _ONE.fullmatch(words.strip())
    return SlotNumber(int(found[1])) if found else None


def two_numbers(words: str) -> tuple[SlotNumber, SlotNumber] | None:
    """Read "3 7" or "3 to 7"."""
    found = _TWO.fullmatch(words.strip())
    return (SlotNumber(int(found[1])), SlotNumber(int(found[2]))) if found else None


def all_numbers(words: str) -> frozenset[SlotNumber] | None:
    """Read "3", "3 4 5" or "3, 4 and 5"."""
    if not _SEVERAL.fullmatch(words.strip()):
        return None
    return frozenset(SlotNumber(int(number)) for number in re.findall(r"\d+", words))
