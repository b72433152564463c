"""Who may write where, by what has changed about it."""

from typing import Any

from sqlalchemy import Column, Table, select

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.rooms import RoomKind
from keyhouse.core.speaking import PolicyChange, Speaker
from keyhouse.storage.people import as_person
from keyhouse.storage.tables import person, policy, room
from keyhouse.storage.work import Work


class SqlPolicy:
    """Finds people and rooms by the number of their last change."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def changed_since(self, version: int, limit: int) -> PolicyChange:
        """Return people and rooms that were added or changed after this version, oldest change first."""
        until = self._until(version, limit)
        people = self._between(person, person.c.policy_version, version, until)
        rooms = self._between(room, room.c.policy_version, version, until)
        speakers = {UserId(row.user_id): Speaker.of(as_person(row)) for row in people}
        return PolicyChange(until, speakers, {RoomId(row.room_id): RoomKind(row.kind) for row in rooms})

    def newest(self) -> int:
        """Return the version of the last kept change."""
        return int(self._work.scalar(select(policy.c.counter).where(policy.c.id == 1)) or 0)

    def _until(self, version: int, limit: int) -> int:
        """Return the last version that fits; what one transaction has changed shares one and stays together."""
        lasts = [self.newest()]
        for number in (person.c.policy_version, room.c.policy_version):
            query = select(number).where(number > version).order_by(number).offset(limit - 1).limit(1)
            last: int | None = self._work.scalar(query)
            lasts += [] if last is None else [last]
        return min(lasts)

    def _between(self, table: Table, number: Column[Any], version: int, until: int) -> Any:
        return self._work.all(select(table).where(number > version, number <= until).order_by(number))
