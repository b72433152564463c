"""What a house has settled about booking: its cap, its cut-off, when people are asked and what is done late."""

from dataclasses import dataclass
from datetime import time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class BookingRules:
    """zone: of the wall clocks that people live by.  open_at_most: sessions that one person has booked at once.

    cancel_before: until so long before a session giving it back is early.  hold_for: how long an offered slot waits
    for its answer.  offers_from, offers_until: the part of the day in which somebody may be asked.
    missed_within: two sessions missed in this time are a gentle case.  kept_after: a session about which nobody has
    said anything for so long was kept.
    """

    zone: tzinfo
    open_at_most: int = 2
    cancel_before: timedelta = timedelta(hours=24)
    hold_for: timedelta = timedelta(minutes=30)
    offers_from: time = time(8)
    offers_until: time = time(21)
    missed_within: timedelta = timedelta(days=90)
    kept_after: timedelta = timedelta(days=7)
