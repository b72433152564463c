"""Names that no other test uses, repeatable from a seed that is printed with every run."""

import itertools
import os
import random
import time

# The time, because names must also differ between two runs against one kept directory.
SEED = int(os.environ.get("KEYHOUSE_TEST_SEED") or time.time_ns())

_names = random.Random(SEED)
_count = itertools.count(1)


def fresh_name(prefix: str) -> str:
    """A localpart that no test has had before: the prefix, a number and a few letters from the run's seed."""
    letters = "".join(_names.choices("abcdefghijkmnpqrstuvwxyz", k=5))
    return f"{prefix}-{next(_count)}-{letters}"
