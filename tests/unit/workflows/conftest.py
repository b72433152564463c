"""A small furnished house, kept nowhere."""

import pytest

from keyhouse.core.people import Role
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, BULIMIA, PERINATAL, care_room, living_room, person


@pytest.fixture
def house() -> MemoryStore:
    """Three living rooms, a care room and two clinicians; no patient yet."""
    store = MemoryStore()
    with store.writing() as tx:
        for scope in (care_room(), *(living_room(condition) for condition in (ANOREXIA, BULIMIA, PERINATAL))):
            tx.rooms.put(scope)
        tx.people.add(person("dr-a", Role.CLINICIAN))
        tx.people.add(person("dr-b", Role.CLINICIAN))
    return store
