"""Hold processes still for as long as a drill lives, and let them go on whatever becomes of it.

A process of its own, in a session of its own: it lets go when its standard input ends, which is so when whoever
started it has ended in any way; when its time is over; and when it is told to end.
"""

import contextlib
import select
import signal
import sys
from collections.abc import Sequence

from provisioning.processes import Started, lives, signal_group

HELD = "held"
_TOLD_TO_END = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class _ToldToEnd(Exception):
    """Somebody ends this process."""


def main(words: Sequence[str]) -> None:
    """Hold the processes PID:TICKS… still for at most SECONDS, and say when they are."""
    within_s, held = float(words[0]), [Started(*map(int, word.split(":"))) for word in words[1:]]
    for number in _TOLD_TO_END:
        signal.signal(number, _end)
    try:
        with contextlib.suppress(_ToldToEnd):
            _signal(held, signal.SIGSTOP)
            print(HELD, flush=True)  # noqa: T201
            select.select([sys.stdin], [], [], within_s)
    finally:
        for number in _TOLD_TO_END:
            signal.signal(number, signal.SIG_IGN)
        _signal(held, signal.SIGCONT)


def _signal(processes: Sequence[Started], number: signal.Signals) -> None:
    for process in processes:
        # The number of one that has ended may belong to somebody else by now.
        if lives(process):
            signal_group(process.pid, number)


def _end(number: int, frame: object) -> None:
    raise _ToldToEnd


if __name__ == "__main__":
    main(sys.argv[1:])
