"""What somebody reads on a telephone at three in the morning: one plain sentence by kind and subject."""

from datetime import UTC, datetime, timedelta

from keyhouse.core.alarms import MANY_ROOMS, Alarm, AlarmKind

_WRONG: dict[AlarmKind, str] = {
    AlarmKind.HOMESERVER_AWAY: "the homeserver does not answer",
    AlarmKind.STORE_AWAY: "the house's database cannot be used",
    AlarmKind.PROCESS_STOPPED: "{subject} has stopped",
    AlarmKind.WATCHER_LAGS: "{subject} runs but hears nothing from the homeserver",
    AlarmKind.PROBE_LATE: "the house's test message did not come through",
    AlarmKind.ROOM_WITHOUT_WATCHER: "the watcher cannot see {subject}",
    AlarmKind.ROOM_UNREADABLE: "the watcher cannot read {subject}",
    AlarmKind.EVENTS_SET_ASIDE: "{subject} could not handle an event and set it aside",
    AlarmKind.OUTBOX_LATE: "what {subject} has to send is late",
    AlarmKind.PAGER_FAILED: "nobody can be told outside of Matrix",
}
_GAP_CUT = "the watcher was away for too long to see all that was written in {subject}"
_NO_FURTHER_GAP = "nothing further that was written in {subject} was missed"
_CHANNEL_FAILED = "the pager's channel {subject} does not work"
_WELL: dict[AlarmKind, str] = {
    AlarmKind.HOMESERVER_AWAY: "the homeserver answers",
    AlarmKind.STORE_AWAY: "the house's database can be used",
    AlarmKind.PROCESS_STOPPED: "{subject} runs",
    AlarmKind.WATCHER_LAGS: "{subject} hears the homeserver",
    AlarmKind.PROBE_LATE: "the house's test message came through",
    AlarmKind.ROOM_WITHOUT_WATCHER: "the watcher sees {subject}",
    AlarmKind.ROOM_UNREADABLE: "the watcher can read what is written in {subject}",
    AlarmKind.EVENTS_SET_ASIDE: "{subject} set no further event aside",
    AlarmKind.OUTBOX_LATE: "what {subject} has to send is in time",
    AlarmKind.PAGER_FAILED: "somebody can be told outside of Matrix",
}


def wrong_words(kind: AlarmKind, subject: str) -> str:
    """Say what is wrong, without a moment: "the watcher cannot see room 12"."""
    words = _WRONG[kind]
    if kind is AlarmKind.PAGER_FAILED and subject:
        words = _CHANNEL_FAILED
    elif _is_cut_gap(kind, subject):
        words = _GAP_CUT
    return words.format(subject=subject)


def begin_sentence(alarm: Alarm) -> str:
    """Say what is wrong and since when: "risk_monitor has stopped (since 03:12 UTC)"."""
    return f"{wrong_words(alarm.kind, alarm.subject)} (since {clock_time(alarm.raised_at)})"


def again_sentence(alarm: Alarm, now: datetime) -> str:
    """Say that it is still wrong: "still: risk_monitor has stopped (since 03:12 UTC, 30 minutes)"."""
    span = _span(now - alarm.raised_at)
    return f"still: {wrong_words(alarm.kind, alarm.subject)} (since {clock_time(alarm.raised_at)}, {span})"


def end_sentence(alarm: Alarm, now: datetime) -> str:
    """Say that it is over: "well again: risk_monitor runs (after 4 minutes)"."""
    subject = "all rooms but a few" if alarm.subject == MANY_ROOMS else alarm.subject
    words = _NO_FURTHER_GAP if _is_cut_gap(alarm.kind, alarm.subject) else _WELL[alarm.kind]
    return f"well again: {words.format(subject=subject)} (after {_span(now - alarm.raised_at)})"


def clock_time(moment: datetime) -> str:
    """Write a moment as people read it, with its zone: nobody on call has to guess whether it is summer time."""
    return f"{moment.astimezone(UTC):%H:%M} UTC"


def _is_cut_gap(kind: AlarmKind, subject: str) -> bool:
    return kind is AlarmKind.EVENTS_SET_ASIDE and subject.startswith("room ")


def _span(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
    if seconds < 120:
        return f"{seconds} seconds"
    minutes = seconds // 60
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"
