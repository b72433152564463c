"""Somebody is seen to come or go, and what follows at once."""

from datetime import timedelta

import pytest

from keyhouse.core.memberships import MembershipState
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.workflows.housekeeping import observe_change
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, BULIMIA, NOW, desk, key, living_room, person, user

RIVER, CONCIERGE, STRANGER = user("river"), user("concierge"), user("stranger")
WILLOW, ELM = living_room(ANOREXIA).room_id, living_room(BULIMIA).room_id


@pytest.fixture
def inhabited(house: MemoryStore) -> MemoryStore:
    """The house with a patient who has a key for the Willow rooms, and the concierge."""
    with house.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.people.add(person("concierge", Role.SERVICE))
        tx.rooms.put(desk("river"))
    return house


def _decided(house: MemoryStore) -> list[tuple[OutgoingKind, object, object]]:
    with house.reading() as tx:
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + timedelta(days=1), 99)
    return [(row.kind, row.content["person"], row.content["room_id"]) for row in rows]


@pytest.mark.parametrize("membership", ["join", "invite"])
@pytest.mark.parametrize(
    ("who", "room"),
    [
        pytest.param(RIVER, ELM, id="no key for it"),
        pytest.param(RIVER, desk("somebody").room_id, id="a room that the house does not know"),
        pytest.param(STRANGER, WILLOW, id="an account that the house does not know"),
    ],
)
def test_who_is_seen_where_no_key_lets_them_is_removed_at_once(
    inhabited: MemoryStore, who: object, room: object, membership: str
) -> None:
    with inhabited.writing() as tx:
        observe_change(tx, room, who, who, membership, NOW)

    assert _decided(inhabited) == [(OutgoingKind.REMOVAL, who, room)]


@pytest.mark.parametrize(
    ("who", "room", "membership"),
    [
        pytest.param(RIVER, WILLOW, "join", id="the key opens it"),
        pytest.param(RIVER, WILLOW, "invite", id="invited where the key opens"),
        pytest.param(RIVER, desk("river").room_id, "join", id="their own desk"),
        pytest.param(CONCIERGE, ELM, "join", id="the house's own"),
        pytest.param(RIVER, ELM, "leave", id="who leaves"),
        pytest.param(RIVER, ELM, "ban", id="who is banned"),
        pytest.param(RIVER, ELM, "nonsense", id="a word that nobody knows"),
    ],
)
def test_who_is_seen_where_the_key_lets_them_or_leaving_is_left_alone(
    inhabited: MemoryStore, who: object, room: object, membership: str
) -> None:
    with inhabited.writing() as tx:
        observe_change(tx, room, who, who, membership, NOW)

    assert _decided(inhabited) == []


def test_somebody_seen_twice_where_no_key_lets_them_is_removed_twice(inhabited: MemoryStore) -> None:
    for seconds in (0, 1):
        with inhabited.writing() as tx:
            observe_change(tx, ELM, RIVER, RIVER, "join", NOW + timedelta(seconds=seconds))

    assert len(_decided(inhabited)) == 2
    with inhabited.reading() as tx:
        assert {place.room_id: place.state for place in tx.memberships.of(RIVER)} == {ELM: MembershipState.JOINED}
