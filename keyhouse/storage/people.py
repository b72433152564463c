"""Persons and their keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select, update

from keyhouse.core.ids import Condition, UserId, localpart
from keyhouse.core.people import REFERRED_ROLES, Key, Person, PersonState, Role
from keyhouse.storage.policy_changes import PolicyChanges
from keyhouse.storage.tables import person, person_key
from keyhouse.storage.work import Work


class SqlPeople:
    """Keeps persons and keys in the tables `person` and `person_key`."""

    def __init__(self, work: Work, changes: PolicyChanges) -> None:
        self._work = work
        self._changes = changes

    def get(self, user_id: UserId) -> Person | None:
        """Find a person by account."""
        row = self._work.one(select(person).where(person.c.user_id == user_id))
        return as_person(row) if row else None

    def add(self, new: Person) -> None:
        """Keep a new person; StoreConflict when the account has one."""
        values = {"user_id": new.user_id, "localpart": localpart(new.user_id), "name": new.name, "since": new.since}
        self._work.change(person.insert().values(**values, **_asked(new)))
        self._changes.note_person(new.user_id)

    def update(self, changed: Person) -> None:
        """Keep the role, state, agreement and name as they are now; what is the same already tells nobody."""
        its_row = update(person).where(person.c.user_id == changed.user_id)
        is_new = (person.c[name].is_distinct_from(value) for name, value in _asked(changed).items())
        if self._work.change(its_row.where(or_(*is_new)).values(**_asked(changed))):
            self._changes.note_person(changed.user_id)
        self._work.change(its_row.where(person.c.name != changed.name).values(name=changed.name))

    def all(self) -> Sequence[Person]:
        """Everybody, in the order in which they came."""
        return [as_person(row) for row in self._work.all(select(person).order_by(person.c.since, person.c.user_id))]

    def has_name(self, name: str) -> bool:
        """Say whether the house has reserved an account of this localpart, made or not."""
        return self._work.scalar(select(person.c.user_id).where(person.c.localpart == name).limit(1)) is not None

    def with_role(self, role: Role) -> Sequence[Person]:
        """Everybody of one role."""
        query = select(person).where(person.c.role == role.value).order_by(person.c.since, person.c.user_id)
        return [as_person(row) for row in self._work.all(query)]

    def agreed_before(self, version: int, limit: int, after: str = "") -> Sequence[UserId]:
        """People who were referred, are not closed and agreed to an older version of the rules, by user id."""
        older = (person.c.rules_agreed < version, person.c.state != PersonState.CLOSED.value)
        referred = person.c.role.in_(sorted(REFERRED_ROLES))
        query = select(person.c.user_id).where(person.c.user_id > after, *older, referred)
        return [UserId(row.user_id) for row in self._work.all(query.order_by(person.c.user_id).limit(limit))]

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


def _asked(of: Person) -> dict[str, str | int | None]:
    """What is asked of somebody who wants to write."""
    return {"role": of.role.value, "state": of.state.value, "rules_agreed": of.rules_agreed}


def as_person(row: Row[Any]) -> Person:
    """Read a person from a row of the table `person`."""
    state = PersonState(row.state)
    return Person(UserId(row.user_id), Role(row.role), state, row.name, row.since, row.rules_agreed)


def _key(row: Row[Any]) -> Key:
    return Key(UserId(row.person), Condition(row.condition), row.source, row.granted_at, row.expires_at, row.revoked_at)
