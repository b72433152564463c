"""What is sent once, whichever device sends it: the mark that an event carries, and the tries that are going on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

MARK = "uk.keyhouse.once"
"""Key in an event's outer content. Its value is a decision's transaction id: drawn by chance, so it tells nothing."""


class NoLongerOurs(Exception):
    """The lease was lost before the event left; whoever holds it now sends it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one decision.

    perhaps_sent_since: from when on the timeline may hold its event already; None when it cannot.
    may_send: asked once more right before the event leaves.
    """

    perhaps_sent_since: datetime | None
    may_send: Callable[[], bool]


class Attempts:
    """The tries that are going on, by transaction id: the outbox begins and ends them, what sends asks for them."""

    def __init__(self) -> None:
        self._now: dict[str, Attempt] = {}

    @contextmanager
    def begun(self, txn_id: str, attempt: Attempt) -> Iterator[None]:
        """Let this be the attempt that events with this transaction id belong to."""
        self._now[txn_id] = attempt
        try:
            yield
        finally:
            del self._now[txn_id]

    def of(self, txn_id: str) -> Attempt | None:
        """The attempt that this transaction id belongs to; None outside of the outbox."""
        return self._now.get(txn_id)
