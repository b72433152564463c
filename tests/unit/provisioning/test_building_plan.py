"""What is to do is said exactly: each kind of drift by its change, and nothing for a building that stands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import Building
from keyhouse.core.building_plan import STATE_SET_BY, Action, ObservedRoom, place_in_space, plan_building
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.people import Role
from keyhouse.core.room_state import (
    CHILD,
    ENCRYPTION,
    MEMBER,
    PARENT,
    POWER_LEVELS,
    Cast,
    Content,
    child_link,
    create_content,
    initial_state,
    parent_link,
    power_levels,
    services_in,
    wanted_state,
)
from keyhouse.core.rooms import ROOM_KINDS, RoomKind
from keyhouse.settings.building import load_building

Observed = dict[str, ObservedRoom]

BUILDING = load_building(Path(__file__).parents[3] / "config" / "building.yaml")
ROOMS = {room.slug: room for room in BUILDING.rooms}
CAST = Cast(
    services={account: UserId(f"@{account}:keyhouse.test") for account in ServiceAccount},
    clinicians=frozenset({UserId("@sam:keyhouse.test")}),
    via="keyhouse.test",
)
WATCHER = CAST.services[ServiceAccount.WATCHER]
CONCIERGE = CAST.services[ServiceAccount.CONCIERGE]
LIVING_ROOM = "eating_disorders.patients.anorexia.living_room"
SPACE = "eating_disorders.patients.anorexia.space"
LIBRARY = "eating_disorders.patients.anorexia.library"


def room_id(slug: str) -> RoomId:
    return RoomId(f"!{list(ROOMS).index(slug)}")


def standing(building: Building = BUILDING) -> Observed:
    """The building as it is when nothing is to do."""
    states: dict[str, dict[tuple[str, str], Content]] = {}
    for room in building.rooms:
        state = {(event_type, ""): content for event_type, content in wanted_state(room, CAST).items()}
        for service in services_in(room.kind):
            state[MEMBER, CAST.services[service]] = {"membership": "join"}
        if room.parent:
            state[PARENT, room_id(room.parent)] = parent_link(CAST)
            states[room.parent][CHILD, room_id(room.slug)] = child_link(place_in_space(building, room), CAST)
        states[room.slug] = state
    return {
        slug: ObservedRoom(room_id(slug), ROOMS[slug].scope(room_id(slug)), state) for slug, state in states.items()
    }


def with_state(slug: str, event_type: str, content: Content | None, state_key: str = "") -> Callable[[Observed], None]:
    """Make a room's state event something else; None takes it out."""

    def damage(observed: Observed) -> None:
        state = dict(observed[slug].state)
        state.pop((event_type, state_key), None)
        if content is not None:
            state[event_type, state_key] = content
        observed[slug] = replace(observed[slug], state=state)

    return damage


def with_scope(slug: str, **changed: object) -> Callable[[Observed], None]:
    """Make what is kept of a room something else; nothing given takes it out."""

    def damage(observed: Observed) -> None:
        scope = observed[slug].scope
        assert scope is not None
        observed[slug] = replace(observed[slug], scope=replace(scope, **changed) if changed else None)  # type: ignore[arg-type]

    return damage


def without(slug: str) -> Callable[[Observed], None]:
    return lambda observed: observed.__delitem__(slug)


def power(slug: str, **changed: object) -> Content:
    return {**power_levels(ROOMS[slug], CAST), **changed}


def test_nothing_is_to_do_for_a_building_that_stands() -> None:
    assert plan_building(BUILDING, standing(), CAST) == []


DRIFT = {
    "a missing room": (without(LIVING_ROOM), [(Action.CREATE_ROOM, "The Willow living room")]),
    "a room that is not written down": (with_scope(LIVING_ROOM), [(Action.KEEP_SCOPE, "The Willow living room")]),
    "a room written down for others": (
        with_scope(LIVING_ROOM, roles=frozenset({Role.CARER})),
        [(Action.KEEP_SCOPE, "The Willow living room")],
    ),
    "another name": (with_state(SPACE, "m.room.name", {"name": "Ha"}), [(Action.SET_NAME, "Willow house")]),
    "no name": (with_state(SPACE, "m.room.name", None), [(Action.SET_NAME, "Willow house")]),
    "another topic": (with_state(SPACE, "m.room.topic", {"topic": "Ha"}), [(Action.SET_TOPIC, "Willow house")]),
    "somebody with power": (
        with_state(SPACE, POWER_LEVELS, power(SPACE, users={"@mallory:keyhouse.test": 100})),
        [(Action.SET_POWER, "Willow house")],
    ),
    "anybody may invite": (
        with_state(LIVING_ROOM, POWER_LEVELS, power(LIVING_ROOM, invite=0)),
        [(Action.SET_POWER, "The Willow living room")],
    ),
    "clinicians may take back what others wrote": (
        with_state(LIVING_ROOM, POWER_LEVELS, power(LIVING_ROOM, redact=50)),
        [(Action.SET_POWER, "The Willow living room")],
    ),
    "an open door": (
        with_state(LIVING_ROOM, "m.room.join_rules", {"join_rule": "public"}),
        [(Action.SET_JOIN_RULE, "The Willow living room")],
    ),
    "guests": (
        with_state(LIVING_ROOM, "m.room.guest_access", {"guest_access": "can_join"}),
        [(Action.SET_GUEST_ACCESS, "The Willow living room")],
    ),
    "history for all the world": (
        with_state(LIBRARY, "m.room.history_visibility", {"history_visibility": "world_readable"}),
        [(Action.SET_HISTORY, "The Willow library")],
    ),
    "no encryption": (with_state(LIVING_ROOM, ENCRYPTION, None), [(Action.SET_ENCRYPTION, "The Willow living room")]),
    "a room taken out of its space": (
        with_state(SPACE, CHILD, {}, room_id(LIVING_ROOM)),
        [(Action.SET_CHILD, "The Willow living room")],
    ),
    "a room that names no space": (
        with_state(LIVING_ROOM, PARENT, None, room_id(SPACE)),
        [(Action.SET_CHILD, "The Willow living room")],
    ),
    "a watcher that was removed": (
        with_state(LIVING_ROOM, MEMBER, {"membership": "leave"}, WATCHER),
        [(Action.INVITE_SERVICE, "The Willow living room")],
    ),
    "a concierge that never answered": (
        with_state(LIBRARY, MEMBER, {"membership": "invite"}, CONCIERGE),
        [(Action.INVITE_SERVICE, "The Willow library")],
    ),
}


@pytest.mark.parametrize(("damage", "wanted"), DRIFT.values(), ids=DRIFT)
def test_drift_is_named_and_nothing_else(damage: Callable[[Observed], None], wanted: list[tuple[Action, str]]) -> None:
    observed = standing()
    damage(observed)

    changes = plan_building(BUILDING, observed, CAST)

    assert [(change.action, change.target) for change in changes] == wanted
    assert all(change.detail for change in changes)


def test_every_action_that_sets_state_is_among_the_drift() -> None:
    named = {action for _, changes in DRIFT.values() for action, _ in changes}

    assert named == set(Action)
    assert STATE_SET_BY.keys() < named


def test_an_empty_house_is_built_parents_first() -> None:
    changes = plan_building(BUILDING, {}, CAST)

    made = [change.slug for change in changes]
    assert made == list(ROOMS)
    assert {change.action for change in changes} == {Action.CREATE_ROOM}
    assert all(made.index(room.parent) < made.index(room.slug) for room in BUILDING.rooms if room.parent)


def test_a_new_clinician_is_to_be_given_power_in_the_rooms_that_are_the_teams_and_no_others() -> None:
    cast = replace(CAST, clinicians=CAST.clinicians | {UserId("@maya:keyhouse.test")})

    changes = plan_building(BUILDING, standing(), cast)

    assert {change.action for change in changes} == {Action.SET_POWER}
    assert {change.slug for change in changes} == ROOMS.keys() - {"staff.quiet"}


@pytest.mark.parametrize("kind", RoomKind)
def test_the_house_lives_where_it_must_read_and_nowhere_where_it_must_not(kind: RoomKind) -> None:
    services = services_in(kind)

    assert (ServiceAccount.WATCHER in services) == (ROOM_KINDS[kind].watched or kind is RoomKind.CARE)
    assert (ServiceAccount.CONCIERGE in services) == (kind not in (RoomKind.GUARDIANS, RoomKind.SPEAK_UP))
    assert ServiceAccount.OWNER not in services


@pytest.mark.parametrize("slug", ROOMS)
def test_no_room_says_a_condition(slug: str) -> None:
    room = ROOMS[slug]
    said = str([create_content(room, "a mark"), initial_state(room, RoomId("!space"), CAST)]).lower()

    assert [condition for condition in BUILDING.conditions if condition.replace("_", " ") in said] == []
    assert [condition for condition in BUILDING.conditions if condition in said] == []


@pytest.mark.parametrize("slug", ROOMS)
def test_people_write_only_where_it_is_encrypted(slug: str) -> None:
    levels, state = power_levels(ROOMS[slug], CAST), wanted_state(ROOMS[slug], CAST)

    assert (levels["events_default"] == 0) == (ENCRYPTION in state)
    assert levels["invite"] == levels["state_default"] == 100
    assert CAST.services[ServiceAccount.OWNER] not in levels["users"]


@pytest.mark.parametrize("slug", ROOMS)
def test_nobody_but_the_concierge_takes_back_what_others_wrote(slug: str) -> None:
    levels = power_levels(ROOMS[slug], CAST)
    may = {user_id for user_id, level in levels["users"].items() if level >= levels["redact"]}

    assert may <= {CAST.services[ServiceAccount.CONCIERGE]}
    assert (may != set()) == (ServiceAccount.CONCIERGE in services_in(ROOMS[slug].kind))
