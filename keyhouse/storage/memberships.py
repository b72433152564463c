"""Who is where, as observed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.storage.astray import astray, desks_without
from keyhouse.storage.tables import membership
from keyhouse.storage.work import Work

_BOUND_AT_ONCE = 10_000
"""Rooms named in one statement; SQLite binds at most 32,766 values."""


class SqlMemberships:
    """Keeps the last sight of each person in each room in the table `membership`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def of(self, user_id: UserId) -> Sequence[Membership]:
        """Every room in which the person was seen, also those that were left."""
        query = select(membership).where(membership.c.person == user_id).order_by(membership.c.room_id)
        return [_membership(row) for row in self._work.all(query)]

    def observe(self, memberships: Iterable[Membership]) -> None:
        """Keep what was seen; a newer sight replaces an older one of the same room and person."""
        insert = self._work.insert(membership)
        newer = insert.on_conflict_do_update(
            index_elements=[membership.c.person, membership.c.room_id],
            set_={"state": insert.excluded.state, "observed_at": insert.excluded.observed_at},
            where=insert.excluded.observed_at >= membership.c.observed_at,
        )
        self._work.change(newer, [_values(seen) for seen in newest(memberships)])

    def observe_whole(self, joined: Mapping[RoomId, Collection[UserId]], now: datetime) -> None:
        """Keep that in these rooms exactly these people are joined now; whoever else was, is removed."""
        here = MembershipState.JOINED
        self.observe(Membership(room, person, here, now) for room, people in joined.items() for person in people)
        # Who is here has just been seen; an older sight of somebody joined is of somebody who is gone.
        outdated = (membership.c.state == here.value, membership.c.observed_at < now)
        gone = update(membership).where(*outdated).values(state=MembershipState.REMOVED.value, observed_at=now)
        for rooms in _in_portions(sorted(joined)):
            self._work.change(gone.where(membership.c.room_id.in_(rooms)))

    def astray(self, now: datetime, limit: int, after: str = "") -> Sequence[UserId]:
        """Whom the keys want elsewhere, or who does not answer an invitation; one query for the whole house."""
        return [UserId(row.person) for row in self._work.all(astray(now, limit, after))]

    def desks_without(self, service: UserId, now: datetime, limit: int) -> Sequence[RoomId]:
        """Desks of people who live here in which one of the house's own accounts is not, by room id."""
        return [RoomId(row.room_id) for row in self._work.all(desks_without(service, now, limit))]


def _in_portions(rooms: Sequence[str]) -> Iterable[Sequence[str]]:
    return (rooms[start : start + _BOUND_AT_ONCE] for start in range(0, len(rooms), _BOUND_AT_ONCE))


def newest(memberships: Iterable[Membership]) -> list[Membership]:
    """Keep the newest sight of each person in each room; of two at one moment the later one."""
    kept: dict[tuple[UserId, RoomId], Membership] = {}
    for seen in memberships:
        place = (seen.person, seen.room_id)
        if place not in kept or seen.observed_at >= kept[place].observed_at:
            kept[place] = seen
    # In one order always: two transactions that hold each other's next row would wait for ever.
    return [kept[place] for place in sorted(kept)]


def _values(seen: Membership) -> dict[str, Any]:
    where = {"person": seen.person, "room_id": seen.room_id}
    return {**where, "state": seen.state.value, "observed_at": seen.observed_at}


def _membership(row: Row[Any]) -> Membership:
    return Membership(RoomId(row.room_id), UserId(row.person), MembershipState(row.state), row.observed_at)
