"""Who may be where."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.access import may_come_in, may_join, moves_for
from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.rooms import ROOM_KINDS, RoomKind, RoomScope
from keyhouse.core.verdict import Allowed, Reason, Refused
from tests.support.household import (
    A_SECOND,
    ANOREXIA,
    BULIMIA,
    NOW,
    care_room,
    desk,
    key,
    living_room,
    person,
    room,
)

WILLOW = living_room(ANOREXIA)
HOLDS_WILLOW = [key("river", ANOREXIA)]
PATIENT = person("river")
LEFT = person("river", state=PersonState.CLOSED)


@pytest.mark.parametrize(
    ("scope", "somebody", "keys", "reason"),
    [
        pytest.param(WILLOW, None, HOLDS_WILLOW, Reason.UNKNOWN_PERSON, id="unknown account"),
        pytest.param(WILLOW, LEFT, HOLDS_WILLOW, Reason.PERSON_CLOSED, id="somebody who has left"),
        pytest.param(None, PATIENT, HOLDS_WILLOW, Reason.NO_SCOPE, id="a room that is not ours"),
        pytest.param(None, person("river", Role.ADMIN), [], Reason.NO_SCOPE, id="not ours, an admin"),
        pytest.param(WILLOW, person("river", Role.CARER), HOLDS_WILLOW, Reason.ROLE_NOT_ADMITTED, id="a carer"),
        pytest.param(WILLOW, person("river", Role.ADMIN), HOLDS_WILLOW, Reason.ROLE_NOT_ADMITTED, id="an admin"),
        pytest.param(WILLOW, PATIENT, [], Reason.NO_KEY, id="no key"),
        pytest.param(WILLOW, PATIENT, [key("river", BULIMIA)], Reason.NO_KEY, id="another key"),
        pytest.param(WILLOW, PATIENT, [key("river", ANOREXIA, NOW)], Reason.KEY_EXPIRED, id="runs out this second"),
        pytest.param(WILLOW, PATIENT, [replace(HOLDS_WILLOW[0], revoked_at=NOW)], Reason.NO_KEY, id="revoked key"),
        pytest.param(replace(WILLOW, conditions=frozenset()), PATIENT, HOLDS_WILLOW, Reason.NO_CONDITION_IN_SCOPE,
                     id="a room without conditions"),
        pytest.param(replace(WILLOW, roles=frozenset()), PATIENT, HOLDS_WILLOW, Reason.ROLE_NOT_ADMITTED,
                     id="a room without roles"),
        pytest.param(desk("clover"), PATIENT, HOLDS_WILLOW, Reason.SOMEBODY_ELSES_ROOM, id="somebody else's desk"),
        pytest.param(desk("clover"), person("dr", Role.CLINICIAN), [], Reason.SOMEBODY_ELSES_ROOM,
                     id="a clinician at a desk"),
        pytest.param(care_room(), PATIENT, HOLDS_WILLOW, Reason.ROLE_NOT_ADMITTED, id="a patient in the care room"),
    ],
)  # fmt: skip
def test_who_may_not_enter_is_told_the_one_reason(
    scope: RoomScope | None, somebody: Person | None, keys: list[Key], reason: Reason
) -> None:
    assert may_join(scope, somebody, keys, NOW) == Refused(reason)


@pytest.mark.parametrize(
    ("scope", "somebody", "keys"),
    [
        pytest.param(WILLOW, PATIENT, HOLDS_WILLOW, id="by key"),
        pytest.param(WILLOW, person("river", Role.PEER), HOLDS_WILLOW, id="a peer by key"),
        pytest.param(WILLOW, PATIENT, [key("river", ANOREXIA, NOW + A_SECOND)], id="runs out in a second"),
        pytest.param(WILLOW, PATIENT, [key("river", BULIMIA), *HOLDS_WILLOW], id="with another key beside"),
        pytest.param(WILLOW, person("river", state=PersonState.PAUSED), HOLDS_WILLOW, id="paused"),
        pytest.param(WILLOW, person("dr", Role.CLINICIAN), [], id="a clinician without a key"),
        pytest.param(care_room(), person("dr", Role.CLINICIAN), [], id="a clinician in the care room"),
        pytest.param(desk("river"), PATIENT, [], id="one's own desk, without any key"),
        pytest.param(None, person("bot", Role.SERVICE), [], id="the house itself, anywhere"),
        pytest.param(desk("river"), person("bot", Role.SERVICE), [], id="the house itself, at a desk"),
    ],
)
def test_who_may_enter_does(scope: RoomScope | None, somebody: Person, keys: list[Key]) -> None:
    assert may_join(scope, somebody, keys, NOW) == Allowed()


ROLES_WITH_KEYS = [role for role in Role if role not in (Role.SERVICE, Role.CLINICIAN)]
two_conditions = st.sampled_from([(ANOREXIA, BULIMIA), (BULIMIA, ANOREXIA)])


@given(two_conditions, st.sampled_from(ROLES_WITH_KEYS), st.frozensets(st.sampled_from(list(Role))),
       st.sampled_from([kind for kind, rules in ROOM_KINDS.items() if rules.by_condition]))  # fmt: skip
def test_no_room_of_one_condition_admits_a_holder_of_only_the_other(
    two: tuple[Condition, Condition], role: Role, roles: frozenset[Role], kind: RoomKind
) -> None:
    its_own, other = two
    scope = room("x", kind, *roles, conditions=(its_own,))

    verdict = may_join(scope, person("river", role), [key("river", other)], NOW)

    assert isinstance(verdict, Refused)
    if role in roles:
        assert may_join(scope, person("river", role), [key("river", its_own)], NOW) == Allowed()


@given(st.sampled_from(list(RoomKind)), st.sampled_from([role for role in Role if role is not Role.SERVICE]))
def test_a_scope_that_names_nobody_admits_nobody(kind: RoomKind, role: Role) -> None:
    empty = RoomScope(RoomId("!x"), "x", kind, "X")

    assert isinstance(may_join(empty, person("river", role), HOLDS_WILLOW, NOW), Refused)


def test_a_moved_person_leaves_what_is_shut_and_enters_what_is_open() -> None:
    elm = living_room(BULIMIA)
    inside = frozenset({WILLOW.room_id, RoomId("!not ours")})

    moves = moves_for(PATIENT, [key("river", BULIMIA)], [WILLOW, elm, desk("river")], inside, frozenset(), NOW)

    assert moves.enter == (elm, desk("river"))
    assert moves.leave == tuple(sorted(inside))


def test_a_room_that_was_left_by_choice_stays_left_and_one_stays_where_one_is() -> None:
    stays_out = frozenset({WILLOW.room_id})

    away = moves_for(PATIENT, HOLDS_WILLOW, [WILLOW], frozenset(), stays_out, NOW)
    inside = moves_for(PATIENT, HOLDS_WILLOW, [WILLOW], frozenset({WILLOW.room_id}), frozenset(), NOW)

    assert (away.enter, away.leave) == (inside.enter, inside.leave) == ((), ())


@given(st.frozensets(st.sampled_from(["!living-anorexia", "!living-bulimia", "!desk-river", "!x"]).map(RoomId)),
       st.frozensets(st.sampled_from([ANOREXIA, BULIMIA])))  # fmt: skip
def test_after_the_moves_a_person_is_exactly_where_the_keys_say(
    inside: frozenset[RoomId], conditions: frozenset[Condition]
) -> None:
    scopes = [WILLOW, living_room(BULIMIA), desk("river")]
    keys = [key("river", condition) for condition in conditions]

    moves = moves_for(PATIENT, keys, scopes, inside, frozenset(), NOW)

    after = (inside - set(moves.leave)) | {scope.room_id for scope in moves.enter}
    assert after == {scope.room_id for scope in scopes if may_join(scope, PATIENT, keys, NOW) == Allowed()}


ELM, HOLDS_ELM = living_room(BULIMIA), [key("river", BULIMIA)]
LIBRARY = room("library", RoomKind.LIBRARY, Role.PATIENT, conditions=(ANOREXIA,))


@pytest.mark.parametrize(
    ("scope", "keys", "standing", "verdict"),
    [
        pytest.param(ELM, HOLDS_ELM, [WILLOW], Refused(Reason.STILL_LEAVING), id="still in what the key opened before"),
        pytest.param(ELM, HOLDS_ELM, [LIBRARY], Refused(Reason.STILL_LEAVING), id="still in its library"),
        pytest.param(ELM, [*HOLDS_ELM, key("river", ANOREXIA, NOW)], [WILLOW], Refused(Reason.STILL_LEAVING),
                     id="the other key runs out this second"),
        pytest.param(ELM, HOLDS_WILLOW, [WILLOW], Refused(Reason.NO_KEY), id="no key is said before anything else"),
        pytest.param(ELM, HOLDS_ELM, [], Allowed(), id="stands nowhere"),
        pytest.param(ELM, HOLDS_ELM, [ELM], Allowed(), id="stands in the room itself"),
        pytest.param(ELM, HOLDS_ELM, [desk("clover"), care_room()], Allowed(), id="stands where no key is asked for"),
        pytest.param(ELM, [*HOLDS_ELM, *HOLDS_WILLOW], [WILLOW], Allowed(), id="holds both on purpose"),
        pytest.param(desk("river"), HOLDS_ELM, [WILLOW], Allowed(), id="the desk is always open"),
    ],
)  # fmt: skip
def test_who_has_not_left_yet_enters_nothing_else_that_needs_a_key(
    scope: RoomScope, keys: list[Key], standing: list[RoomScope], verdict: object
) -> None:
    assert may_come_in(scope, PATIENT, keys, standing, NOW) == verdict


def test_a_clinician_and_the_house_are_never_still_leaving() -> None:
    for somebody in (person("dr", Role.CLINICIAN), person("concierge", Role.SERVICE)):
        assert may_come_in(ELM, somebody, [], [WILLOW], NOW) == Allowed()
