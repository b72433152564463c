"""Which session somebody was asked about last, so that `!yes` alone is enough; kept in memory, for a while."""

from collections import OrderedDict
from datetime import datetime, timedelta

from keyhouse.core.ids import SlotNumber, UserId

REMEMBERED_FOR = timedelta(hours=1)
_PEOPLE = 2000


class Proposals:
    """Forgets the oldest when there are many. After a start it knows none; then people are asked for the number."""

    def __init__(self) -> None:
        self._last: OrderedDict[UserId, tuple[SlotNumber, datetime]] = OrderedDict()

    def keep(self, person: UserId, slot: SlotNumber, now: datetime) -> None:
        """Remember what somebody was asked about."""
        self._last[person] = (slot, now)
        self._last.move_to_end(person)
        while len(self._last) > _PEOPLE:
            self._last.popitem(last=False)

    def of(self, person: UserId, now: datetime) -> SlotNumber | None:
        """Return what somebody was asked about lately."""
        slot, at = self._last.get(person, (None, now))
        return slot if now - at <= REMEMBERED_FOR else None

    def forget(self, person: UserId) -> None:
        """Forget it: it was answered."""
        self._last.pop(person, None)
