"""Who may write where: decided for every message, by what a process holds in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from keyhouse.core.carried import Act, Content, act_of, carried
from keyhouse.core.house_rules import is_asked_to_agree
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.rooms import ROOM_KINDS, KindRules, RoomKind
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict


@dataclass(frozen=True, slots=True)
class Speaker:
    """What is asked of an account when it writes."""

    role: Role
    state: PersonState
    has_agreed: bool

    @classmethod
    def of(cls, person: Person) -> "Speaker":
        """Say what is asked of a person; only those who came by a referral are asked to agree to the rules."""
        return cls(person.role, person.state, not is_asked_to_agree(person))


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What has changed about who may write where. version: ask for what came after it the next time."""

    version: int
    speakers: Mapping[UserId, Speaker]
    rooms: Mapping[RoomId, RoomKind]


def may_speak(speaker: Speaker | None, kind: RoomKind | None, act: Act = Act.WORDS) -> Verdict:
    """Decide whether this account may do this in a room of this kind.

    speaker: None is an account that the house does not know.  kind: None is a room that it does not know.
    Membership is Synapse's work and not checked here, nor is whose words are taken back.
    """
    if act is Act.NOTHING:
        return Allowed()
    if speaker is None:
        return Refused(Reason.UNKNOWN_PERSON)
    if speaker.state is PersonState.CLOSED:
        return Refused(Reason.PERSON_CLOSED)
    # A name that slipped out can be taken back by everybody, everywhere, at any time.
    if speaker.role is Role.SERVICE or act is Act.TAKING_BACK:
        return Allowed()
    if kind is None:
        return Refused(Reason.NO_SCOPE)
    rules = ROOM_KINDS[kind]
    return _in_read_only_room(speaker, act) if rules.house_writes else _where_people_write(speaker, rules, act)


def _in_read_only_room(speaker: Speaker, act: Act) -> Verdict:
    if act is not Act.REACTION:
        return Refused(Reason.HOUSE_DOES_THIS)
    return Allowed() if speaker.has_agreed else Refused(Reason.RULES_NOT_AGREED)


def _where_people_write(speaker: Speaker, rules: KindRules, act: Act) -> Verdict:
    # Devices that are made sure of can read; that says nothing to anybody.
    if act is Act.VERIFYING:
        return Allowed()
    # Neither rules nor a pause cut the desk or booked therapy (DESIGN, safety rule 3).
    if rules.while_paused:
        return Allowed()
    if not speaker.has_agreed:
        return Refused(Reason.RULES_NOT_AGREED)
    return Refused(Reason.PAUSED) if speaker.state is PersonState.PAUSED else Allowed()


def may_send(speaker: Speaker | None, kind: RoomKind | None, event_type: str, content: Content) -> Content | Refused:
    """Decide about an event that changes no state: return what may stay of its content, or why it is refused.

    The house's own accounts send what they like.
    """
    verdict = may_speak(speaker, kind, act_of(event_type))
    if isinstance(verdict, Refused):
        return verdict
    if speaker is not None and speaker.role is Role.SERVICE:
        return content
    return carried(event_type, content, read_only=kind is not None and ROOM_KINDS[kind].house_writes)
