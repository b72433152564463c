"""Who is in the house and what opens to them, in memory."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from keyhouse.core.access import moves_for
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import Condition, ReferralId, RoomId, RoomNumber, UserId, localpart
from keyhouse.core.memberships import INSIDE, Membership, MembershipState
from keyhouse.core.people import REFERRED_ROLES, Key, Person, PersonState, Role
from keyhouse.core.referrals import Referral
from keyhouse.core.room_state import kinds_with
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.storage.memory.shelves import Shelves, only_once

_CONCIERGE_INVITES = kinds_with(ServiceAccount.CONCIERGE)


class MemoryPeople:
    """Persons and their keys."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, user_id: UserId) -> Person | None:
        """Find a person by account."""
        return self._shelves.people.get(user_id)

    def add(self, person: Person) -> None:
        """Keep a new person."""
        only_once(person.user_id in self._shelves.people)
        self._shelves.people[person.user_id] = person

    def update(self, person: Person) -> None:
        """Keep the person as it is now; somebody unknown stays unknown."""
        if person.user_id in self._shelves.people:
            self._shelves.people[person.user_id] = person

    def all(self) -> Sequence[Person]:
        """Everybody, in the order in which they came."""
        return sorted(self._shelves.people.values(), key=lambda person: (person.since, person.user_id))

    def has_name(self, name: str) -> bool:
        """Say whether the house has reserved an account of this localpart."""
        return any(localpart(user_id) == name for user_id in self._shelves.people)

    def with_role(self, role: Role) -> Sequence[Person]:
        """Everybody of one role."""
        return [person for person in self.all() if person.role is role]

    def agreed_before(self, version: int, limit: int, after: str = "") -> Sequence[UserId]:
        """People who were referred, are not closed and agreed to an older version of the rules, by user id."""
        people = (self._shelves.people[user_id] for user_id in sorted(self._shelves.people) if user_id > after)
        referred = (person for person in people if person.role in REFERRED_ROLES)
        living = (person for person in referred if person.state is not PersonState.CLOSED)
        return [person.user_id for person in living if (person.rules_agreed or version) < version][:limit]

    def names(self, user_ids: Iterable[UserId]) -> Mapping[UserId, str]:
        """What others see of these persons; unknown ones are left out."""
        return {user_id: person.name for user_id in user_ids if (person := self.get(user_id)) is not None}

    def keys(self, user_id: UserId) -> Sequence[Key]:
        """All unrevoked keys of the person."""
        keys = self._shelves.keys.values()
        unrevoked = [key for key in keys if key.person == user_id and key.revoked_at is None]
        return sorted(unrevoked, key=lambda key: key.condition)

    def grant(self, key: Key) -> None:
        """Keep a key; one that is still good stays as it is."""
        if any(held.condition == key.condition and held.opens(key.granted_at) for held in self.keys(key.person)):
            return
        self.revoke(key.person, key.condition, key.granted_at)
        self._shelves.keys[len(self._shelves.keys)] = key

    def revoke(self, user_id: UserId, condition: Condition, now: datetime) -> None:
        """Take a condition away."""
        for place, key in self._shelves.keys.items():
            if (key.person, key.condition, key.revoked_at) == (user_id, condition, None):
                self._shelves.keys[place] = replace(key, revoked_at=now)


class MemoryReferrals:
    """Permissions to register."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, referral_id: ReferralId) -> Referral | None:
        """Find a referral by its id."""
        return self._shelves.referrals.get(referral_id)

    def by_code_hash(self, code_hash: str) -> Referral | None:
        """Find the referral of a code."""
        return next((found for found in self.all() if found.code_hash == code_hash), None)

    def by_pseudonym(self, pseudonym: str) -> Referral | None:
        """Find the referral that reserved a name."""
        return next((found for found in self.all() if found.pseudonym == pseudonym), None)

    def add(self, referral: Referral, reference: str | None = None) -> None:
        """Keep a new referral."""
        only_once(self.get(referral.id) is not None or self.by_code_hash(referral.code_hash) is not None)
        only_once(self.by_pseudonym(referral.pseudonym) is not None)
        self._shelves.referrals[referral.id] = referral
        if reference is not None:
            self._shelves.references[referral.id] = reference

    def reference_of(self, referral_id: ReferralId) -> str | None:
        """Return the local record number by which the service knows the person."""
        return self._shelves.references.get(referral_id)

    def forget_reference(self, user_id: UserId) -> None:
        """Destroy the local record number of the referral that this account redeemed."""
        for referral in self.all():
            if referral.redeemed_by == user_id:
                self._shelves.references.pop(referral.id, None)

    def update(self, referral: Referral) -> None:
        """Keep the referral as it is now."""
        self._shelves.referrals[referral.id] = referral

    def all(self) -> Sequence[Referral]:
        """Every referral, newest last."""
        return sorted(self._shelves.referrals.values(), key=lambda referral: referral.issued_at)


class MemoryRooms:
    """Rooms and what opens them."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def get(self, room_id: RoomId) -> RoomScope | None:
        """Find a scope by its room."""
        return self._shelves.rooms.get(room_id)

    def among(self, room_ids: Collection[RoomId]) -> Sequence[RoomScope]:
        """Those of these rooms that the house knows."""
        return [self._shelves.rooms[room_id] for room_id in room_ids if room_id in self._shelves.rooms]

    def by_slug(self, slug: str) -> RoomScope | None:
        """Find a scope by its stable name."""
        return next((scope for scope in self.all() if scope.slug == slug), None)

    def put(self, scope: RoomScope) -> None:
        """Keep a scope; one of the same room id is replaced."""
        same_slug = self.by_slug(scope.slug)
        only_once(same_slug is not None and same_slug.room_id != scope.room_id)
        self._shelves.rooms[scope.room_id] = scope
        self._shelves.room_numbers.setdefault(scope.room_id, RoomNumber(len(self._shelves.room_numbers) + 1))

    def all(self) -> Sequence[RoomScope]:
        """Every room of the house, by its stable name."""
        return sorted(self._shelves.rooms.values(), key=lambda scope: scope.slug)

    def opened_by(self, role: Role, conditions: frozenset[Condition], user_id: UserId) -> Sequence[RoomScope]:
        """Rooms that could open to this role, or that name this person; more of them than on a database."""
        return [scope for scope in self.all() if role in scope.roles or user_id in scope.members]

    def desk_of(self, user_id: UserId) -> RoomScope | None:
        """Find the desk room that names this person."""
        desks = (scope for scope in self.all() if scope.kind is RoomKind.DESK)
        return next((scope for scope in desks if user_id in scope.members), None)

    def care_room(self, service: str) -> RoomScope | None:
        """Find the care room of a service."""
        return next((scope for scope in self._care_rooms() if scope.service == service), None)

    def any_care_room(self) -> RoomScope | None:
        """Find the first care room there is."""
        return next(iter(self._care_rooms()), None)

    def number_of(self, room_id: RoomId) -> RoomNumber | None:
        """The small number by which alarms name the room outside the house."""
        return self._shelves.room_numbers.get(room_id)

    def numbers(self) -> Mapping[RoomId, RoomNumber]:
        """The number of every room that the house has or ever had."""
        return dict(self._shelves.room_numbers)

    def _care_rooms(self) -> list[RoomScope]:
        return [scope for scope in self.all() if scope.kind is RoomKind.CARE and scope.service is not None]


class MemoryMemberships:
    """Who is where, as observed."""

    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def of(self, user_id: UserId) -> Sequence[Membership]:
        """Every room in which the person was seen."""
        seen = self._shelves.memberships.values()
        return sorted((one for one in seen if one.person == user_id), key=lambda one: one.room_id)

    def observe(self, memberships: Iterable[Membership]) -> None:
        """Keep what was seen; a newer sight replaces an older one."""
        for seen in memberships:
            place = (seen.person, seen.room_id)
            before = self._shelves.memberships.get(place)
            if before is None or seen.observed_at >= before.observed_at:
                self._shelves.memberships[place] = seen

    def observe_whole(self, joined: Mapping[RoomId, Collection[UserId]], now: datetime) -> None:
        """Keep that in these rooms exactly these people are joined now."""
        here = MembershipState.JOINED
        self.observe(Membership(room, person, here, now) for room, people in joined.items() for person in people)
        for seen in list(self._shelves.memberships.values()):
            if seen.room_id in joined and seen.state is here and seen.observed_at < now:
                self.observe([replace(seen, state=MembershipState.REMOVED, observed_at=now)])

    def astray(self, now: datetime, limit: int, after: str = "") -> Sequence[UserId]:
        """Whom the keys want elsewhere, or who does not answer an invitation."""
        everybody = {*self._shelves.people, *(seen.person for seen in self._shelves.memberships.values())}
        return [user_id for user_id in sorted(everybody) if user_id > after and self._is_astray(user_id, now)][:limit]

    def desks_without(self, service: UserId, now: datetime, limit: int) -> Sequence[RoomId]:
        """Desks of people who live here in which one of the house's own accounts is not."""
        there = {place.room_id for place in self.of(service) if place.state in INSIDE and not place.is_unanswered(now)}
        desks = sorted(self._shelves.rooms.values(), key=lambda scope: scope.room_id)
        missing = (scope for scope in desks if scope.kind is RoomKind.DESK and scope.room_id not in there)
        return [scope.room_id for scope in missing if any(map(self._lives_here, scope.members))][:limit]

    def _lives_here(self, user_id: UserId) -> bool:
        found = self._shelves.people.get(user_id)
        return found is not None and found.state is not PersonState.CLOSED and found.role is not Role.SERVICE

    def _is_astray(self, user_id: UserId, now: datetime) -> bool:
        places, person = self.of(user_id), self._shelves.people.get(user_id)
        inside = frozenset(place.room_id for place in places if place.state in INSIDE)
        if person is None or person.role is Role.SERVICE:
            return person is None and bool(inside)
        left = frozenset(place.room_id for place in places if place.state is MembershipState.LEFT_BY_CHOICE)
        keys = [key for key in self._shelves.keys.values() if key.person == user_id and key.revoked_at is None]
        moves = moves_for(person, keys, self._shelves.rooms.values(), inside, left, now)
        holes = any(scope.kind in _CONCIERGE_INVITES for scope in moves.enter)
        return holes or bool(moves.leave) or any(place.is_unanswered(now) for place in places)
