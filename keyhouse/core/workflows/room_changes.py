"""The rule about what changes a room: the house does; people only come and go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keyhouse.core.ids import RoomId, UserId, localpart
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict
from keyhouse.core.workflows.entry import decide_entry

MEMBER = "m.room.member"
_ENTERING = frozenset({"join", "invite", "knock"})


@dataclass(frozen=True, slots=True)
class StateEvent:
    """One change of a room that somebody asks for. state_key: whose membership, for memberships."""

    room_id: RoomId
    type: str
    sender: UserId
    state_key: str
    content: Mapping[str, Any]

    @property
    def membership(self) -> str | None:
        """What the membership becomes; None if this is not about one."""
        return str(self.content.get("membership")) if self.type == MEMBER else None

    @property
    def is_own_leaving(self) -> bool:
        """Say whether somebody goes and leaves nothing written behind."""
        return self.membership == "leave" and self.sender == self.state_key and set(self.content) == {"membership"}


def may_change_house(tx: Transaction, user_id: UserId) -> Verdict:
    """Decide whether this account may make and change rooms, and invite and remove people: the house's own may."""
    person = tx.people.get(user_id)
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    return Allowed() if _is_house(person) else Refused(Reason.HOUSE_DOES_THIS)


def may_invite(tx: Transaction, inviter: UserId, invitee: UserId, room_id: RoomId, now: datetime) -> Verdict:
    """Decide whether this account may invite that one: only the house, and only whom the key admits."""
    verdict = may_change_house(tx, inviter)
    return decide_entry(tx, invitee, room_id, now) if isinstance(verdict, Allowed) else verdict


def may_send_state(tx: Transaction, event: StateEvent, now: datetime) -> Verdict:
    """Decide about any state event, whoever sends it and by whichever way it came."""
    if event.is_own_leaving:
        return Allowed()
    if event.membership in _ENTERING and event.sender != event.state_key:
        return may_invite(tx, event.sender, UserId(event.state_key), event.room_id, now)
    sender = tx.people.get(event.sender)
    if event.membership == "join" and sender is not None:
        return _may_come_in(tx, event, sender, now)
    return may_change_house(tx, event.sender)


def _may_come_in(tx: Transaction, event: StateEvent, person: Person, now: datetime) -> Verdict:
    if not _is_house(person) and not _says_only_the_name(event.content, person):
        return Refused(Reason.HOUSE_DOES_THIS)
    return decide_entry(tx, person.user_id, event.room_id, now)


def _says_only_the_name(content: Mapping[str, Any], person: Person) -> bool:
    # Synapse's own setting strips names and pictures of one room alone, but lets every other key through.
    names = (None, person.name, localpart(person.user_id))
    told = {key: value for key, value in content.items() if key != "membership"}
    return told.pop("displayname", None) in names and told.pop("avatar_url", None) is None and not told


def _is_house(person: Person) -> bool:
    return person.role is Role.SERVICE and person.state is not PersonState.CLOSED
