"""What a clock on the wall shows, and which moment that is: an hour in spring is none, one in autumn is two."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo


@dataclass(frozen=True, slots=True)
class UnclearTime:
    """A local time that is no moment at all, or two. moments: UTC; empty in spring's missing hour, two in autumn's."""

    local: datetime
    moments: tuple[datetime, ...]

    def sentence(self, zone: tzinfo) -> str:
        """Say what is wrong with this time, and what to write instead."""
        shown = f"{self.local:%-d %B %Y, %H:%M}"
        if not self.moments:
            return f"{shown} does not exist, because the clocks go forward in that night. Please choose another time."
        first, second = (moment.astimezone(zone).isoformat(timespec="minutes") for moment in self.moments)
        return f"{shown} happens twice, because the clocks go back in that night. Please write {first} or {second}."


def moments_of(local: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the moments, in UTC, at which a clock in this zone shows this time: one, none or two. local: naive."""
    either = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(moment for moment in either if moment.astimezone(zone).replace(tzinfo=None) == local))


def moment_of(local: datetime, zone: tzinfo) -> datetime | UnclearTime:
    """Return the one moment, in UTC, at which a clock in this zone shows this time. local: naive."""
    moments = moments_of(local, zone)
    return moments[0] if len(moments) == 1 else UnclearTime(local, moments)


def next_between(moment: datetime, opens: time, closes: time, zone: tzinfo) -> datetime:
    """Return this moment if a clock in the zone shows a time from opens on and before closes, else the next opening.

    opens is earlier in the day than closes, and neither is in an hour that a change of the clocks touches.
    """
    local = moment.astimezone(zone)
    if opens <= local.time() < closes:
        return moment
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return datetime.combine(day, opens, tzinfo=zone).astimezone(UTC)
