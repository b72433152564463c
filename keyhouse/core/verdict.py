"""What a rule answers: allowed, or refused for exactly one listed reason."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why somebody may not. The value is also the tail of the Matrix error code."""

    UNKNOWN_PERSON = "unknown_person"
    PERSON_CLOSED = "person_closed"
    NO_SCOPE = "no_scope"
    NO_CONDITION_IN_SCOPE = "no_condition_in_scope"
    ROLE_NOT_ADMITTED = "role_not_admitted"
    SOMEBODY_ELSES_ROOM = "somebody_elses_room"
    NO_KEY = "no_key"
    KEY_EXPIRED = "key_expired"
    CONDITIONS_EXCLUDE = "conditions_exclude"
    CONDITION_UNKNOWN = "condition_unknown"
    CONDITION_MISSING = "condition_missing"
    ROLE_NOT_REFERRED = "role_not_referred"
    CODE_UNKNOWN = "code_unknown"
    CODE_USED = "code_used"
    CODE_REVOKED = "code_revoked"
    CODE_EXPIRED = "code_expired"
    PSEUDONYM_TAKEN = "pseudonym_taken"
    CASE_UNKNOWN = "case_unknown"
    CASE_CLOSED = "case_closed"
    CASE_TAKEN = "case_taken"
    CASE_OPEN = "case_open"
    NOT_THE_TEAM = "not_the_team"
    OUTCOME_UNKNOWN = "outcome_unknown"
    HOUSE_DOES_THIS = "house_does_this"
    STORE_AWAY = "store_away"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing stands against it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not be, for this one reason."""

    reason: Reason


Verdict = Allowed | Refused
