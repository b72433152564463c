"""Durations as people write them in a settings file: a whole number and its unit, `90s`, `10m`, `2h`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"^([1-9][0-9]{0,5})(s|m|h)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


def read_duration(written: object) -> timedelta:
    """Read a duration; a number without its unit is a ValueError, because nobody can know what was meant."""
    if isinstance(written, timedelta):
        return written
    found = _WRITTEN.match(str(written))
    if not isinstance(written, str) or found is None:
        raise ValueError("is not a duration; write a whole number with its unit, such as 30s, 10m or 2h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Duration = Annotated[timedelta, BeforeValidator(read_duration)]
