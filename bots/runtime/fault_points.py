"""Places at which a test can kill a program of ours, to see that nothing is lost. In a house nothing is killed."""

import os
import signal

VARIABLE = "KEYHOUSE_FAULT_POINT"
"""NAME, or NAME:3 for the third time that the place is reached."""

POINTS = frozenset(
    {
        "between_olm_and_megolm",
        "between_upload_and_save",
        "before_inbox_write",
        "after_inbox_write",
        "before_token",
        "after_token",
        "before_decision",
        "after_decision",
        "before_done",
        "before_send",
        "after_send",
        "after_account_change",
        "before_doing",
        "after_doing",
    }
)


def reached(name: str) -> None:
    """Die here, as a power cut would have it, if a test asked for it; else this is one look into a dictionary."""
    left = _LEFT.get(name)
    if left is None:
        return
    _LEFT[name] = left - 1
    if left == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def arm(text: str) -> None:
    """Let a place be deadly from now on: NAME or NAME:N as in the variable; nothing happens for an empty text.

    Raises ValueError for a name that is no place, because a test that kills nothing would pass.
    """
    name, _, times = text.partition(":")
    if not text:
        return
    if name not in POINTS:
        raise ValueError(f"{VARIABLE}: there is no fault point {name}; there are {', '.join(sorted(POINTS))}")
    _LEFT[name] = int(times or 1)


_LEFT: dict[str, int] = {}
arm(os.environ.get(VARIABLE, ""))
