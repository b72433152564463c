"""Who may write where, in memory."""

from collections.abc import Mapping
from typing import TypeVar

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Person
from keyhouse.core.speaking import PolicyChange, Speaker
from keyhouse.storage.memory.shelves import Shelves

_Id = TypeVar("_Id", UserId, RoomId)


class MemoryPolicy:
    """One number for each person and room: that of the transaction which changed it last."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves
        self._people = {user_id: _asked(one) for user_id, one in shelves.people.items()}
        self._rooms = {room_id: scope.kind for room_id, scope in shelves.rooms.items()}

    def changed_since(self, version: int, limit: int) -> PolicyChange:
        """Return people and rooms that were added or changed after this version, oldest change first."""
        lasts = [_newer(versions, version)[limit - 1 : limit] for versions in self._versions()]
        until = min([self.newest(), *(last for found in lasts for last in found)])
        people = _in_order(self._shelves.person_versions, version, until)
        rooms = _in_order(self._shelves.room_versions, version, until)
        speakers = {user_id: Speaker.of(self._shelves.people[user_id]) for user_id in people}
        return PolicyChange(until, speakers, {room_id: self._shelves.rooms[room_id].kind for room_id in rooms})

    def newest(self) -> int:
        """Return the version of the last kept change."""
        return max((number for versions in self._versions() for number in versions.values()), default=0)

    def number_changes(self) -> None:
        """Give what was changed since this transaction began the next number."""
        number = self.newest() + 1
        people, rooms = self._shelves.people, self._shelves.rooms
        changed = [user_id for user_id, one in people.items() if self._people.get(user_id) != _asked(one)]
        self._shelves.person_versions.update(dict.fromkeys(changed, number))
        moved = [room_id for room_id, scope in rooms.items() if self._rooms.get(room_id) is not scope.kind]
        self._shelves.room_versions.update(dict.fromkeys(moved, number))

    def _versions(self) -> tuple[Mapping[UserId, int], Mapping[RoomId, int]]:
        return self._shelves.person_versions, self._shelves.room_versions


def _asked(of: Person) -> tuple[object, ...]:
    return of.role, of.state, of.rules_agreed


def _in_order(versions: Mapping[_Id, int], after: int, until: int) -> list[_Id]:
    return sorted((one for one, number in versions.items() if after < number <= until), key=lambda one: versions[one])


def _newer(versions: Mapping[UserId, int] | Mapping[RoomId, int], version: int) -> list[int]:
    return sorted(number for number in versions.values() if number > version)
