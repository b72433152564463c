"""What is wrong with the house at one moment, found from what was seen of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from keyhouse.core.alarms import MANY_ROOMS, WATCHER, Alarm, AlarmKey, AlarmKind, AlarmLimits, Trouble
from keyhouse.core.ids import RoomNumber

ROOMS_NAMED = 5
"""So many rooms are told one by one; more of them are one alarm."""

SILENT_AFTER = timedelta(seconds=10)
"""Signs of life come every two seconds. Who is silent for longer is not well yet, when an alarm of it stands."""

CLOCKS_DIFFER = timedelta(seconds=10)
"""Two machines of one house may; a sign from further ahead was written before a clock was put back."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """When a process last said that it lives, and when it last heard the homeserver."""

    beat_at: datetime
    last_sync_at: datetime | None


@dataclass(frozen=True, slots=True)
class HouseFacts:
    """What was seen of the house. looking_since: nothing before it was seen by whoever looks.

    expected: processes that must give signs of life.  given_up: those that are not started again by themselves.
    unwell_since: since when a process has ended again and again.  probe_read_at: when the house's own test message
    last came through.  rooms_without_watcher: since when, by room; ROOMS_NAMED + 1 of them say enough.  unread: how
    many events of a room could lately not be read.  set_aside_at: when a worker last set an event aside.  outbox_due:
    since when a worker's oldest decision should be done.  outbox_failing: since when one of them fails again and again.
    first_started_at: when `keyhouse up` has started a process that has not ended since.  homeserver_started_at: the
    same of a homeserver that has not answered since.
    """

    looking_since: datetime
    expected: Sequence[str] = ()
    signs: Mapping[str, SignOfLife] = field(default_factory=dict)
    given_up: frozenset[str] = frozenset()
    unwell_since: Mapping[str, datetime] = field(default_factory=dict)
    homeserver_silent_since: datetime | None = None
    probe_read_at: datetime | None = None
    rooms_without_watcher: Mapping[RoomNumber, datetime] = field(default_factory=dict)
    unread: Mapping[RoomNumber, int] = field(default_factory=dict)
    set_aside_at: Mapping[str, datetime] = field(default_factory=dict)
    outbox_due: Mapping[str, datetime] = field(default_factory=dict)
    outbox_failing: Mapping[str, datetime] = field(default_factory=dict)
    first_started_at: Mapping[str, datetime] = field(default_factory=dict)
    homeserver_started_at: datetime | None = None


def find_troubles(facts: HouseFacts, standing: Sequence[Alarm], limits: AlarmLimits, now: datetime) -> list[Trouble]:
    """Find everything that is wrong.

    What has not been wrong for long enough yet only keeps an alarm that stands: so one that comes and goes is one
    alarm. Nor does an alarm begin that a greater trouble explains, or a house that is still starting.
    """
    found = [
        *_homeserver(facts, limits, now),
        *_stopped(facts, limits, now),
        *_lagging(facts, limits, now),
        *_probe(facts, limits, now),
        *_rooms(facts, limits, now),
        *_outboxes(facts, limits, now),
        *_set_aside(facts, standing, limits, now),
    ]
    causes = {trouble.key for trouble in found if trouble.begins} | {alarm.key for alarm in standing}
    causes |= _still_to_come(facts, limits, now)
    watchers = [process for process in facts.expected if process.startswith(WATCHER)]
    return [replace(each, begins=False) if _is_explained(each, causes, watchers) else each for each in found]


def room_subject(number: RoomNumber) -> str:
    """Name a room as alarms do: its name or id would say outside of the house what it is for."""
    return f"room {number}"


def _homeserver(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    if (since := facts.homeserver_silent_since) is not None:
        is_long = now - since >= limits.homeserver_after and not _homeserver_starts(facts, limits, now)
        yield Trouble(AlarmKind.HOMESERVER_AWAY, "", since, begins=is_long)


def _still_to_come(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> set[AlarmKey]:
    """Name what is not there yet because it is still starting, as the alarms that there would be of it."""
    starting = {(AlarmKind.PROCESS_STOPPED, name) for name in facts.expected if _starts(name, facts, limits, now)}
    return starting | ({(AlarmKind.HOMESERVER_AWAY, "")} if _homeserver_starts(facts, limits, now) else set())


def _homeserver_starts(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> bool:
    is_silent = facts.homeserver_silent_since is not None
    return is_silent and _is_young(facts.homeserver_started_at, limits.starts_within, now)


def _starts(process: str, facts: HouseFacts, limits: AlarmLimits, now: datetime) -> bool:
    """Say whether a process was started lately, has not spoken since, and has not ended since."""
    started_at, sign = facts.first_started_at.get(process), facts.signs.get(process)
    has_spoken = started_at is not None and sign is not None and sign.beat_at >= started_at
    return not has_spoken and process not in facts.unwell_since and _is_young(started_at, limits.starts_within, now)


def _stopped(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    for process in facts.expected:
        beat_at = facts.signs[process].beat_at if process in facts.signs else None
        since = _counted(beat_at, facts, now)
        since = min(since, facts.unwell_since.get(process, since))
        is_long = now - since >= limits.stopped_after and not _starts(process, facts, limits, now)
        is_long = is_long or process in facts.given_up
        if (
            is_long
            or process in facts.unwell_since
            or not _is_young(beat_at, min(SILENT_AFTER, limits.stopped_after), now)
        ):
            yield Trouble(AlarmKind.PROCESS_STOPPED, process, since, begins=is_long)


def _lagging(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    for process in facts.expected:
        sign = facts.signs.get(process)
        if process.startswith(WATCHER) and sign is not None:
            yield from _late(AlarmKind.WATCHER_LAGS, process, sign.last_sync_at, limits.lags_after, facts, now)


def _probe(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    yield from _late(AlarmKind.PROBE_LATE, "", facts.probe_read_at, limits.probe_after, facts, now)


def _late(
    kind: AlarmKind, subject: str, seen_at: datetime | None, after: timedelta, facts: HouseFacts, now: datetime
) -> Iterable[Trouble]:
    """Tell of something that should be seen every so often; half of the time without it is no good sign."""
    if not _is_young(seen_at, after / 2, now):
        since = _counted(seen_at, facts, now)
        yield Trouble(kind, subject, since, begins=now - since >= after)


def _rooms(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    without = {room: (at, now - at >= limits.room_after) for room, at in facts.rooms_without_watcher.items()}
    unread = {room: (now, count >= limits.unreadable_events) for room, count in facts.unread.items()}
    yield from _by_room(AlarmKind.ROOM_WITHOUT_WATCHER, without)
    yield from _by_room(AlarmKind.ROOM_UNREADABLE, unread)


def _by_room(kind: AlarmKind, rooms: Mapping[RoomNumber, tuple[datetime, bool]]) -> Iterable[Trouble]:
    """Name the rooms, each with since when and whether that is long enough; of too many say only that."""
    long_enough = [since for since, begins in rooms.values() if begins]
    if len(long_enough) > ROOMS_NAMED:
        yield Trouble(kind, MANY_ROOMS, min(long_enough))
    else:
        yield from (Trouble(kind, room_subject(room), since, begins) for room, (since, begins) in rooms.items())


def _outboxes(facts: HouseFacts, limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    for worker in {**facts.outbox_due, **facts.outbox_failing}:
        # What fails is tried again soon, so it is never due for long.
        oldest = min(where[worker] for where in (facts.outbox_due, facts.outbox_failing) if worker in where)
        if now - oldest >= min(SILENT_AFTER, limits.outbox_after):
            since = _counted(oldest, facts, now)
            yield Trouble(AlarmKind.OUTBOX_LATE, worker, since, begins=now - since >= limits.outbox_after)


def _set_aside(facts: HouseFacts, standing: Sequence[Alarm], limits: AlarmLimits, now: datetime) -> Iterable[Trouble]:
    # A bot raises one by itself when it cut a gap, and no count of events shows that.
    for alarm in standing:
        if alarm.kind is AlarmKind.EVENTS_SET_ASIDE and abs(now - alarm.raised_at) < limits.set_aside_for:
            yield Trouble(*alarm.key, alarm.raised_at, begins=False)
    for worker, at in facts.set_aside_at.items():
        if now - at < limits.set_aside_for:
            yield Trouble(AlarmKind.EVENTS_SET_ASIDE, worker, at)


def _counted(moment: datetime | None, facts: HouseFacts, now: datetime) -> datetime:
    """Count from a moment, but not from before the looking began, nor from one that a wrong clock put ahead of us."""
    if moment is None or moment - now > CLOCKS_DIFFER:
        return facts.looking_since
    return max(moment, facts.looking_since)


def _is_young(moment: datetime | None, within: timedelta, now: datetime) -> bool:
    """Say whether something was seen lately, whoever looked then; only this makes an alarm that stands end."""
    return moment is not None and -CLOCKS_DIFFER <= now - moment < within


_NEEDS_THE_HOMESERVER = frozenset(
    {
        AlarmKind.WATCHER_LAGS,
        AlarmKind.PROBE_LATE,
        AlarmKind.OUTBOX_LATE,
        AlarmKind.ROOM_WITHOUT_WATCHER,
        AlarmKind.ROOM_UNREADABLE,
    }
)


def _is_explained(trouble: Trouble, causes: Collection[AlarmKey], watchers: Sequence[str]) -> bool:
    """Say whether a greater trouble is told already: five pages about one thing hide the one that counts."""
    if trouble.kind in _NEEDS_THE_HOMESERVER and (AlarmKind.HOMESERVER_AWAY, "") in causes:
        return True
    stopped = {subject for kind, subject in causes if kind is AlarmKind.PROCESS_STOPPED}
    nobody_watches = bool(watchers) and stopped.issuperset(watchers)
    match trouble.kind:
        case AlarmKind.WATCHER_LAGS:
            return trouble.subject in stopped
        case AlarmKind.PROBE_LATE:
            return nobody_watches
        case AlarmKind.OUTBOX_LATE:
            return nobody_watches if trouble.subject == WATCHER else trouble.subject in stopped
        case _:
            return False
