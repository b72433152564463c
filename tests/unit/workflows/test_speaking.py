"""A message that did not go out is told at the desk."""

from datetime import timedelta

import pytest

from keyhouse.core.outgoing import OutgoingKind, Worker, lane_of
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.speaking import TOLD_AGAIN_AFTER, tell_unsent
from keyhouse.storage.memory import MemoryStore
from tests.support.household import A_SECOND, NOW, person, user


def tell(house: MemoryStore, name: str, reason: Reason = Reason.PAUSED, later: timedelta = timedelta()) -> bool:
    """Decide to tell somebody."""
    with house.writing() as tx:
        return tell_unsent(tx, user(name), reason, NOW + later)


@pytest.fixture
def furnished(house: MemoryStore) -> MemoryStore:
    """The house with a patient."""
    with house.writing() as tx:
        tx.people.add(person("river", rules_agreed=None))
    return house


def test_the_concierge_is_to_tell_who_and_why_and_nothing_of_the_message(furnished: MemoryStore) -> None:
    assert tell(furnished, "river")

    with furnished.reading() as tx:
        (row,) = tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 10)
    assert (row.kind, row.content) == (OutgoingKind.UNSENT, {"person": user("river"), "reason": "paused"})
    assert lane_of(row) == f"desk:{user('river')}"


def test_the_same_is_told_once_a_minute_and_another_reason_at_once(furnished: MemoryStore) -> None:
    assert tell(furnished, "river")
    assert not tell(furnished, "river", later=TOLD_AGAIN_AFTER - A_SECOND)
    assert tell(furnished, "river", Reason.NOT_CARRIED, later=A_SECOND)
    assert tell(furnished, "river", later=TOLD_AGAIN_AFTER)


@pytest.mark.parametrize(
    "somebody",
    [
        pytest.param(None, id="unknown account"),
        pytest.param(person("ash", Role.CLINICIAN), id="the team"),
        pytest.param(person("ash", Role.SERVICE), id="the house"),
        pytest.param(person("ash", state=PersonState.CLOSED), id="somebody who has left"),
    ],
)
def test_who_has_no_desk_is_told_nothing(house: MemoryStore, somebody: Person | None) -> None:
    if somebody is not None:
        with house.writing() as tx:
            tx.people.add(somebody)

    assert not tell(house, "ash")
