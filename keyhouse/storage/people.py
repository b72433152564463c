"""Persons and their keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from keyhouse.core.ids import Condition, UserId, localpart
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.storage.tables import person, person_key
from keyhouse.storage.work import Work


class SqlPeople:
    """Keeps persons and keys in the tables `person` and `person_key`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, user_id: UserId) -> Person | None:
        """Find a person by account."""
        row = self._work.one(select(person).where(person.c.user_id == user_id))
        return _person(row) if row else None

    def add(self, new: Person) -> None:
        """Keep a new person; StoreConflict when the account has one."""
        values = {"user_id": new.user_id, "localpart": localpart(new.user_id), "since": new.since}
        self._work.change(person.insert().values(**values, **_changeable(new)))

    def update(self, changed: Person) -> None:
        """Keep the role, state and name as they are now."""
        self._work.change(update(person).where(person.c.user_id == changed.user_id).values(**_changeable(changed)))

    def all(self) -> Sequence[Person]:
        """Everybody, in the order in which they came."""
        return [_person(row) for row in self._work.all(select(person).order_by(person.c.since, person.c.user_id))]

    def has_name(self, name: str) -> bool:
        """Say whether the house has reserved an account of this localpart, made or not."""
        return self._work.scalar(select(person.c.user_id).where(person.c.localpart == name).limit(1)) is not None

    def with_role(self, role: Role) -> Sequence[Person]:
        """Everybody of one role."""
        query = select(person).where(person.c.role == role.value).order_by(person.c.since, person.c.user_id)
        return [_person(row) for row in self._work.all(query)]

    def names(self, user_ids: Iterable[UserId]) -> Mapping[UserId, str]:
        """What others see of these persons; unknown ones are left out."""
        query = select(person.c.user_id, person.c.name).where(person.c.user_id.in_(sorted(set(user_ids))))
        return {UserId(row.user_id): row.name for row in self._work.all(query)}

    def keys(self, user_id: UserId) -> Sequence[Key]:
        """All unrevoked keys of the person; empty means none."""
        query = select(person_key).where(person_key.c.person == user_id, person_key.c.revoked_at.is_(None))
        return [_key(row) for row in self._work.all(query.order_by(person_key.c.condition))]

    def grant(self, key: Key) -> None:
        """Keep a key; one that is still good stays as it is, one that has run out is replaced."""
        held = next((old for old in self.keys(key.person) if old.condition == key.condition), None)
        if held is not None and held.opens(key.granted_at):
            return
        self.revoke(key.person, key.condition, key.granted_at)
        values = {"person": key.person, "condition": key.condition, "source": key.source}
        times = {"granted_at": key.granted_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at}
        self._work.change(person_key.insert().values(**values, **times))

    def revoke(self, user_id: UserId, condition: Condition, now: datetime) -> None:
        """Take a condition away; one that is not held changes nothing."""
        its_key = (person_key.c.person == user_id, person_key.c.condition == condition)
        self._work.change(update(person_key).where(*its_key, person_key.c.revoked_at.is_(None)).values(revoked_at=now))


def _changeable(whom: Person) -> dict[str, str]:
    return {"role": whom.role.value, "state": whom.state.value, "name": whom.name}


def _person(row: Row[Any]) -> Person:
    return Person(UserId(row.user_id), Role(row.role), PersonState(row.state), row.name, row.since)


def _key(row: Row[Any]) -> Key:
    return Key(UserId(row.person), Condition(row.condition), row.source, row.granted_at, row.expires_at, row.revoked_at)
