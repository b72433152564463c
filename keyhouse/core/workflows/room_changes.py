"""The rule about what changes a room: the house does; people only come and go. And nobody opens one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from keyhouse.core.accounts import CLINICIAN_POWER
from keyhouse.core.closed_rooms import is_born_closed, stays_closed
from keyhouse.core.ids import RoomId, UserId, localpart
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.room_state import MEMBER, POWER_LEVELS
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.workflows.entry import NOWHERE, decide_entry

REASON = "reason"

_ENTERING = frozenset({"join", "invite", "knock"})


@dataclass(frozen=True, slots=True)
class StateEvent:
    """One change of a room that somebody asks for.

    state_key: whose membership, for memberships.  beside: the room's other state events with an empty state key, by
    type.  standing: where the one who would come in is joined, by Synapse; empty for every other change.
    """

    room_id: RoomId
    type: str
    sender: UserId
    state_key: str
    content: Mapping[str, Any]
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    standing: frozenset[RoomId] = NOWHERE

    @property
    def membership(self) -> str | None:
        """What the membership becomes; None if this is not about one."""
        return str(self.content.get("membership")) if self.type == MEMBER else None

    @property
    def is_own_leaving(self) -> bool:
        """Say whether somebody goes of their own will."""
        return self.membership == "leave" and self.sender == self.state_key

    @property
    def kept(self) -> Mapping[str, Any]:
        """What is kept of the content when the change is allowed: who comes or goes leaves no words behind.

        Many apps send a reason along, and nobody is to be held in a room for one.
        """
        if self.is_own_leaving:
            return {"membership": "leave"}
        if self.membership == "join":
            return {key: value for key, value in self.content.items() if key != REASON}
        return self.content


def may_change_house(tx: Transaction, user_id: UserId) -> Verdict:
    """Decide whether this account may make and change rooms, and invite and remove people: the house's own may."""
    person = tx.people.get(user_id)
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    return Allowed() if _is_house(person) else Refused(Reason.HOUSE_DOES_THIS)


def may_make_room(tx: Transaction, user_id: UserId, request: Mapping[str, Any]) -> Verdict:
    """Decide whether this account may make this room: only the house, closed, and with no creator but the house.

    request: the body of createRoom, or what Synapse makes of an upgrade; any field may be of any type.
    """
    verdict = may_change_house(tx, user_id)
    if isinstance(verdict, Refused):
        return verdict
    creators = _creators(request)
    if creators is None or (creators and not creators <= _house(tx)):
        return Refused(Reason.HOUSE_DOES_THIS)
    return is_born_closed(request)


def may_invite(
    tx: Transaction,
    inviter: UserId,
    invitee: UserId,
    room_id: RoomId,
    now: datetime,
    standing: frozenset[RoomId] = NOWHERE,
) -> Verdict:
    """Decide whether this account may invite that one: only the house, and only whom the key admits.

    standing: where the one who is invited is joined.
    """
    verdict = may_change_house(tx, inviter)
    return decide_entry(tx, invitee, room_id, now, standing) if isinstance(verdict, Allowed) else verdict


def may_send_state(tx: Transaction, event: StateEvent, now: datetime) -> Verdict:
    """Decide about any state event, whoever sends it and by whichever way it came."""
    if event.is_own_leaving:
        return Allowed()
    if event.membership in _ENTERING and event.sender != event.state_key:
        return may_invite(tx, event.sender, UserId(event.state_key), event.room_id, now, event.standing)
    sender = tx.people.get(event.sender)
    if event.membership == "join" and sender is not None:
        return _may_come_in(tx, event, sender, now)
    verdict = may_change_house(tx, event.sender)
    return _may_change_room(tx, event) if isinstance(verdict, Allowed) else verdict


def _may_come_in(tx: Transaction, event: StateEvent, person: Person, now: datetime) -> Verdict:
    if not _is_house(person) and not _says_only_the_name(event.kept, person):
        return Refused(Reason.HOUSE_DOES_THIS)
    return decide_entry(tx, person.user_id, event.room_id, now, event.standing)


def _may_change_room(tx: Transaction, event: StateEvent) -> Verdict:
    # Synapse raises a person's power in the name of the house when a server admin asks for it.
    if event.type == POWER_LEVELS and not _keeps_power_in_house(tx, event.content.get("users", {})):
        return Refused(Reason.HOUSE_DOES_THIS)
    return stays_closed(event.type, event.content, event.beside)


def _keeps_power_in_house(tx: Transaction, levels: Any) -> bool:
    if not isinstance(levels, Mapping) or not all(isinstance(level, int) for level in levels.values()):
        return False
    raised = {user_id: level for user_id, level in levels.items() if level > 0}
    others = raised.keys() - _house(tx) if raised else set()
    clinicians = {person.user_id for person in tx.people.with_role(Role.CLINICIAN)} if others else set()
    return all(user_id in clinicians and raised[user_id] <= CLINICIAN_POWER for user_id in others)


def _house(tx: Transaction) -> frozenset[str]:
    return frozenset(person.user_id for person in tx.people.with_role(Role.SERVICE) if _is_house(person))


def _creators(request: Mapping[str, Any]) -> frozenset[str] | None:
    content = request.get("creation_content", {})
    named = content.get("additional_creators", []) if isinstance(content, Mapping) else None
    # Synapse makes creators of everybody whom such a request invites.
    invited = request.get("invite", []) if request.get("preset") == "trusted_private_chat" else []
    if not isinstance(named, Collection) or not isinstance(invited, Collection):
        return None
    return frozenset(str(user_id) for user_id in (*named, *invited))


def _says_only_the_name(content: Mapping[str, Any], person: Person) -> bool:
    # Synapse's own setting strips names and pictures of one room alone, but lets every other key through.
    names = (None, person.name, localpart(person.user_id))
    told = {key: value for key, value in content.items() if key != "membership"}
    return told.pop("displayname", None) in names and told.pop("avatar_url", None) is None and not told


def _is_house(person: Person) -> bool:
    return person.role is Role.SERVICE and person.state is not PersonState.CLOSED
