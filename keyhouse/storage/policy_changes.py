"""Numbers what each transaction changes about who may write where, so that others can ask for what is new."""

from collections.abc import Iterable, Sequence

from sqlalchemy import update

from keyhouse.core.ids import RoomId, UserId
from keyhouse.storage.tables import person, policy, room
from keyhouse.storage.work import Work

_BOUND_AT_ONCE = 10_000
"""Rows named in one statement; SQLite binds at most 32,766 values."""


class PolicyChanges:
    """What one transaction has changed."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._people: set[UserId] = set()
        self._rooms: set[RoomId] = set()

    def note_person(self, user_id: UserId) -> None:
        """Remember that it was changed what is asked of a person."""
        self._people.add(user_id)

    def note_room(self, room_id: RoomId) -> None:
        """Remember that it was changed of what kind a room is."""
        self._rooms.add(room_id)

    def number(self) -> None:
        """Give all that was changed the next number; the last thing that a transaction does.

        The counter's row is held from here to the end, so transactions are kept in the order of their numbers. Nothing
        is waited for after it, so who has it holds nobody up for long, and never stands in a circle of waiting ones.
        """
        if not (self._people or self._rooms):
            return
        number = self._next()
        for table, column, changed in ((person, person.c.user_id, self._people), (room, room.c.room_id, self._rooms)):
            for some in _in_portions(sorted(changed)):
                self._work.change(update(table).where(column.in_(some)).values(policy_version=number))

    def _next(self) -> int:
        first = self._work.insert(policy).values(id=1, counter=1)
        count = first.on_conflict_do_update(index_elements=[policy.c.id], set_={"counter": policy.c.counter + 1})
        return int(self._work.added(count.returning(policy.c.counter)))


def _in_portions(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _BOUND_AT_ONCE] for start in range(0, len(ids), _BOUND_AT_ONCE))
