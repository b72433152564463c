"""Whoever asks, for whatever, with whatever in hand: what may never come out."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keyhouse.core.building import PlannedRoom, meetings_that_must_not_be
from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.people import Key, Person, PersonState, Role, held
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.verdict import Allowed, Refused, Verdict
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.room_changes import StateEvent, may_invite, may_make_room, may_send_state
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, BULIMIA, EXCLUSIONS, KNOWN, NOW, PERINATAL, person, user

unhurried = settings(deadline=None)

ME, CONCIERGE = user("river"), user("concierge")
HERE, THERE = RoomId("!here"), RoomId("!there")

# What fits is drawn often: where everybody is refused anyway, a rule that refuses nobody is not found out.
one_condition = st.sampled_from(sorted(KNOWN))
conditions = one_condition.map(lambda one: frozenset({one})) | st.frozensets(one_condition)
roles = st.sampled_from([Role.PATIENT, Role.PEER]) | st.sampled_from(list(Role))
several_roles = st.just(frozenset(Role)) | st.frozensets(roles)
kinds = st.sampled_from([RoomKind.LIVING_ROOM, RoomKind.SPACE]) | st.sampled_from(list(RoomKind))
ends = st.none() | st.integers(-2, 2).map(lambda seconds: NOW + timedelta(seconds=seconds))
states = st.just(PersonState.ACTIVE) | st.sampled_from(list(PersonState))
somebodies = st.builds(Person, st.just(ME), roles, states, st.just("river"), st.just(NOW))
people = somebodies | somebodies | st.none()
one_key = st.builds(Key, st.just(ME), one_condition, st.just("test"), st.just(NOW), ends)
keys = st.lists(one_key, max_size=3, unique_by=lambda key: key.condition)


def scopes(room_id: RoomId) -> st.SearchStrategy[RoomScope]:
    """Any scope that a room could have."""
    named = st.frozensets(st.sampled_from([ME, user("clover")]))
    it = st.just(room_id)
    return st.builds(RoomScope, it, it, kinds, st.just("A room"), several_roles, conditions, named)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
words = st.just("join") | st.sampled_from(["leave", "invite", "knock", "ban", "x"]) | anything
names, pictures = st.sampled_from([None, "river", "Jane"]) | anything, st.sampled_from([None, "mxc://x"]) | anything
state_types = ["m.room.power_levels", "m.room.join_rules", "m.room.encryption", "m.room.name", "m.room.create", "x"]
types = st.just("m.room.member") | st.sampled_from(state_types)
wordy = {"displayname": names, "avatar_url": pictures, "reason": anything}
memberships = st.fixed_dictionaries({"membership": words}, optional=wordy)
powers = st.fixed_dictionaries({"users": anything | st.dictionaries(st.text(), anything, max_size=3)})
contents = memberships | powers | st.dictionaries(st.text(), anything, max_size=3)


def house_of(somebody: Person | None, holding: list[Key], *rooms: RoomScope) -> MemoryStore:
    """A house with one of its own accounts, perhaps somebody, and these rooms."""
    store = MemoryStore()
    with store.writing() as tx:
        tx.people.add(person("concierge", Role.SERVICE))
        if somebody is not None:
            tx.people.add(somebody)
        for key in holding if somebody else ():
            tx.people.grant(key)
        for scope in rooms:
            tx.rooms.put(scope)
    return store


def every_way(store: MemoryStore, standing: frozenset[RoomId]) -> list[Verdict]:
    """What is answered by each way into the room."""
    with store.reading() as tx:
        joining = StateEvent(HERE, "m.room.member", ME, ME, {"membership": "join"}, standing=standing)
        invited = StateEvent(HERE, "m.room.member", CONCIERGE, ME, {"membership": "invite"}, standing=standing)
        return [
            decide_entry(tx, ME, HERE, NOW, standing),
            may_send_state(tx, joining, NOW),
            may_invite(tx, CONCIERGE, ME, HERE, NOW, standing),
            may_send_state(tx, invited, NOW),
        ]


def fits(somebody: Person | None, holding: list[Key], scope: RoomScope) -> bool:
    """Say, in other words than the rule, whether somebody has what opens a room."""
    if somebody is None or somebody.state is PersonState.CLOSED:
        return False
    if somebody.role is Role.SERVICE:
        return True
    if scope.rules.personal:
        return ME in scope.members
    needs_key = scope.rules.by_condition and somebody.role is not Role.CLINICIAN
    return somebody.role in scope.roles and (not needs_key or bool(held(holding, NOW) & scope.conditions))


@unhurried
@given(people, keys, scopes(HERE))
def test_on_no_way_is_anybody_admitted_without_what_fits_and_on_every_way_whoever_has_it(
    somebody: Person | None, holding: list[Key], scope: RoomScope
) -> None:
    for verdict in every_way(house_of(somebody, holding, scope), frozenset()):
        assert (verdict == Allowed()) == fits(somebody, holding, scope)


@unhurried
@given(people, keys)
def test_a_room_without_a_scope_admits_the_house_alone(somebody: Person | None, holding: list[Key]) -> None:
    is_house = somebody is not None and somebody.role is Role.SERVICE and somebody.state is not PersonState.CLOSED

    for verdict in every_way(house_of(somebody, holding), frozenset()):
        assert (verdict == Allowed()) == is_house


@unhurried
@given(st.sampled_from([Role.PATIENT, Role.CARER, Role.PEER]), keys, scopes(HERE), scopes(THERE))
def test_nobody_is_in_two_rooms_by_condition_one_of_which_the_keys_do_not_open(
    role: Role, holding: list[Key], here: RoomScope, there: RoomScope
) -> None:
    somebody = person("river", role)
    both_by_condition = here.rules.by_condition and there.rules.by_condition

    for verdict in every_way(house_of(somebody, holding, here, there), frozenset({THERE})):
        if both_by_condition and not fits(somebody, holding, there):
            assert isinstance(verdict, Refused)
        else:
            assert (verdict == Allowed()) == fits(somebody, holding, here)


@unhurried
@given(
    st.lists(st.builds(PlannedRoom, st.just("a"), kinds, st.just("A"), st.just(""), st.frozensets(roles), conditions))
)
def test_in_no_room_of_a_building_that_the_loader_accepts_do_both_halves_of_a_pair_meet(
    rooms: list[PlannedRoom],
) -> None:
    accepted = [planned for planned in rooms if not meetings_that_must_not_be([planned], EXCLUSIONS)]

    for planned in accepted:
        scope = planned.scope(HERE)
        halves = [_admits(scope, Role.PATIENT, half) for half in (ANOREXIA, BULIMIA)]
        families = [_admits(scope, role, PERINATAL) for role in (Role.PATIENT, Role.CARER)]
        assert not all(halves)
        assert not all(families)


def _admits(scope: RoomScope, role: Role, condition: Condition) -> bool:
    store = house_of(person("river", role), [Key(ME, condition, "test", NOW)], scope)
    return every_way(store, frozenset())[0] == Allowed()


@unhurried
@given(
    people.filter(lambda one: one is None or one.role is not Role.SERVICE),
    keys,
    scopes(HERE),
    types,
    contents,
    st.booleans(),
)
def test_people_change_nothing_but_their_own_coming_and_going(
    somebody: Person | None, holding: list[Key], scope: RoomScope, event_type: str, content: dict[str, Any], own: bool
) -> None:
    event = StateEvent(HERE, event_type, ME, ME if own else "", content)

    with house_of(somebody, holding, scope).reading() as tx:
        verdict = may_send_state(tx, event, NOW)

    leaves = own and event_type == "m.room.member" and content.get("membership") == "leave"
    comes = own and event_type == "m.room.member" and content.get("membership") == "join" and _bare(content)
    assert (verdict == Allowed()) == (leaves or (comes and fits(somebody, holding, scope)))


@unhurried
@given(memberships | st.dictionaries(st.text(), anything, max_size=3).map(lambda more: {"membership": "join", **more}))
def test_whoever_comes_in_says_nothing_but_the_name_that_the_house_gave(content: dict[str, Any]) -> None:
    event = StateEvent(HERE, "m.room.member", ME, ME, content)
    scope = RoomScope(HERE, "here", RoomKind.LIVING_ROOM, "A room", frozenset({Role.PATIENT}), frozenset({ANOREXIA}))

    with house_of(person("river"), [Key(ME, ANOREXIA, "test", NOW)], scope).reading() as tx:
        verdict = may_send_state(tx, event, NOW)

    may_say = content["membership"] == "leave" or (content["membership"] == "join" and _bare(content))
    assert (verdict == Allowed()) == may_say
    if verdict == Allowed():
        assert "reason" not in event.kept
        assert event.kept == {"membership": "leave"} or _bare(dict(event.kept))


def _bare(content: dict[str, Any]) -> bool:
    """Say whether nothing is told but the name, beside a reason, which nobody is refused for and nobody sees."""
    said = {key: value for key, value in content.items() if key != "reason"}
    told = {key for key, value in said.items() if value is not None and (key, value) != ("displayname", "river")}
    return told == {"membership"} and set(said) <= {"membership", "displayname", "avatar_url"}


@unhurried
@given(types, contents, contents, st.text(st.characters(exclude_categories=())))
def test_whatever_the_house_is_made_to_say_the_rule_answers(
    event_type: str, content: dict[str, Any], beside: dict[str, Any], state_key: str
) -> None:
    event = StateEvent(HERE, event_type, CONCIERGE, UserId(state_key), content, {"m.room.history_visibility": beside})

    with house_of(None, []).reading() as tx:
        assert isinstance(may_send_state(tx, event, NOW), Allowed | Refused)


@unhurried
@given(st.fixed_dictionaries({}, optional={"creation_content": anything, "preset": anything, "invite": anything,
       "initial_state": anything, "visibility": anything}))  # fmt: skip
def test_whatever_room_is_asked_for_people_make_none_and_the_rule_answers(request: dict[str, Any]) -> None:
    with house_of(person("river"), []).reading() as tx:
        assert isinstance(may_make_room(tx, ME, request), Refused)
        assert isinstance(may_make_room(tx, CONCIERGE, request), Allowed | Refused)
