"""How somebody stands in the house, active, paused or closed: who may be brought into which state."""

from keyhouse.core.names import bears_mark
from keyhouse.core.people import REFERRED_ROLES, TEAM_ROLES, Person, PersonState, Role
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

RESIDENT_ROLES = REFERRED_ROLES | {Role.STAFF}
"""Roles that live here under a drawn name. What they wrote is theirs, and is taken back when they leave."""


def may_change_standing(person: Person | None) -> Verdict:
    """Decide whether this person may be paused, be let write again, or be given another drawn name.

    Somebody of the team who should not write has no business in people's rooms at all, so there is closing alone.
    """
    verdict = _is_somebody_here(person)
    if person is None or isinstance(verdict, Refused):
        return verdict
    return Allowed() if person.role in RESIDENT_ROLES else Refused(Reason.NOT_A_RESIDENT)


def may_be_marked(person: Person | None) -> Verdict:
    """Decide whether this is a team account of an older house, whose name is still without the team's mark."""
    verdict = _is_somebody_here(person)
    if person is None or isinstance(verdict, Refused):
        return verdict
    if person.role in TEAM_ROLES and not bears_mark(person.name):
        return Allowed()
    return Refused(Reason.NOT_A_RESIDENT)


def may_close(person: Person | None, *, has_open_case: bool) -> Verdict:
    """Decide whether this account may be closed for good; has_open_case: False also when that is to make no odds."""
    verdict = _is_somebody_here(person)
    if isinstance(verdict, Refused):
        return verdict
    return Refused(Reason.CASE_STILL_OPEN) if has_open_case else Allowed()


def is_erased_when_closed(person: Person) -> bool:
    """Say whether closing takes the person's words back and leaves the audit chain leading to nobody.

    What the team told people stays readable to them, and what the team did stays on record.
    """
    return person.role in RESIDENT_ROLES


def _is_somebody_here(person: Person | None) -> Verdict:
    if person is None:
        return Refused(Reason.UNKNOWN_PERSON)
    if person.role is Role.SERVICE:
        return Refused(Reason.HOUSE_ACCOUNT)
    return Refused(Reason.PERSON_CLOSED) if person.state is PersonState.CLOSED else Allowed()
