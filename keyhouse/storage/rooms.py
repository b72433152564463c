"""Rooms and what opens them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, literal, select, true, union_all

from keyhouse.core.ids import Condition, RoomId, RoomNumber, UserId
from keyhouse.core.people import TEAM_ROLES, Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind, RoomScope
from keyhouse.storage.policy_changes import PolicyChanges
from keyhouse.storage.tables import room, room_condition, room_member, room_number, room_role
from keyhouse.storage.work import Work

_BY_ROLE_ALONE = [kind.value for kind, rules in ROOM_KINDS.items() if not rules.by_condition and not rules.personal]
_ROLE, _CONDITION, _MEMBER = "role", "condition", "member"
_OPENERS = ((_ROLE, room_role, room_role.c.role), (_CONDITION, room_condition, room_condition.c.condition),
            (_MEMBER, room_member, room_member.c.user_id))  # fmt: skip


class SqlRooms:
    """Keeps scopes in the table `room`, and what opens them in three tables beside it."""

    def __init__(self, work: Work, changes: PolicyChanges) -> None:
        self._work = work
        self._changes = changes

    def get(self, room_id: RoomId) -> RoomScope | None:
        """Find a scope by its room."""
        row = self._work.one(select(room).where(room.c.room_id == room_id))
        return self._scopes([row])[0] if row else None

    def among(self, room_ids: Collection[RoomId]) -> Sequence[RoomScope]:
        """Those of these rooms that the house knows."""
        return self._scopes(self._work.all(select(room).where(room.c.room_id.in_(sorted(room_ids)))))

    def by_slug(self, slug: str) -> RoomScope | None:
        """Find a scope by its stable name."""
        row = self._work.one(select(room).where(room.c.slug == slug))
        return self._scopes([row])[0] if row else None

    def put(self, scope: RoomScope) -> None:
        """Keep a scope; one of the same room id is replaced."""
        before = self._work.one(select(room.c.kind).where(room.c.room_id == scope.room_id))
        if before is None or before.kind != scope.kind.value:
            self._changes.note_room(scope.room_id)
        values = {"slug": scope.slug, "kind": scope.kind.value, "name": scope.name, "service": scope.service}
        insert = self._work.insert(room).values(room_id=scope.room_id, **values)
        self._work.change(insert.on_conflict_do_update(index_elements=[room.c.room_id], set_=values))
        for (_, table, column), opened_to in zip(_OPENERS, (scope.roles, scope.conditions, scope.members), strict=True):
            self._work.change(delete(table).where(table.c.room_id == scope.room_id))
            rows = [{"room_id": scope.room_id, column.name: str(value)} for value in sorted(opened_to)]
            self._work.change(table.insert(), rows)
        self._number(scope.room_id)

    def all(self) -> Sequence[RoomScope]:
        """Every room of the house, by its stable name."""
        return self._scopes(self._work.all(select(room).order_by(room.c.slug)), everywhere=True)

    def opened_by(self, role: Role, conditions: frozenset[Condition], user_id: UserId) -> Sequence[RoomScope]:
        """Rooms that could open to this role with these conditions, or that name this person."""
        candidates = union_all(
            select(room_member.c.room_id).where(room_member.c.user_id == user_id), *_by_role(role, conditions)
        )
        rows = self._work.all(select(room).where(room.c.room_id.in_(candidates)).order_by(room.c.slug))
        return self._scopes(rows)

    def desk_of(self, user_id: UserId) -> RoomScope | None:
        """Find the desk room that names this person."""
        query = select(room).join(room_member).where(room_member.c.user_id == user_id)
        return self._first(query.where(room.c.kind == RoomKind.DESK.value))

    def care_room(self, service: str) -> RoomScope | None:
        """Find the care room of a service."""
        return self._first(select(room).where(room.c.kind == RoomKind.CARE.value, room.c.service == service))

    def any_care_room(self) -> RoomScope | None:
        """Find the first care room there is."""
        return self._first(select(room).where(room.c.kind == RoomKind.CARE.value, room.c.service.is_not(None)))

    def number_of(self, room_id: RoomId) -> RoomNumber | None:
        """The small number by which alarms name the room outside the house."""
        number = self._work.scalar(select(room_number.c.number).where(room_number.c.room_id == room_id))
        return None if number is None else RoomNumber(number)

    def numbers(self) -> Mapping[RoomId, RoomNumber]:
        """The number of every room that the house has or ever had."""
        return {RoomId(row.room_id): RoomNumber(row.number) for row in self._work.all(select(room_number))}

    def _number(self, room_id: RoomId) -> None:
        # Asked for first: PostgreSQL would use up a number with every insert that conflicts.
        has_one = exists().where(room_number.c.room_id == room_id)
        insert = self._work.insert(room_number).from_select(["room_id"], select(literal(room_id)).where(~has_one))
        self._work.change(insert.on_conflict_do_nothing(index_elements=[room_number.c.room_id]))

    def _first(self, query: Select[Any]) -> RoomScope | None:
        rows = self._work.all(query.order_by(room.c.slug).limit(1))
        return self._scopes(rows)[0] if rows else None

    def _scopes(self, rows: Sequence[Row[Any]], *, everywhere: bool = False) -> list[RoomScope]:
        """Add to each room what opens it, with one query for all of them."""
        if not rows:
            return []
        ids = None if everywhere else [row.room_id for row in rows]
        opened_to: dict[tuple[str, str], set[str]] = defaultdict(set)
        for opener in self._work.all(_openers(ids)):
            opened_to[opener.room_id, opener.sort].add(opener.value)
        return [_scope(row, *(opened_to[row.room_id, sort] for sort, _, _ in _OPENERS)) for row in rows]


def _by_role(role: Role, conditions: frozenset[Condition]) -> Iterable[Select[Any]]:
    of_role = select(room_role.c.room_id).where(room_role.c.role == role.value)
    if role in TEAM_ROLES:
        return [of_role]
    without_condition = of_role.join(room, room.c.room_id == room_role.c.room_id).where(room.c.kind.in_(_BY_ROLE_ALONE))
    its_condition: ColumnElement[bool] = room_condition.c.condition.in_(sorted(conditions))
    with_condition = of_role.join(room_condition, room_condition.c.room_id == room_role.c.room_id).where(its_condition)
    return [without_condition, with_condition]


def _openers(ids: Sequence[str] | None) -> Any:
    parts = [
        select(table.c.room_id, literal(sort).label("sort"), column.label("value")).where(
            table.c.room_id.in_(ids) if ids is not None else true()
        )
        for sort, table, column in _OPENERS
    ]
    return union_all(*parts)


def _scope(row: Row[Any], roles: set[str], conditions: set[str], members: set[str]) -> RoomScope:
    return RoomScope(
        room_id=RoomId(row.room_id),
        slug=row.slug,
        kind=RoomKind(row.kind),
        name=row.name,
        roles=frozenset(Role(role) for role in roles),
        conditions=frozenset(Condition(condition) for condition in conditions),
        members=frozenset(UserId(member) for member in members),
        service=row.service,
    )
