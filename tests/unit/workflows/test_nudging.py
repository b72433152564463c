"""A private word is said once in a while, to people of the house alone."""

from datetime import timedelta

import pytest

from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.workflows.nudging import nudge
from keyhouse.storage.memory import MemoryStore
from tests.support.household import NOW, person, user


def test_a_nudge_is_one_message_at_the_desk_without_any_words_of_the_author(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("river"))
        assert nudge(tx, user("river"), "no_numbers", NOW)

    with house.reading() as tx:
        [row] = tx.outbox.due(Worker.RISK_MONITOR, NOW, 9)
    assert (row.kind, dict(row.content)) == (
        OutgoingKind.DESK_MESSAGE,
        {"person": user("river"), "nudge": "no_numbers"},
    )


@pytest.mark.parametrize(("days", "again"), [(0, False), (1, False), (2, False), (3, True)])
def test_the_same_nudge_comes_again_after_three_days(house: MemoryStore, days: int, again: bool) -> None:
    with house.writing() as tx:
        tx.people.add(person("river"))
        nudge(tx, user("river"), "no_numbers", NOW)

        assert nudge(tx, user("river"), "no_numbers", NOW + timedelta(days=days)) is again
        assert nudge(tx, user("river"), "another", NOW + timedelta(days=days))


@pytest.mark.parametrize("name", ["dr-a", "stranger"])
def test_the_team_and_strangers_are_not_nudged(house: MemoryStore, name: str) -> None:
    with house.writing() as tx:
        tx.people.add(person("moss", Role.PATIENT))

        assert not nudge(tx, user(name), "no_numbers", NOW)
        assert nudge(tx, user("moss"), "no_numbers", NOW)
