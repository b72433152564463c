"""Look at the house itself: what was seen of it → alarms, and the pages that tell somebody outside of Matrix."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from keyhouse.core.alarm_sentences import again_sentence, begin_sentence, end_sentence
from keyhouse.core.alarms import (
    CARETAKER,
    Alarm,
    AlarmChanges,
    AlarmKey,
    AlarmKind,
    AlarmLimits,
    Trouble,
    find_alarm_changes,
)
from keyhouse.core.ids import RoomId, RoomNumber
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Heartbeat, Transaction
from keyhouse.core.probing import PROCESS as PROBE
from keyhouse.core.troubles import ROOMS_NAMED, HouseFacts, SignOfLife, find_troubles

LOOKED_AGAIN_WITHIN = timedelta(seconds=30)
"""After a longer gap (a machine that slept, a clock that was set) the looking begins anew."""

Fact = TypeVar("Fact")
_WORKERS = (Worker.RISK_MONITOR, Worker.ROOM_GATEKEEPER, Worker.BOOKING)


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of the house outside of its database; each as in HouseFacts.

    rooms_without_watcher: the oldest first; None while nobody has looked yet.  first_started_at: by process; one that
    is expected and not started yet has None.
    """

    expected: Sequence[str]
    given_up: frozenset[str] = frozenset()
    unwell_since: Mapping[str, datetime] = field(default_factory=dict)
    homeserver_silent_since: datetime | None = None
    rooms_without_watcher: Mapping[RoomId, datetime] | None = None
    first_started_at: Mapping[str, datetime | None] = field(default_factory=dict)
    homeserver_started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What one look leaves to the next. set_aside: how many events each worker had set aside; None before any look."""

    looking_since: datetime
    looked_at: datetime
    last_wrong: Mapping[AlarmKey, datetime] = field(default_factory=dict)
    set_aside: Mapping[str, int] | None = None
    set_aside_at: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. standing: the alarms that stand once the changes are kept."""

    changes: AlarmChanges
    standing: tuple[Alarm, ...]
    memory: Memory


def look(tx: Transaction, sight: Sight, memory: Memory, limits: AlarmLimits, now: datetime) -> Look:
    """Find which alarms begin, are told again and end; changes nothing."""
    beats = {beat.process: beat for beat in tx.heartbeats.all()}
    memory = _remembered(tx, beats, memory, now)
    standing = tx.alarms.open()
    failing = {worker.value: tx.outbox.failing_since(worker) for worker in _whose_failures_count(standing)}
    facts = _facts(tx, sight, beats, memory, limits, now)
    facts = replace(facts, outbox_failing={worker: at for worker, at in failing.items() if at is not None})
    troubles = find_troubles(facts, standing, limits, now)
    if sight.rooms_without_watcher is None:
        troubles += [
            Trouble(*alarm.key, alarm.raised_at, begins=False)
            for alarm in standing
            if alarm.kind is AlarmKind.ROOM_WITHOUT_WATCHER
        ]
    changes = find_alarm_changes(standing, troubles, memory.last_wrong, memory.looking_since, limits, now)
    wrong = {**memory.last_wrong, **{trouble.key: now for trouble in troubles}}
    still = tuple(alarm for alarm in standing if alarm not in changes.end) + changes.begin
    kept = {key: at for key, at in wrong.items() if at == now or any(alarm.key == key for alarm in still)}
    return Look(changes, still, replace(memory, last_wrong=kept))


def watch(
    tx: Transaction,
    sight: Sight,
    memory: Memory,
    limits: AlarmLimits,
    told: Mapping[AlarmKey, datetime],
    now: datetime,
) -> Look:
    """Look, and keep what changed with one page for each.

    told: what `keyhouse up` has told already, because the caretaker could not; it is not told a second time.
    """
    found = look(tx, sight, memory, limits, now)
    for alarm in found.changes.begin:
        before = told.get(alarm.key)
        if tx.alarms.put(replace(alarm, paged_at=before or now)) and before is None:
            tx.outbox.add(_page(alarm, "begun", begin_sentence(alarm), now), now)
    for alarm in found.changes.again:
        tx.alarms.put(replace(alarm, paged_at=now))
        if alarm.paged_at is None:
            tx.outbox.add(_page(alarm, "begun", begin_sentence(alarm), now), now)
        else:
            # While nobody can be reached, the same sentence once is enough.
            tx.outbox.add_again(_page(alarm, "again", again_sentence(alarm, now), now), now)
    for alarm in found.changes.end:
        if tx.alarms.end(alarm.kind, alarm.subject, now):
            tx.outbox.add(_page(alarm, "ended", end_sentence(alarm, now), now), now)
    return found


def record_store_away(tx: Transaction, since: datetime, paged_at: datetime | None, now: datetime) -> None:
    """Keep, once the database is back, that it was away; nothing could be kept before."""
    if tx.alarms.put(Alarm(AlarmKind.STORE_AWAY, "", since, paged_at)):
        tx.alarms.end(AlarmKind.STORE_AWAY, "", now)


def record_channels(tx: Transaction, failed: Mapping[str, bool], now: datetime) -> None:
    """Keep which channels of the pager fail, and that nobody can be told when all do; end what works again.

    failed: each channel that was tried, by name.
    """
    mute = all(failed.values())
    for subject, wrong in {**failed, "": mute}.items():
        if wrong:
            tx.alarms.put(Alarm(AlarmKind.PAGER_FAILED, subject, now))
        else:
            tx.alarms.end(AlarmKind.PAGER_FAILED, subject, now)


def set_aside_counters(memory: Memory) -> dict[str, int]:
    """Return what the caretaker's sign of life keeps, so that the next caretaker knows what was told."""
    return {f"set_aside_{worker}": count for worker, count in (memory.set_aside or {}).items()}


def _whose_failures_count(standing: Iterable[Alarm]) -> tuple[Worker, ...]:
    # A pager that fails has an alarm of its own; that pages wait for it is no further news.
    is_mute = (AlarmKind.PAGER_FAILED, "") in [alarm.key for alarm in standing]
    return _WORKERS if is_mute else (*_WORKERS, Worker.CARETAKER)


def _remembered(tx: Transaction, beats: Mapping[str, Heartbeat], memory: Memory, now: datetime) -> Memory:
    """Begin anew after a gap, and see who set a further event aside."""
    gap = now - memory.looked_at
    since = now if gap > LOOKED_AGAIN_WITHIN or gap < timedelta(0) else memory.looking_since
    counts = {worker.value: tx.inbox.standing(worker).get("quarantined", 0) for worker in _WORKERS}
    if memory.set_aside is None:
        said = beats[CARETAKER].counters if CARETAKER in beats else {}
        before = {worker: said.get(f"set_aside_{worker}", 0) for worker in counts}
    else:
        before = dict(memory.set_aside)
    rose = {worker: now for worker, count in counts.items() if count > before.get(worker, 0)}
    at = {**memory.set_aside_at, **rose}
    return replace(memory, looking_since=since, looked_at=now, set_aside=counts, set_aside_at=at)


def _facts(
    tx: Transaction,
    sight: Sight,
    beats: Mapping[str, Heartbeat],
    memory: Memory,
    limits: AlarmLimits,
    now: datetime,
) -> HouseFacts:
    due = {worker.value: tx.outbox.next_due_at(worker) for worker in _WORKERS}
    probe = beats.get(PROBE)
    unread = tx.inbox.unread_rooms(Worker.RISK_MONITOR, now, limits.unreadable_within)
    worst = dict(sorted(unread.items(), key=lambda each: -each[1]))
    return HouseFacts(
        looking_since=memory.looking_since,
        expected=sight.expected,
        signs={name: SignOfLife(beat.beat_at, beat.last_sync_at) for name, beat in beats.items()},
        given_up=sight.given_up,
        unwell_since=sight.unwell_since,
        homeserver_silent_since=sight.homeserver_silent_since,
        probe_read_at=probe.beat_at if probe else None,
        rooms_without_watcher=_numbered(tx, sight.rooms_without_watcher or {}),
        unread=_numbered(tx, worst),
        set_aside_at=memory.set_aside_at,
        outbox_due={worker: at for worker, at in due.items() if at is not None},
        first_started_at={name: at or memory.looking_since for name, at in sight.first_started_at.items()},
        homeserver_started_at=sight.homeserver_started_at,
    )


def _numbered(tx: Transaction, rooms: Mapping[RoomId, Fact]) -> dict[RoomNumber, Fact]:
    """Return the first rooms by number: one more than are ever named."""
    first = list(rooms.items())[: ROOMS_NAMED + 1]
    numbered = [(tx.rooms.number_of(room), fact) for room, fact in first]
    return {number: fact for number, fact in numbered if number is not None}


def _page(alarm: Alarm, step: str, sentence: str, now: datetime) -> NewOutgoing:
    moment = alarm.raised_at.isoformat()
    content = {"text": sentence, "kind": alarm.kind.value, "subject": alarm.subject, "at": now.isoformat()}
    once = f"page:{alarm.kind.value}:{alarm.subject}:{moment}:{step}"
    return NewOutgoing(OutgoingKind.PAGE, Worker.CARETAKER, once, content, now)
