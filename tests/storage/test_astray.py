"""Who stands where the keys do not let them, asked of the whole house at once."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keyhouse.core.access import may_join
from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.memberships import ANSWERED_WITHIN, INSIDE, Membership, MembershipState
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.room_state import services_in
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.verdict import Allowed
from tests.support.household import A_SECOND, ANOREXIA, BULIMIA, NOW, living_room, user

CONDITIONS = (ANOREXIA, BULIMIA)
NAMES = ("clover", "river", "rowan")
UNKNOWN_ROOM, STRANGER = RoomId("!unknown"), user("stranger")
JOINED, LEFT, REMOVED = MembershipState.JOINED, MembershipState.LEFT_BY_CHOICE, MembershipState.REMOVED
LONG_AGO = NOW - timedelta(days=1)


class _Undone(Exception):
    """Ends a transaction of which nothing is to be kept."""


@dataclass(frozen=True)
class House:
    """Everything that decides who may be where, and where everybody is."""

    rooms: tuple[RoomScope, ...]
    people: tuple[Person, ...]
    keys: tuple[Key, ...]
    places: tuple[Membership, ...]

    def put_into(self, tx: Transaction) -> None:
        """Keep all of it."""
        for scope in self.rooms:
            tx.rooms.put(scope)
        for one in self.people:
            tx.people.add(one)
        for key in self.keys:
            tx.people.grant(key)
        tx.memberships.observe(self.places)

    def let_in(self, who: UserId, where: RoomId) -> bool:
        """Say what the rule says of one person and one room."""
        scope = next((scope for scope in self.rooms if scope.room_id == where), None)
        whom = next((one for one in self.people if one.user_id == who), None)
        return may_join(scope, whom, [key for key in self.keys if key.person == who], NOW) == Allowed()

    def stand_wrong(self) -> list[UserId]:
        """Ask the rule about everybody and every room."""
        everybody = {*(one.user_id for one in self.people), *(place.person for place in self.places)}
        bots = {one.user_id for one in self.people if one.role is Role.SERVICE}
        return sorted(who for who in everybody - bots if self._stands_wrong(who))

    def _stands_wrong(self, who: UserId) -> bool:
        places = {place.room_id: place for place in self.places if place.person == who}
        if any(place.state in INSIDE and not self.let_in(who, place.room_id) for place in places.values()):
            return True
        if any(place.is_unanswered(NOW) for place in places.values()):
            return True
        absent = {room_id for room_id, place in places.items() if place.state is REMOVED}
        absent |= {scope.room_id for scope in self.rooms} - places.keys()
        invites_to = {scope.room_id for scope in self.rooms if ServiceAccount.CONCIERGE in services_in(scope.kind)}
        return any(self.let_in(who, room_id) for room_id in absent & invites_to)


@st.composite
def houses(draw: st.DrawFn) -> House:
    """Draw a house of a few rooms of any kind, three people and a stranger, anywhere."""
    roles, conditions = st.frozensets(st.sampled_from(Role)), st.frozensets(st.sampled_from(CONDITIONS))
    members = st.frozensets(st.sampled_from([user(name) for name in NAMES]))
    rooms = tuple(
        RoomScope(RoomId(f"!{number}"), f"r{number}", kind, "A room", draw(roles), draw(conditions), draw(members))
        for number, kind in enumerate(draw(st.lists(st.sampled_from(RoomKind), min_size=1, max_size=4)))
    )
    people = tuple(
        Person(user(name), draw(st.sampled_from(Role)), draw(st.sampled_from(PersonState)), name, NOW) for name in NAMES
    )
    runs_out = st.sampled_from([None, NOW - A_SECOND, NOW, NOW + A_SECOND])
    keys = tuple(
        Key(user(name), condition, "test", LONG_AGO, draw(runs_out))
        for name in NAMES
        for condition in CONDITIONS
        if draw(st.booleans())
    )
    return House(rooms, people, keys, tuple(_places(draw, rooms)))


def _places(draw: st.DrawFn, rooms: Iterable[RoomScope]) -> Iterable[Membership]:
    seen_at = st.sampled_from([NOW, NOW - ANSWERED_WITHIN + A_SECOND, NOW - ANSWERED_WITHIN])
    for room_id in (*(scope.room_id for scope in rooms), UNKNOWN_ROOM):
        for who in (*(user(name) for name in NAMES), STRANGER):
            # Mostly nowhere, so that a single thing that is wrong is not hidden by another.
            state = draw(st.sampled_from([None, None, *MembershipState]))
            if state is not None:
                yield Membership(room_id, who, state, draw(seen_at))


def _put_right(house: House) -> House:
    """Put everybody where the rule wants them."""
    places = tuple(
        Membership(scope.room_id, one.user_id, JOINED if house.let_in(one.user_id, scope.room_id) else REMOVED, NOW)
        for scope in house.rooms
        for one in house.people
    )
    return House(house.rooms, house.people, house.keys, places)


def _one_patient(condition: Condition, expires_at: datetime | None, *places: Membership) -> House:
    river = Person(user("river"), Role.PATIENT, PersonState.ACTIVE, "river", NOW)
    rooms = (living_room(ANOREXIA), living_room(BULIMIA))
    return House(rooms, (river,), (Key(river.user_id, condition, "test", LONG_AGO, expires_at),), places)


def _asked(store: Store, house: House, limit: int = 99, after: str = "") -> list[UserId]:
    found: list[UserId] = []
    with suppress(_Undone), store.writing() as tx:
        house.put_into(tx)
        found = list(tx.memberships.astray(NOW, limit, after))
        raise _Undone
    return found


DR = Person(user("dr"), Role.CLINICIAN, PersonState.ACTIVE, "dr", NOW)
A_CLINICIAN_IS_MISSING = House((living_room(ANOREXIA), living_room(BULIMIA)), (DR,), (), ())
WILLOW = living_room(ANOREXIA).room_id
IN_WILLOW = Membership(WILLOW, user("river"), JOINED, NOW)
many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(house=houses())
@example(house=_one_patient(ANOREXIA, NOW, IN_WILLOW))
@example(house=_one_patient(ANOREXIA, NOW + A_SECOND, IN_WILLOW))
@example(house=_one_patient(BULIMIA, None, IN_WILLOW))
@example(house=A_CLINICIAN_IS_MISSING)
def test_the_whole_house_asked_at_once_says_what_the_rule_says_of_each(store: Store, house: House) -> None:
    assert _asked(store, house) == house.stand_wrong()


@many
@given(house=houses())
def test_nobody_is_astray_when_everybody_is_where_the_keys_say(store: Store, house: House) -> None:
    right = _put_right(house)

    assert right.stand_wrong() == _asked(store, right) == []


def test_who_left_by_choice_is_not_looked_for(store: Store) -> None:
    left = Membership(WILLOW, user("river"), LEFT, LONG_AGO)
    removed = Membership(WILLOW, user("river"), REMOVED, LONG_AGO)

    assert _asked(store, _one_patient(ANOREXIA, None, left)) == []
    assert _asked(store, _one_patient(ANOREXIA, None, removed)) == [user("river")]


def test_people_come_in_portions_that_follow_each_other(store: Store) -> None:
    people = tuple(Person(user(name), Role.PATIENT, PersonState.CLOSED, name, NOW) for name in NAMES)
    places = tuple(Membership(WILLOW, one.user_id, JOINED, NOW) for one in people)
    house = House((living_room(ANOREXIA),), people, (), places)

    first = _asked(store, house, limit=2)

    assert first == [user("clover"), user("river")]
    assert _asked(store, house, limit=2, after=first[-1]) == [user("rowan")]


def test_a_room_seen_whole_makes_good_what_was_not_heard(store: Store) -> None:
    here, elsewhere, later = RoomId("!here"), RoomId("!elsewhere"), NOW + A_SECOND
    before = [Membership(here, user("clover"), JOINED, NOW), Membership(elsewhere, user("clover"), JOINED, NOW),
              Membership(here, user("river"), JOINED, NOW), Membership(here, user("rowan"), LEFT, NOW),
              Membership(here, user("dr-a"), JOINED, later + A_SECOND)]  # fmt: skip

    with store.writing() as tx:
        tx.memberships.observe(before)
        tx.memberships.observe_whole({here: frozenset({user("river"), user("newcomer")})}, later)
        tx.memberships.observe_whole({}, later)

    with store.reading() as tx:
        states = {(place.person, place.room_id): place.state for name in (*NAMES, "newcomer", "dr-a")
                  for place in tx.memberships.of(user(name))}  # fmt: skip
    assert states == {
        (user("clover"), here): REMOVED,
        (user("clover"), elsewhere): JOINED,
        (user("river"), here): JOINED,
        (user("rowan"), here): LEFT,
        (user("newcomer"), here): JOINED,
        (user("dr-a"), here): JOINED,
    }


def test_a_room_in_which_nobody_is_left_is_seen_whole_too(store: Store) -> None:
    with store.writing() as tx:
        tx.memberships.observe([IN_WILLOW])
        tx.memberships.observe_whole({WILLOW: frozenset()}, NOW + A_SECOND)
        assert [place.state for place in tx.memberships.of(user("river"))] == [REMOVED]
