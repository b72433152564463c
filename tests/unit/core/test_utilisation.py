"""Figures of slots that few people stand behind are not shown, and cannot be found by subtraction."""

import pytest

from keyhouse.core.ids import UserId
from keyhouse.core.utilisation import (
    Outcomes,
    TherapistWeek,
    Utilisation,
    outcomes_shown,
    total_of,
    total_outcomes_shown,
)

DONE = Outcomes(kept=6, missed=2, cancelled_late=1)


def week(people: int, name: str = "dr-a") -> TherapistWeek:
    """A week of ten slots behind which so many people stand."""
    outcomes = DONE if people else Outcomes(0, 0, 0)
    return TherapistWeek(UserId(f"@{name}:k.h"), Utilisation(10, 8 if people else 0, outcomes, people))


@pytest.mark.parametrize(("people", "is_shown"), [(0, True), (1, False), (4, False), (5, True), (30, True)])
def test_what_people_did_is_shown_when_nobody_or_at_least_five_stand_behind_it(people: int, is_shown: bool) -> None:
    one = week(people)

    assert outcomes_shown(one.used) == (one.used.outcomes if is_shown else None)


def test_the_total_adds_up_all_rows() -> None:
    assert total_of([week(5), week(3)]) == Utilisation(20, 16, Outcomes(12, 4, 2), 8)
    assert total_of([]) == Utilisation(0, 0, Outcomes(0, 0, 0), 0)


@pytest.mark.parametrize(
    ("people", "is_shown"),
    [
        ([9, 7], True),
        ([0, 9], True),
        # The one hidden row is the total without the shown one.
        ([9, 4], False),
        ([4], False),
        ([9, 2, 2], False),
        # Together enough people stand behind the hidden rows.
        ([9, 4, 1], True),
        ([3, 2], True),
        ([], True),
    ],
    ids=str,
)
def test_the_total_is_hidden_when_it_would_tell_what_a_row_hides(people: list[int], is_shown: bool) -> None:
    weeks = [week(count, f"dr-{place}") for place, count in enumerate(people)]

    assert (total_outcomes_shown(weeks) is not None) is is_shown
