"""No room of the house is open to strangers."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.accounts import ServiceAccount
from keyhouse.core.building import PlannedRoom
from keyhouse.core.closed_rooms import is_born_closed, stays_closed
from keyhouse.core.room_state import ENCRYPTION, GUESTS, HISTORY, JOIN_RULES, Cast, initial_state
from keyhouse.core.rooms import RoomKind
from keyhouse.core.verdict import Allowed, Reason, Refused
from tests.support.household import user

OPENED = Refused(Reason.ROOM_WOULD_OPEN)
MEGOLM = {"algorithm": "m.megolm.v1.aes-sha2"}
ENCRYPTED = {ENCRYPTION: MEGOLM}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("event_type", "content", "beside"),
    [
        pytest.param(JOIN_RULES, {"join_rule": "invite"}, {}, id="by invitation"),
        pytest.param(GUESTS, {"guest_access": "forbidden"}, {}, id="no guests"),
        pytest.param(HISTORY, {"history_visibility": "joined"}, ENCRYPTED, id="history for who was there"),
        pytest.param(HISTORY, {"history_visibility": "shared"}, {}, id="history of a plain room for who is there"),
        pytest.param(ENCRYPTION, MEGOLM, {}, id="encrypted from the beginning"),
        pytest.param(ENCRYPTION, MEGOLM, {HISTORY: {"history_visibility": "joined"}}, id="encrypted"),
        pytest.param("m.room.name", {"name": "The Fern room"}, {}, id="a name"),
    ],
)
def test_what_leaves_a_room_closed_may_be_set(event_type: str, content: Any, beside: Any) -> None:
    assert stays_closed(event_type, content, beside) == Allowed()


@pytest.mark.parametrize(
    ("event_type", "content", "beside"),
    [
        *(
            pytest.param(JOIN_RULES, {"join_rule": rule}, {}, id=f"join rule {rule}")
            for rule in ("public", "knock", "restricted", "knock_restricted", "private", None, ["invite"])
        ),
        pytest.param(JOIN_RULES, {}, {}, id="no join rule"),
        pytest.param(GUESTS, {"guest_access": "can_join"}, {}, id="guests"),
        pytest.param(HISTORY, {"history_visibility": "world_readable"}, {}, id="read by the world"),
        pytest.param(HISTORY, {"history_visibility": "invited"}, {}, id="read by who is invited"),
        pytest.param(HISTORY, {"history_visibility": "shared"}, ENCRYPTED, id="encrypted, for who comes later"),
        pytest.param(ENCRYPTION, MEGOLM, {HISTORY: {"history_visibility": "shared"}}, id="encrypted too late"),
        pytest.param(ENCRYPTION, {}, {}, id="no encryption"),
        pytest.param(ENCRYPTION, {"algorithm": "none"}, {}, id="another encryption"),
    ],
)
def test_what_would_open_a_room_may_not_be_set(event_type: str, content: Any, beside: Any) -> None:
    assert stays_closed(event_type, content, beside) == OPENED


def event(event_type: str, **content: object) -> dict[str, Any]:
    """An event of the initial state of a room."""
    return {"type": event_type, "state_key": "", "content": content}


NO_GUESTS = event(GUESTS, guest_access="forbidden")
JOINED = event(HISTORY, history_visibility="joined")
MADE_ENCRYPTED = event(ENCRYPTION, algorithm="m.megolm.v1.aes-sha2")


@pytest.mark.parametrize(
    "request_body",
    [
        pytest.param({"preset": "private_chat", "initial_state": [NO_GUESTS]}, id="plain"),
        pytest.param({"initial_state": [NO_GUESTS, MADE_ENCRYPTED, JOINED]}, id="encrypted"),
        pytest.param({"visibility": "private", "initial_state": [JOINED, NO_GUESTS, MADE_ENCRYPTED]}, id="any order"),
    ],
)
def test_a_room_that_is_closed_from_the_beginning_may_be_made(request_body: dict[str, Any]) -> None:
    assert is_born_closed(request_body) == Allowed()


@pytest.mark.parametrize("kind", RoomKind)
def test_every_kind_of_room_that_the_house_builds_is_born_closed(kind: RoomKind) -> None:
    planned = PlannedRoom("willow", kind, "The Willow room", "", frozenset(), frozenset())
    cast = Cast({service: user(service) for service in ServiceAccount}, frozenset(), "keyhouse.test")

    assert is_born_closed({"preset": "private_chat", "initial_state": initial_state(planned, None, cast)}) == Allowed()


@pytest.mark.parametrize(
    "request_body",
    [
        pytest.param({}, id="nothing said: guests could come"),
        pytest.param({"initial_state": [NO_GUESTS], "visibility": "public"}, id="in the directory"),
        pytest.param({"initial_state": [NO_GUESTS], "preset": "public_chat"}, id="preset public"),
        pytest.param({"initial_state": [NO_GUESTS], "preset": ["private_chat"]}, id="preset of a wrong type"),
        pytest.param({"initial_state": [NO_GUESTS, event(JOIN_RULES, join_rule="public")]}, id="public"),
        pytest.param({"initial_state": [NO_GUESTS, MADE_ENCRYPTED]}, id="encrypted, history for who comes later"),
        pytest.param({"initial_state": [NO_GUESTS, NO_GUESTS | {"content": {"guest_access": "can_join"}}]}, id="twice"),
        pytest.param({"initial_state": [NO_GUESTS | {"state_key": "x"}]}, id="said for another key"),
        pytest.param({"initial_state": "x"}, id="state of a wrong type"),
        pytest.param({"initial_state": [NO_GUESTS, {"type": [], "content": {}}]}, id="type of a wrong type"),
        pytest.param({"initial_state": [NO_GUESTS | {"content": 7}]}, id="content of a wrong type"),
        pytest.param({"initial_state": [{}]}, id="an empty event"),
    ],
)
def test_a_room_that_would_be_open_is_not_made(request_body: dict[str, Any]) -> None:
    assert is_born_closed(request_body) == OPENED


@given(st.sampled_from([JOIN_RULES, GUESTS, HISTORY, ENCRYPTION, "x"]), st.dictionaries(st.text(), anything))
def test_no_content_makes_the_rule_fail(event_type: str, content: Mapping[str, Any]) -> None:
    assert stays_closed(event_type, content, {}) in (Allowed(), OPENED)


@given(st.fixed_dictionaries({}, optional={"preset": anything, "visibility": anything, "initial_state": anything}))
def test_no_request_makes_the_rule_fail(request_body: dict[str, Any]) -> None:
    assert is_born_closed(request_body) in (Allowed(), OPENED)
