"""What a route is, and what can come of it for whom."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason
from tests.support.synapse import Answer
from tests.synapse.routes_setting import Setting, Who


@dataclass(frozen=True)
class Outcome:
    """What somebody is answered. word: as the report says it.  reason: of our refusal, None where it is Synapse's."""

    word: str
    status: int
    errcode: str | None = None
    reason: Reason | None = None

    def fits(self, answer: Answer) -> bool:
        """Say whether this is what was answered; a refusal of ours also in our words."""
        said = self.reason is None or answer.body.get("error") == sentence(self.reason)
        return (answer.status, answer.errcode) == (self.status, self.errcode) and said


ALLOWED = Outcome("allowed", 200)


def refused(reason: Reason) -> Outcome:
    """The door says no, for this reason."""
    return Outcome(reason.value.upper(), 403, error_code(reason), reason)


def closed(errcode: str = "M_FORBIDDEN", status: int = 403) -> Outcome:
    """Synapse says no by itself: by its settings, or by the rules of Matrix."""
    return Outcome(f"closed ({errcode})", status, errcode)


class Part(StrEnum):
    """The parts of the table, with their headings."""

    ENTERING = "Coming into a room"
    BRINGING = "Bringing somebody in"
    OPENING = "Opening a room to strangers"
    CHANGING = "Changing a room"
    MAKING = "Making a room"
    READING = "Reading from outside"
    LOOKING = "Finding out who is here"


@dataclass(frozen=True)
class Route:
    """One way. asks: goes it as this one.

    twin: the name of a route on which somebody is allowed, where nobody is on this one; None where Synapse closes it.
    """

    part: Part
    name: str
    asks: Callable[[Setting, Who], Awaitable[Answer]]
    outcomes: Mapping[Who, Outcome]
    twin: str | None = None


HOUSE_DOES_THIS = refused(Reason.HOUSE_DOES_THIS)
WOULD_OPEN = refused(Reason.ROOM_WOULD_OPEN)
NO_KEY = refused(Reason.NO_KEY)
UNKNOWN = refused(Reason.UNKNOWN_PERSON)

SHUT_OUT: Mapping[Who, Outcome] = {
    Who.WITHOUT_KEY: NO_KEY,
    Who.EXCLUDED: NO_KEY,
    Who.REVOKED: NO_KEY,
    Who.EXPIRED: refused(Reason.KEY_EXPIRED),
    Who.CLOSED: refused(Reason.PERSON_CLOSED),
    Who.SERVER_ADMIN: NO_KEY,
    Who.UNKNOWN: UNKNOWN,
}
"""Whom the WILLOW rooms admit on no way, and what each is told."""

PEOPLE_CHANGE_NOTHING: Mapping[Who, Outcome] = {
    Who.WITH_KEY: HOUSE_DOES_THIS,
    Who.ADMIN_WITH_KEY: HOUSE_DOES_THIS,
    Who.CLINICIAN: HOUSE_DOES_THIS,
    Who.EXCLUDED: HOUSE_DOES_THIS,
    Who.SERVER_ADMIN: HOUSE_DOES_THIS,
    Who.UNKNOWN: UNKNOWN,
}
"""What everybody is told who is not the house."""

PEOPLE_INSIDE_CHANGE_NOTHING: Mapping[Who, Outcome] = {**PEOPLE_CHANGE_NOTHING, Who.SERVER_ADMIN: closed()}
"""The same of a room's state: a server admin who is not in the room is refused by Synapse before the door is asked."""


def everybody(outcome: Outcome, *but: Who) -> dict[Who, Outcome]:
    """The same for all but these."""
    return {who: outcome for who in Who if who not in but}
