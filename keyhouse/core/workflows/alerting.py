"""Message → case: keep the alert, decide what leaves the house because of it."""

from dataclasses import dataclass, replace
from datetime import datetime

from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case, CaseState, case_to_join, reopened, with_alert
from keyhouse.core.ids import CaseNumber, EventId, RoomId
from keyhouse.core.matching.deletion import DELETED_BEFORE_READ
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES, Person
from keyhouse.core.ports import Transaction
from keyhouse.core.probing import is_probe
from keyhouse.core.rooms import RoomScope
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.moves import rooms_opened
from keyhouse.core.workflows.probing import answer_probe

WORDS_SHOWN = 600
COULD_NOT_BE_READ, COULD_NOT_BE_JUDGED = "could_not_be_read", "could_not_be_judged"
UNREAD = frozenset({COULD_NOT_BE_READ, COULD_NOT_BE_JUDGED})
"""Categories of alerts about messages that the author can be asked to write again."""

_NOBODY_KNOWS = UNREAD | {DELETED_BEFORE_READ}
"""Categories of alerts that say that nobody knows yet what was written."""

_SIGNPOSTED = (Urgency.CONCERN, Urgency.URGENT)


@dataclass(frozen=True, slots=True)
class Raised:
    """What became of an alert. is_new: whether it opened the case."""

    case: Case
    is_new: bool


def raise_alert(tx: Transaction, alert: Alert, words: str, now: datetime) -> Raised | None:
    """Keep an alert in a case, with its card and its signposting; None when there is nothing to raise.

    words: what the person wrote; goes into the sealed card alone.  Nothing is raised for an event that was raised
    before, and for authors of the team and the house, who write about these things in their work; the probe is answered
    instead. An event that was raised because nobody could read it is raised again when it has been read.
    """
    author = tx.people.get(alert.author)
    if author is not None and is_probe(author):
        answer_probe(tx, alert, words, now)
    if author is None or author.role not in REFERRED_ROLES:
        return None
    if tx.cases.has_alert(alert.event_id):
        raised = _read_at_last(tx, alert)
    else:
        raised = _into_case(tx, alert, *_care(tx, alert.room_id, author, now))
    if raised is None:
        return None
    for outgoing in _leaving(raised, alert, words, now):
        tx.outbox.add(outgoing, now)
    if not raised.is_new:
        _edit_card(tx, raised.case, alert, now)
    detail: dict[str, str | int] = {"case": raised.case.number, "urgency": alert.urgency.value}
    tx.audit.append("alert.raised", actor="risk_monitor", detail=detail, now=now)
    return raised


def _read_at_last(tx: Transaction, alert: Alert) -> Raised | None:
    """Find the case that an unreadable form of this event is in; it becomes as urgent as what was read.

    One that was closed meanwhile is opened again, unless the person has another open case, which then hears of it.
    """
    case = tx.cases.by_event(alert.event_id)
    if case is None or alert.category in _NOBODY_KNOWS or not _knows_unread(case, alert.event_id):
        return None
    if not case.is_open:
        case = case_to_join(tx.cases.open_of(alert.author), case.service) or reopened(case)
    urgent = replace(case, urgency=max(case.urgency, alert.urgency, key=lambda urgency: urgency.rank))
    tx.cases.update(urgent)
    tx.cases.correct(alert)
    return Raised(urgent, is_new=False)


def _knows_unread(case: Case, event_id: EventId) -> bool:
    return any(known.event_id == event_id and known.category in _NOBODY_KNOWS for known in case.alerts)


def _into_case(tx: Transaction, alert: Alert, service: str, care_room: RoomId) -> Raised:
    joined = case_to_join(tx.cases.open_of(alert.author), service)
    if joined is not None:
        case = with_alert(joined, alert)
        tx.cases.update(case)
        return Raised(case, is_new=False)
    case = Case(
        number=CaseNumber(0),
        author=alert.author,
        service=service,
        care_room=care_room,
        urgency=alert.urgency,
        state=CaseState.RAISED,
        raised_at=alert.raised_at,
        alerts=(alert,),
    )
    return Raised(tx.cases.add(case), is_new=True)


def _care(tx: Transaction, room_id: RoomId, author: Person, now: datetime) -> tuple[str, RoomId]:
    """Find the service that looks after this room, or after this person where the room is personal."""
    here = tx.rooms.get(room_id)
    candidates: list[RoomScope] = [here] if here is not None else []
    candidates += sorted(rooms_opened(tx, author, now), key=lambda scope: scope.slug)
    for scope in candidates:
        care = tx.rooms.care_room(scope.service) if scope.service else None
        if scope.service and care is not None:
            return scope.service, care.room_id
    # Somebody whose keys have all run out still writes at the desk: any team is better than none.
    fallback = tx.rooms.any_care_room()
    if fallback is None or fallback.service is None:
        raise LookupError("the building has no care room; run `keyhouse building apply`")
    return fallback.service, fallback.room_id


def _leaving(raised: Raised, alert: Alert, words: str, now: datetime) -> list[NewOutgoing]:
    number, event = raised.case.number, alert.event_id
    # A person who wrote again and was read believes that the next one arrived too: not long.
    soon = f"{now:%Y%m%d%H}{now.minute // 10}"
    shown = {"case": number, "event_id": event, "urgency": alert.urgency.value, "words": words[:WORDS_SHOWN]}
    hour, unread = f"{now:%Y%m%d%H}", alert.category in UNREAD
    if raised.is_new:
        leaving = [_for_watcher(OutgoingKind.CARE_CARD, f"card:{event}", shown, now)]
    else:
        # A device that lost its keys leaves hundreds unread: they are all in the case, and ring every ten minutes.
        once = f"again:{number}:{alert.category}:{soon}" if unread else f"again:{event}:{alert.category}"
        leaving = [_for_watcher(OutgoingKind.CARE_MESSAGE, once, shown, now)]
    # Not at every message: repeating itself at somebody in distress, the house reads like a machine.
    if unread:
        content: dict[str, object] = {"person": alert.author, "case": number}
        leaving.append(_for_watcher(OutgoingKind.WRITE_AGAIN, f"write_again:{number}:{soon}", content, now))
    elif alert.urgency in _SIGNPOSTED:
        content = {"person": alert.author, "case": number, "urgency": alert.urgency.value}
        leaving.append(_for_watcher(OutgoingKind.SIGNPOSTING, f"signposting:{number}:{hour}", content, now))
    return leaving


def _edit_card(tx: Transaction, case: Case, alert: Alert, now: datetime) -> None:
    if alert.category in UNREAD:
        # An edit that waits shows this one too.
        tx.outbox.add_again(card_edit(case, alert.category, now), now)
    else:
        tx.outbox.add(card_edit(case, f"alert:{alert.event_id}:{alert.category}", now), now)


def card_edit(case: Case, cause: str, now: datetime) -> NewOutgoing:
    """Decide that the case's card is to show the case as it is now."""
    return _for_watcher(OutgoingKind.CARD_EDIT, f"edit:{case.number}:{cause}", {"case": case.number}, now)


def _for_watcher(kind: OutgoingKind, once: str, content: dict[str, object], now: datetime) -> NewOutgoing:
    return NewOutgoing(kind, Worker.RISK_MONITOR, once, content, now)
