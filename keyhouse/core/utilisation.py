"""What became of the slots of a week, by therapist, and how few people may stand behind a figure that is shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyhouse.core.ids import UserId

FEWEST_PEOPLE = 5


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What people did with sessions. cancelled_late: given back inside the cut-off."""

    kept: int
    missed: int
    cancelled_late: int


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Counts of slots, or sums of them. offered: not withdrawn.  booked: not cancelled, kept and missed ones included.

    people: how many different people booked them, or gave them back late.
    """

    offered: int
    booked: int
    outcomes: Outcomes
    people: int


@dataclass(frozen=True, slots=True)
class TherapistWeek:
    """The slots of one therapist that begin in a week."""

    therapist: UserId
    used: Utilisation


def outcomes_shown(used: Utilisation) -> Outcomes | None:
    """Return what people did, or None when so few stand behind it that it could be told of one of them."""
    return used.outcomes if used.people == 0 or used.people >= FEWEST_PEOPLE else None


def total_of(weeks: Iterable[TherapistWeek]) -> Utilisation:
    """Add up the slots; somebody who came to two therapists counts as two people."""
    used = [week.used for week in weeks]
    outcomes = [one.outcomes for one in used]
    return Utilisation(
        sum(one.offered for one in used),
        sum(one.booked for one in used),
        Outcomes(
            sum(one.kept for one in outcomes),
            sum(one.missed for one in outcomes),
            sum(one.cancelled_late for one in outcomes),
        ),
        sum(one.people for one in used),
    )


def total_outcomes_shown(weeks: Sequence[TherapistWeek]) -> Outcomes | None:
    """Return what everybody did; None when what is hidden could be found by taking the shown rows away from it."""
    hidden = [week for week in weeks if outcomes_shown(week.used) is None]
    told = outcomes_shown(total_of(hidden)) is not None
    return outcomes_shown(total_of(weeks)) if told else None
