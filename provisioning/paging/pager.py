"""Tell somebody outside of Matrix: one page, through the first channel that takes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from provisioning.drill_mark import DRILL, running_drill
from provisioning.paging.sent import SentPage, keep_sent

TAKES_AT_MOST_S = 10.0
"""A channel that has not taken a page by then has failed."""


@dataclass(frozen=True, slots=True)
class Page:
    """What somebody is told. id: the same at every try, so that a receiver may drop a second copy."""

    id: str
    text: str
    kind: str
    subject: str
    house: str
    at: datetime

    def document(self) -> dict[str, str]:
        """Return the page as a webhook gets it."""
        at = self.at.isoformat(timespec="seconds")
        return {"text": self.text, "kind": self.kind, "subject": self.subject, "house": self.house, "at": at}


class PageNotTaken(Exception):
    """A channel did not take a page; the text says why in one sentence, without any address or secret."""


class Channel(Protocol):
    """One way to tell somebody. name: as it stands in pager.yaml."""

    name: str

    async def send(self, page: Page) -> None:
        """Hand the page over within TAKES_AT_MOST_S; raises PageNotTaken."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one page in one channel. fault: None when it was taken."""

    channel: str
    fault: str | None = None


class Pager:
    """The channels of a house, in their order. house: its name, which stands in every page.

    run: where drills are marked and what was sent is kept; None for neither.
    """

    def __init__(self, channels: Sequence[Channel], house: str, run: Path | None = None) -> None:
        self.channels = tuple(channels)
        self.house = house
        self._run = run

    async def send(self, page: Page) -> list[Attempt]:
        """Tell somebody: through the first channel, and where that fails through the next. Empty: there is none."""
        attempts: list[Attempt] = []
        page = self._called_a_drill(page)
        for channel in self.channels:
            attempts.append(await _attempt(channel, page))
            if attempts[-1].fault is None:
                self._keep(page, channel.name)
                break
        return attempts

    async def send_through_each(self, page: Page) -> list[Attempt]:
        """Try every channel, also after one took the page: to see that each works."""
        return [await _attempt(channel, page) for channel in self.channels]

    def _called_a_drill(self, page: Page) -> Page:
        drill = running_drill(self._run, datetime.now(UTC)) if self._run is not None else None
        is_one = drill is not None and drill.covers(page.kind, page.subject)
        return replace(page, text=f"{DRILL}{page.text}") if is_one else page

    def _keep(self, page: Page, channel: str) -> None:
        if self._run is not None:
            keep_sent(self._run, SentPage(channel, datetime.now(UTC), page.kind, page.subject, page.text))


def was_taken(attempts: Sequence[Attempt]) -> bool:
    """Say whether somebody was told."""
    return any(attempt.fault is None for attempt in attempts)


async def _attempt(channel: Channel, page: Page) -> Attempt:
    try:
        await channel.send(page)
    except PageNotTaken as fault:
        return Attempt(channel.name, str(fault))
    return Attempt(channel.name)
