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
    RULES_NOT_AGREED = "rules_not_agreed"
    PAUSED = "paused"
    NOT_CARRIED = "not_carried"
    STILL_LEAVING = "still_leaving"
    ROOM_WOULD_OPEN = "room_would_open"
    NAME_OF_TEAM = "name_of_team"
    NAME_UNREADABLE = "name_unreadable"
    HOUSE_ACCOUNT = "house_account"
    NOT_A_RESIDENT = "not_a_resident"
    CASE_STILL_OPEN = "case_still_open"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_UNFIT = "reference_unfit"
    TOO_OFTEN = "too_often"
    ROLE_NOT_BOOKED = "role_not_booked"
    SLOT_UNKNOWN = "slot_unknown"
    SLOT_NOT_THERE = "slot_not_there"
    SLOT_NOT_BOOKED = "slot_not_booked"
    SLOT_WITHDRAWN = "slot_withdrawn"
    SLOT_OVER = "slot_over"
    SLOT_YOURS = "slot_yours"
    SLOT_TAKEN = "slot_taken"
    SLOT_HELD = "slot_held"
    BOOKINGS_FULL = "bookings_full"
    BOOKING_OVERLAPS = "booking_overlaps"
    BOOKING_UNKNOWN = "booking_unknown"
    BOOKING_BEGUN = "booking_begun"
    BOOKING_NOT_BEGUN = "booking_not_begun"
    OFFER_UNKNOWN = "offer_unknown"
    WAITING_UNKNOWN = "waiting_unknown"
    PREFERENCE_EMPTY = "preference_empty"
    PRIORITY_UNKNOWN = "priority_unknown"
    NOT_A_THERAPIST = "not_a_therapist"
    SERIES_TOO_LONG = "series_too_long"
    SERIES_EMPTY = "series_empty"
    SLOT_LENGTH = "slot_length"
    TIME_PAST = "time_past"
    TIME_TOO_FAR = "time_too_far"
    STORE_AWAY = "store_away"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Nothing stands against it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not be, for this one reason."""

    reason: Reason


Verdict = Allowed | Refused
