"""A picture is taken away once, and its author is told why."""

from datetime import timedelta

import pytest

from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import REFERRED_ROLES, Role
from keyhouse.core.workflows.pictures import take_away
from keyhouse.storage.memory import MemoryStore
from tests.support.household import NOW, person, user

ROOM = RoomId("!living-anorexia")
LATER = NOW + timedelta(minutes=1)


def taken(house: MemoryStore, author: str, *events: str) -> bool:
    with house.writing() as tx:
        return [take_away(tx, ROOM, EventId(event), user(author), NOW) for event in events][-1]


def leaving(house: MemoryStore, kind: OutgoingKind) -> list[Outgoing]:
    with house.reading() as tx:
        return [row for row in tx.outbox.due(Worker.ROOM_GATEKEEPER, LATER, 99) if row.kind is kind]


@pytest.mark.parametrize("role", sorted(REFERRED_ROLES))
def test_it_is_taken_away_once_and_its_author_is_told_that_nobody_judged_it(house: MemoryStore, role: Role) -> None:
    with house.writing() as tx:
        tx.people.add(person("river", role))

    assert taken(house, "river", "$one", "$one")

    (redaction,), (told,) = leaving(house, OutgoingKind.REDACTION), leaving(house, OutgoingKind.UNSENT)
    assert redaction.content == {"room_id": ROOM, "event_id": "$one", "reason": "not_carried"}
    assert told.content == {"person": user("river"), "reason": "not_carried", "taken_away": True}


def test_an_album_goes_whole_and_is_told_once_in_a_minute(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("river"))

    taken(house, "river", "$one", "$two", "$three")
    with house.writing() as tx:
        take_away(tx, ROOM, EventId("$four"), user("river"), LATER)

    assert len(leaving(house, OutgoingKind.REDACTION)) == 4
    assert len(leaving(house, OutgoingKind.UNSENT)) == 2


@pytest.mark.parametrize("author", ["dr-a", "a-stranger"])
def test_a_picture_of_the_team_or_of_a_stranger_goes_too_and_nobody_without_a_desk_is_written_to(
    house: MemoryStore, author: str
) -> None:
    assert taken(house, author, "$one")

    assert len(leaving(house, OutgoingKind.REDACTION)) == 1
    assert leaving(house, OutgoingKind.UNSENT) == []


def test_what_the_house_itself_sends_stays(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("booking", Role.SERVICE))

    assert not taken(house, "booking", "$one")

    assert leaving(house, OutgoingKind.REDACTION) == []
