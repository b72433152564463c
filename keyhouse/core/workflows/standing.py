"""Pause somebody and let them write again, give an unlucky name away, close an account for good."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.cases import released
from keyhouse.core.ids import EventId, RoomId, UserId
from keyhouse.core.names import marked
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import TEAM_ROLES, Person, PersonState
from keyhouse.core.ports import Transaction
from keyhouse.core.room_state import kinds_with
from keyhouse.core.standing import is_erased_when_closed, may_be_marked, may_change_standing, may_close
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.alerting import card_edit
from keyhouse.core.workflows.moves import follow_keys, rooms_opened
from keyhouse.core.workflows.naming import is_free, name_key
from keyhouse.core.workflows.pictures import redaction

_CONCIERGE_LIVES_IN = kinds_with(ServiceAccount.CONCIERGE)
_CASES_LOOKED_AT = 1000


def pause(tx: Transaction, user_id: UserId, by: str, now: datetime) -> Person | Refused:
    """Let somebody read only, except at the desk and in therapy; doing it twice changes nothing."""
    return _bring_into(tx, user_id, PersonState.PAUSED, by, now)


def resume(tx: Transaction, user_id: UserId, by: str, now: datetime) -> Person | Refused:
    """Let somebody write again who was paused; doing it twice changes nothing."""
    return _bring_into(tx, user_id, PersonState.ACTIVE, by, now)


def rename(tx: Transaction, user_id: UserId, name: str, by: str, now: datetime) -> Person | Refused:
    """Give somebody who lives here this drawn name; PSEUDONYM_TAKEN asks for another draw. The account stays.

    The door lets the new name into the rooms from now on, and no other; the caretaker brings it there.
    """
    person = tx.people.get(user_id)
    verdict = may_change_standing(person)
    if person is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.UNKNOWN_PERSON)
    # Of two who give one name at once, the second one's row is dropped.
    if not is_free(tx, name) or not tx.outbox.add(_renaming(user_id, name_key(name), now), now):
        return Refused(Reason.PSEUDONYM_TAKEN)
    return _keep_name(tx, person, name, by, now)


def mark_as_team(tx: Transaction, user_id: UserId, by: str, now: datetime) -> Person | Refused:
    """Give a team account of an older house the team's mark; its name is otherwise not changed."""
    person = tx.people.get(user_id)
    verdict = may_be_marked(person)
    if person is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.UNKNOWN_PERSON)
    tx.outbox.add(_renaming(user_id, f"mark:{user_id}:{now.isoformat()}", now), now)
    return _keep_name(tx, person, marked(person.name), by, now)


def close(
    tx: Transaction, user_id: UserId, by: str, now: datetime, *, even_with_open_case: bool = False
) -> Person | Refused:
    """Close an account for good: no keys, out of every room; the caretaker then ends and erases it.

    Alerts and cases stay. Words that an open case is about are taken back when the case has been closed.
    """
    person, open_cases = tx.people.get(user_id), tx.cases.open_of(user_id)
    verdict = may_close(person, has_open_case=bool(open_cases) and not even_with_open_case)
    if person is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.UNKNOWN_PERSON)
    closed, were_open = replace(person, state=PersonState.CLOSED), rooms_opened(tx, person, now)
    tx.people.update(closed)
    for key in tx.people.keys(user_id):
        tx.people.revoke(user_id, key.condition, now)
    tx.calendar_feeds.revoke(user_id, now)
    _give_cases_back(tx, closed, now)
    follow_keys(tx, closed, f"closed:{now.isoformat()}", now, frozenset(scope.room_id for scope in were_open))
    closing = NewOutgoing(
        OutgoingKind.ACCOUNT_CLOSING, Worker.CARETAKER, f"closing:{user_id}", {"person": user_id}, now
    )
    tx.outbox.add(closing, now)
    detail: dict[str, str | int] = {"role": person.role.value, "open_cases": len(open_cases)}
    tx.audit.append("person.closed", actor=by, subject=user_id, detail=detail, now=now)
    return closed


def words_are_held(tx: Transaction, user_id: UserId) -> bool:
    """Say whether a closed account's words stay for now, because a case about them is open."""
    return bool(tx.cases.open_of(user_id))


def rooms_to_clear(tx: Transaction, rooms: Iterable[RoomId]) -> list[RoomId]:
    """Return those of these rooms in which the concierge can take words back."""
    return sorted(scope.room_id for scope in tx.rooms.among(set(rooms)) if scope.kind in _CONCIERGE_LIVES_IN)


def take_back(tx: Transaction, room_id: RoomId, events: Iterable[EventId], now: datetime) -> int:
    """Decide that the concierge redacts these events; return how many of these decisions were new."""
    return tx.outbox.add_all([redaction(room_id, event_id, now) for event_id in events], now)


def erased(tx: Transaction, user_id: UserId, now: datetime) -> None:
    """Keep that a closed account is gone from the homeserver; neither the audit chain nor a record number leads on."""
    person = tx.people.get(user_id)
    tx.audit.append("person.erased", actor=Worker.CARETAKER.value, subject=user_id, now=now)
    if person is None or is_erased_when_closed(person):
        tx.referrals.forget_reference(user_id)
        tx.audit.forget(user_id)


def _bring_into(tx: Transaction, user_id: UserId, state: PersonState, by: str, now: datetime) -> Person | Refused:
    person = tx.people.get(user_id)
    verdict = may_change_standing(person)
    if person is None or isinstance(verdict, Refused):
        return verdict if isinstance(verdict, Refused) else Refused(Reason.UNKNOWN_PERSON)
    if person.state is state:
        return person
    changed = replace(person, state=state)
    tx.people.update(changed)
    tx.audit.append(f"person.{state.value}", actor=by, subject=user_id, now=now)
    return changed


def _keep_name(tx: Transaction, person: Person, name: str, by: str, now: datetime) -> Person:
    renamed = replace(person, name=name)
    tx.people.update(renamed)
    tx.audit.append("person.renamed", actor=by, subject=person.user_id, now=now)
    return renamed


def _renaming(user_id: UserId, once: str, now: datetime) -> NewOutgoing:
    return NewOutgoing(OutgoingKind.RENAME, Worker.CARETAKER, once, {"person": user_id}, now)


def _give_cases_back(tx: Transaction, person: Person, now: datetime) -> None:
    """Let nobody's case stay with a clinician who is gone."""
    if person.role not in TEAM_ROLES:
        return
    for case in tx.cases.listed(only_open=True, limit=_CASES_LOOKED_AT):
        if case.claimed_by == person.user_id:
            tx.cases.update(released(case))
            tx.outbox.add(card_edit(case, f"left:{now.isoformat()}", now), now)
