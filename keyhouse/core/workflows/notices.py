"""Tell the people in a room when the house cannot see it, and when it can again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from keyhouse.core.ids import RoomId
from keyhouse.core.notices import (
    Blindness,
    NoticeLimits,
    RoomNotice,
    find_notice,
    house_blindness,
    merged,
    room_blindness,
)
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.core.probing import PROBE_ROOM
from keyhouse.core.rooms import RoomScope
from keyhouse.core.troubles import room_subject

_ALARMS_LOOKED_AT = 500
_LATELY = timedelta(minutes=30)


def tell_rooms(tx: Transaction, watchers: Collection[str], limits: NoticeLimits, now: datetime) -> int:
    """Decide what rooms are told because of the alarms, as they stand and as they ended lately; say how many notices.

    Called again it decides nothing twice. Once for each time of blindness, and only when that lasts, the room says
    that it is not seen, and once more when that becomes graver; once, when it is over, that it is seen again.
    watchers: names of the watchers' processes.
    """
    decided = find_notices(tx, watchers, limits, now)
    return tx.outbox.add_all(decided, now) if decided else 0


def find_notices(tx: Transaction, watchers: Collection[str], limits: NoticeLimits, now: datetime) -> list[NewOutgoing]:
    """Return what rooms are to be told, some of it perhaps told already; changes nothing."""
    alarms = tx.alarms.latest(_ALARMS_LOOKED_AT)
    everywhere = house_blindness(alarms, watchers, limits)
    of_rooms = room_blindness(alarms, limits)
    alone = {subject: times for subject, times in of_rooms.items() if _matter(merged(times, limits), limits, now)}
    decided = _in_single_rooms(tx, alone, everywhere, limits, now)
    for blindness in _matter(everywhere, limits, now):
        decided += _in_all_rooms(tx, find_notice([blindness], blindness, limits, now), alone, now)
    return decided


def room_to_tell(tx: Transaction, room_id: RoomId, told: RoomNotice) -> RoomScope | None:
    """Return the room in which this notice is still to be said; None when it is no longer true, or the room is gone.

    A notice that comes late, when all is well again, is not said: the one that follows says for how long it was not.
    """
    is_stale = told.until is None and tx.outbox.known(_seen_again_key(room_id, told.began))
    return None if is_stale else tx.rooms.get(room_id)


def _matter(times: Iterable[Blindness], limits: NoticeLimits, now: datetime) -> list[Blindness]:
    return [each for each in times if each.is_told(limits, now) and now - (each.until or now) <= _LATELY]


def _in_single_rooms(
    tx: Transaction,
    alone: Mapping[str, list[Blindness]],
    everywhere: Sequence[Blindness],
    limits: NoticeLimits,
    now: datetime,
) -> list[NewOutgoing]:
    """A room with alarms of its own is told of the whole time in which it was not seen, whatever the cause was."""
    if not alone:
        return []
    rooms = {room_subject(number): room_id for room_id, number in tx.rooms.numbers().items()}
    return [
        _outgoing(rooms[subject], find_notice([*times, *everywhere], whole, limits, now), now)
        for subject, times in alone.items()
        if subject in rooms
        for whole in _matter(merged([*times, *everywhere], limits), limits, now)
    ]


def _in_all_rooms(tx: Transaction, told: RoomNotice, alone: Collection[str], now: datetime) -> list[NewOutgoing]:
    """Every watched room is told at once, so the probe's own, which is among them, shows whether they were."""
    probes = tx.rooms.by_slug(PROBE_ROOM)
    if probes is None or tx.outbox.known(_outgoing(probes.room_id, told, now).once):
        return []
    numbers = tx.rooms.numbers() if alone else {}
    apart = {room_id for room_id, number in numbers.items() if room_subject(number) in alone}
    watched = (room.room_id for room in tx.rooms.all() if room.rules.watched)
    return [_outgoing(room_id, told, now) for room_id in watched if room_id not in apart]


def _outgoing(room_id: RoomId, told: RoomNotice, now: datetime) -> NewOutgoing:
    key = _seen_again_key(room_id, told.began)
    once = f"notice:{room_id}:{told.began.isoformat()}:{told.sight.value}" if told.until is None else key
    content = {"room_id": room_id, **told.content()}
    return NewOutgoing(OutgoingKind.ROOM_NOTICE, Worker.ROOM_GATEKEEPER, once, content, now)


def _seen_again_key(room_id: RoomId, began: datetime) -> str:
    return f"notice:{room_id}:{began.isoformat()}:over"
