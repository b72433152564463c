"""An alarm: something is wrong with the house itself, so that it may be blind or mute. Never about what was written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WATCHER = "risk_monitor"
CARETAKER = "caretaker"
MANY_ROOMS = "many rooms"
"""The subject of one alarm for more rooms than anybody wants to be told of one by one."""


class AlarmKind(StrEnum):
    """What is wrong. docs/operating.md says of each what it means and what to do."""

    HOMESERVER_AWAY = "homeserver_away"
    STORE_AWAY = "store_away"
    PROCESS_STOPPED = "process_stopped"
    WATCHER_LAGS = "watcher_lags"
    PROBE_LATE = "probe_late"
    ROOM_WITHOUT_WATCHER = "room_without_watcher"
    ROOM_UNREADABLE = "room_unreadable"
    EVENTS_SET_ASIDE = "events_set_aside"
    OUTBOX_LATE = "outbox_late"
    PAGER_FAILED = "pager_failed"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm. subject: which process or room ("risk_monitor", "room 12"), empty for the house as a whole.

    paged_at: when somebody was last told outside of Matrix.  ended_at: None while it stands.
    """

    kind: AlarmKind
    subject: str
    raised_at: datetime
    paged_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def key(self) -> "AlarmKey":
        """Return by what one standing alarm is told from another."""
        return self.kind, self.subject


AlarmKey = tuple[AlarmKind, str]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong at this moment.

    since: when it began, as far as it was seen.  begins: False when it only keeps an alarm that stands already,
    because it is not old enough to be told, or another alarm explains it.
    """

    kind: AlarmKind
    subject: str
    since: datetime
    begins: bool = True

    @property
    def key(self) -> AlarmKey:
        """Return the alarm that this trouble would be."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """For how long something must be wrong before it is told, and well before that is told.

    unreadable_events: so many unread events of one room within unreadable_within.  set_aside_for: how long after an
    event was set aside the alarm about it stands.  well_after: how long nothing wrong may have been seen.
    again_every: how often what still stands is told.  starts_within: how long what `keyhouse up` has started for the
    first time may take to speak; no longer than `up` itself waits for it before it tells that the house is down.
    """

    homeserver_after: timedelta = timedelta(seconds=60)
    store_after: timedelta = timedelta(seconds=30)
    stopped_after: timedelta = timedelta(seconds=60)
    lags_after: timedelta = timedelta(seconds=90)
    probe_after: timedelta = timedelta(minutes=5)
    room_after: timedelta = timedelta(seconds=60)
    unreadable_events: int = 3
    unreadable_within: timedelta = timedelta(minutes=15)
    outbox_after: timedelta = timedelta(minutes=2)
    set_aside_for: timedelta = timedelta(hours=1)
    well_after: timedelta = timedelta(seconds=30)
    again_every: timedelta = timedelta(minutes=30)
    starts_within: timedelta = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class AlarmChanges:
    """What becomes of the alarms at one moment.

    again: those that still stand and are told once more, or for the first time: a bot can raise an alarm, and tells
    nobody.
    """

    begin: tuple[Alarm, ...] = ()
    again: tuple[Alarm, ...] = ()
    end: tuple[Alarm, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.begin or self.again or self.end)


_TOLD_ONCE = frozenset({AlarmKind.EVENTS_SET_ASIDE})
_NEVER_PAGED = frozenset({AlarmKind.PAGER_FAILED})
_KEPT_BY_OTHERS = frozenset({AlarmKind.STORE_AWAY, AlarmKind.PAGER_FAILED})
"""Kinds that no look at the house finds: whoever meets them begins and ends them."""


def find_alarm_changes(
    standing: Sequence[Alarm],
    troubles: Iterable[Trouble],
    last_wrong: Mapping[AlarmKey, datetime],
    looking_since: datetime,
    limits: AlarmLimits,
    now: datetime,
) -> AlarmChanges:
    """Decide which alarms begin, are told again, and end.

    last_wrong: when each trouble was last seen; one that was not seen at all counts as seen when the looking began,
    so that a caretaker that starts anew ends nothing before it has looked for as long as everybody else. A room that
    was named does not count as well while there are too many to name them.
    """
    wrong = {trouble.key: trouble for trouble in troubles}
    known = {alarm.key for alarm in standing}
    ours = [alarm for alarm in standing if alarm.kind not in _KEPT_BY_OTHERS]
    begin = [
        Alarm(trouble.kind, trouble.subject, trouble.since)
        for trouble in wrong.values()
        if trouble.begins and trouble.key not in known
    ]
    end = [
        alarm
        for alarm in ours
        if not {alarm.key, (alarm.kind, MANY_ROOMS)} & wrong.keys()
        and alarm.paged_at is not None
        and now - last_wrong.get(alarm.key, looking_since) >= limits.well_after
    ]
    again = [alarm for alarm in ours if alarm not in end and is_told_again(alarm, limits, now)]
    return AlarmChanges(tuple(begin), tuple(again), tuple(end))


def is_told_again(alarm: Alarm, limits: AlarmLimits, now: datetime) -> bool:
    """Say whether a standing alarm's time has come to be told once more, or at all."""
    if alarm.kind in _NEVER_PAGED:
        return False
    if alarm.paged_at is None:
        return True
    return alarm.kind not in _TOLD_ONCE and now - alarm.paged_at >= limits.again_every


def means_blindness(alarm: Alarm) -> bool:
    """Say whether people may go unheard while this stands; then the house no longer says outside that all is well."""
    match alarm.kind:
        case AlarmKind.PROCESS_STOPPED:
            return alarm.subject.startswith(WATCHER)
        case AlarmKind.OUTBOX_LATE:
            return alarm.subject == WATCHER
        case AlarmKind.EVENTS_SET_ASIDE:
            # What was set aside is told once and is the team's to look at; all that follows is heard.
            return False
        case AlarmKind.PAGER_FAILED:
            return not alarm.subject
        case (
            AlarmKind.HOMESERVER_AWAY
            | AlarmKind.STORE_AWAY
            | AlarmKind.WATCHER_LAGS
            | AlarmKind.PROBE_LATE
            | AlarmKind.ROOM_WITHOUT_WATCHER
            | AlarmKind.ROOM_UNREADABLE
        ):
            return True
