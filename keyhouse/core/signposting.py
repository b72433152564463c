"""The numbers that are given to a person in distress."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Signposting:
    """Lines in the order in which they are said, with the day until which somebody vouches for them."""

    lines: tuple[str, ...]
    checked_on: date
    review_by: date

    def is_overdue(self, today: date) -> bool:
        """Say whether the numbers have to be checked again; on the last day they still hold."""
        return today > self.review_by
