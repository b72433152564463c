"""What a check of `keyhouse doctor` answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from provisioning.answers import House


class State(StrEnum):
    """ok; warn: works, and somebody should look; fail: does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found. detail: what was seen, and after a fail what to do."""

    name: str
    state: State
    detail: str


Look = Callable[[House, str], Awaitable[Check]]
"""One check: given the house, and the name under which it answers."""


def check(name: str, holds: bool, good: str, bad: str) -> Check:
    """Return ok with `good` when it holds, fail with `bad` when it does not."""
    return Check(name, State.OK, good) if holds else Check(name, State.FAIL, bad)
