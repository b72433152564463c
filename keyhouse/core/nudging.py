"""A private word to an author, in place of an alert: when it is said, and when it would be nagging."""

from datetime import datetime, timedelta

from keyhouse.core.ids import UserId

COOL_DOWN_DAYS = 3


def once_for(nudge: str, person: UserId, now: datetime) -> str:
    """The key under which a person is nudged once a day at most."""
    return f"nudge:{nudge}:{person}:{now:%Y%m%d}"


def earlier_keys(nudge: str, person: UserId, now: datetime) -> list[str]:
    """The keys of the days during which an earlier nudge still counts."""
    return [once_for(nudge, person, now - timedelta(days=days)) for days in range(1, COOL_DOWN_DAYS)]
