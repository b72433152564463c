"""New rules of the house: everybody who agreed to older ones hears of it once."""

from dataclasses import replace

import pytest

from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import PersonState
from keyhouse.core.workflows import reminding
from keyhouse.core.workflows.reminding import remind
from keyhouse.storage.memory import MemoryStore
from tests.support.household import AN_HOUR, NOW, person, user


def agreed(house: MemoryStore, name: str, version: int | None, state: PersonState = PersonState.ACTIVE) -> None:
    with house.writing() as tx:
        tx.people.add(replace(person(name, state=state), rules_agreed=version))


def reminded(house: MemoryStore, version: int) -> list[str]:
    """Remind everybody, in as many transactions as it takes; who has been reminded of this version by now."""
    after: str | None = ""
    while after is not None:
        with house.writing() as tx:
            after = remind(tx, version, after, NOW).next_after
    with house.reading() as tx:
        rows = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW + AN_HOUR, 999)
    told = [row.content for row in rows if row.kind is OutgoingKind.RULES_REMINDER]
    return [str(content["person"]) for content in told if content["version"] == version]


def test_who_agreed_to_an_older_version_is_reminded_once_and_of_the_next_one_again(house: MemoryStore) -> None:
    agreed(house, "river", 1)

    assert reminded(house, 1) == []
    assert reminded(house, 2) == reminded(house, 2) == [user("river")]
    assert reminded(house, 3) == [user("river")]


@pytest.mark.parametrize("version", [None, 2, 3])
def test_who_has_agreed_to_none_or_to_this_one_is_not_reminded(house: MemoryStore, version: int | None) -> None:
    agreed(house, "river", version)

    assert reminded(house, 2) == []


def test_who_is_paused_is_reminded_and_who_has_left_is_not(house: MemoryStore) -> None:
    agreed(house, "moss", 1, PersonState.PAUSED)
    agreed(house, "river", 1, PersonState.CLOSED)

    assert reminded(house, 2) == [user("moss")]


def test_a_large_house_is_reminded_in_portions_and_nobody_is_passed_over(house: MemoryStore) -> None:
    people = 2 * reminding.AT_ONCE
    for number in range(people):
        agreed(house, f"p{number:04}", 1)

    with house.writing() as tx:
        first = remind(tx, 2, "", NOW)

    assert first.decided == reminding.AT_ONCE
    assert len(set(reminded(house, 2))) == people
