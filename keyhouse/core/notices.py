"""When a room's own people are told that the house cannot see what they write, and when that it can again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from keyhouse.core.alarms import MANY_ROOMS, Alarm, AlarmKind

_OPEN = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NoticeLimits:
    """How long a room must be blind before it says so: a program that was started again has soon read everything."""

    told_after: timedelta = timedelta(minutes=3)

    @property
    def settled_after(self) -> timedelta:
        """Two times of blindness with less between them are one, and it is over only when so much has passed."""
        return self.told_after / 3


class Sight(StrEnum):
    """What a room is told, from the least to the gravest."""

    SEEN_AGAIN = "seen_again"
    UNREADABLE = "unreadable"
    NOT_SURE = "not_sure"
    WITHOUT_WATCHER = "without_watcher"


@dataclass(frozen=True, slots=True)
class RoomNotice:
    """What one room is told. until: None while it goes on; only a notice that it is over knows it.

    began: when the whole time of blindness began, by which it is known again; since may be later, after a short break
    or when it became graver.
    """

    sight: Sight
    since: datetime
    until: datetime | None
    began: datetime

    @classmethod
    def of(cls, content: Mapping[str, object]) -> Self:
        """Read it from an outgoing decision."""
        since, until = str(content["since"]), content["until"]
        ended = datetime.fromisoformat(str(until)) if until is not None else None
        # Decisions of earlier versions do not name it.
        began = datetime.fromisoformat(str(content.get("began", since)))
        return cls(Sight(str(content["sight"])), datetime.fromisoformat(since), ended, began)

    def content(self) -> dict[str, object]:
        """Return it as JSON values."""
        ended = self.until.isoformat() if self.until else None
        times = {"since": self.since.isoformat(), "until": ended, "began": self.began.isoformat()}
        return {"sight": self.sight.value, **times}


@dataclass(frozen=True, slots=True)
class Blindness:
    """A time in which a room was not seen, or not surely. until: None while it goes on.

    again_since: when it went on after its last break, which was too short to count; None when it had none.
    """

    since: datetime
    until: datetime | None
    sight: Sight
    again_since: datetime | None = None

    @property
    def unbroken_since(self) -> datetime:
        """Return since when it lasts without any break."""
        return self.again_since or self.since

    @property
    def end(self) -> datetime:
        """Return until when, for comparing: what goes on ends after everything else."""
        return self.until or _OPEN

    def is_told(self, limits: NoticeLimits, now: datetime) -> bool:
        """Say whether it has lasted long enough that people are told."""
        return (self.until or now) - self.since >= limits.told_after

    def is_over(self, limits: NoticeLimits, now: datetime) -> bool:
        """Say whether it ended, and long enough ago to trust in it."""
        return self.until is not None and now - self.until >= limits.settled_after


def house_blindness(alarms: Iterable[Alarm], watchers: Collection[str], limits: NoticeLimits) -> list[Blindness]:
    """Find when no room at all was surely seen, oldest first; empty is good.

    watchers: the names of the watchers' processes. While one of several works, the house sees.
    """
    of_watchers: dict[str, list[Blindness]] = {name: [] for name in watchers}
    found = []
    for alarm in alarms:
        blindness = Blindness(alarm.raised_at, alarm.ended_at, Sight.NOT_SURE)
        if alarm.kind in (AlarmKind.PROCESS_STOPPED, AlarmKind.WATCHER_LAGS) and alarm.subject in of_watchers:
            of_watchers[alarm.subject].append(blindness)
        elif alarm.kind is AlarmKind.PROBE_LATE or _mute(alarm, watchers) or _not_named(alarm):
            found.append(blindness)
    all_away = _all_at_once([merged(each, limits) for each in of_watchers.values()])
    return merged([*found, *all_away], limits)


def room_blindness(alarms: Iterable[Alarm], limits: NoticeLimits) -> dict[str, list[Blindness]]:
    """Find when single rooms were not seen, by the subject under which alarms name a room."""
    sights = {
        AlarmKind.ROOM_WITHOUT_WATCHER: Sight.WITHOUT_WATCHER,
        AlarmKind.ROOM_UNREADABLE: Sight.UNREADABLE,
    }
    found: dict[str, list[Blindness]] = {}
    for alarm in alarms:
        if alarm.kind in sights and not _not_named(alarm):
            blindness = Blindness(alarm.raised_at, alarm.ended_at, sights[alarm.kind])
            found.setdefault(alarm.subject, []).append(blindness)
    return {subject: _merged_by_sight(each, limits) for subject, each in found.items()}


def find_notice(pieces: Sequence[Blindness], whole: Blindness, limits: NoticeLimits, now: datetime) -> RoomNotice:
    """Find what a room is told at this moment of a whole time of blindness, which these pieces are merged to.

    The gravest is told, once it has lasted; so a room that was told a weaker one is told again.
    """
    if whole.is_over(limits, now):
        return RoomNotice(Sight.SEEN_AGAIN, whole.since, whole.until, whole.since)
    within = [each for each in pieces if whole.since <= each.since <= whole.end]
    lasting = [each for each in within if each.is_told(limits, now)]
    gravest = max(lasting or within, key=lambda each: _gravity(each.sight))
    return RoomNotice(gravest.sight, gravest.unbroken_since, None, whole.since)


def merged(times: Iterable[Blindness], limits: NoticeLimits) -> list[Blindness]:
    """Join what overlaps or nearly touches; each has the gravest sight of what it is joined from."""
    joined: list[Blindness] = []
    for each in sorted(times, key=lambda blindness: blindness.since):
        if joined and each.since - limits.settled_after <= joined[-1].end:
            joined.append(_joined(joined.pop(), each))
        else:
            joined.append(each)
    return joined


def _joined(first: Blindness, other: Blindness) -> Blindness:
    unbroken = first.unbroken_since if other.unbroken_since <= first.end else other.unbroken_since
    return Blindness(
        first.since,
        max(first, other, key=lambda each: each.end).until,
        max(first.sight, other.sight, key=_gravity),
        unbroken,
    )


def _merged_by_sight(times: Sequence[Blindness], limits: NoticeLimits) -> list[Blindness]:
    return [whole for sight in Sight for whole in merged((each for each in times if each.sight is sight), limits)]


def _gravity(sight: Sight) -> int:
    return list(Sight).index(sight)


def _mute(alarm: Alarm, watchers: Collection[str]) -> bool:
    return alarm.kind is AlarmKind.OUTBOX_LATE and alarm.subject in watchers


def _not_named(alarm: Alarm) -> bool:
    """Too many rooms to name them: then any room may be one of them."""
    return alarm.subject == MANY_ROOMS


def _all_at_once(lanes: Sequence[list[Blindness]]) -> list[Blindness]:
    """Find when every one of several was blind."""
    if not lanes:
        return []
    common = lanes[0]
    for lane in lanes[1:]:
        pairs = [(one, other) for one in common for other in lane]
        common = [
            Blindness(
                max(one.since, other.since),
                min(one, other, key=lambda each: each.end).until,
                Sight.NOT_SURE,
                max(one.unbroken_since, other.unbroken_since),
            )
            for one, other in pairs
            if max(one.since, other.since) < min(one.end, other.end)
        ]
    return common
