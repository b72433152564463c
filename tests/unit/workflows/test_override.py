"""Somebody holds what excludes each other: only on purpose, and written down."""

from dataclasses import replace

import pytest

from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.keys import KeyChange, change_keys
from keyhouse.core.workflows.moves import rooms_opened
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, BULIMIA, EXCLUSIONS, KNOWN, NOW, key, living_room, person, user

RIVER = user("river")
BOTH = KeyChange(frozenset({BULIMIA}), frozenset(), None, "host")
ON_PURPOSE = replace(BOTH, override_exclusion=True)


@pytest.fixture
def house(house: MemoryStore) -> MemoryStore:
    """A house in which river has a key for one half of a pair."""
    with house.writing() as tx:
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
    return house


def test_without_a_word_about_it_nobody_is_given_what_excludes_the_other(house: MemoryStore) -> None:
    with house.writing() as tx:
        outcome = change_keys(tx, RIVER, BOTH, KNOWN, EXCLUSIONS, NOW)

    assert outcome == Refused(Reason.CONDITIONS_EXCLUDE)
    with house.reading() as tx:
        assert tx.audit.verify().entries == 0


def test_on_purpose_one_person_holds_both_and_enters_both_rooms(house: MemoryStore) -> None:
    with house.writing() as tx:
        outcome = change_keys(tx, RIVER, ON_PURPOSE, KNOWN, EXCLUSIONS, NOW)

    assert outcome == person("river")
    inside = frozenset({living_room(ANOREXIA).room_id})
    with house.writing() as tx:
        tx.memberships.observe([Membership(room, RIVER, MembershipState.JOINED, NOW) for room in inside])
        opened = {scope.room_id for scope in rooms_opened(tx, person("river"), NOW)}
        assert opened == {living_room(ANOREXIA).room_id, living_room(BULIMIA).room_id}
        assert decide_entry(tx, RIVER, living_room(BULIMIA).room_id, NOW, inside) == Allowed()


def test_the_override_is_an_act_of_its_own_in_the_audit(house: MemoryStore) -> None:
    with house.writing() as tx:
        change_keys(tx, RIVER, ON_PURPOSE, KNOWN, EXCLUSIONS, NOW)
        with_override = tx.audit.verify().entries
        change_keys(tx, RIVER, KeyChange(frozenset(), frozenset({BULIMIA}), None, "host"), KNOWN, EXCLUSIONS, NOW)

        assert (with_override, tx.audit.verify().entries) == (2, 3)


def test_the_word_alone_overrides_nothing_where_nothing_excludes(house: MemoryStore) -> None:
    harmless = KeyChange(frozenset(), frozenset(), None, "host", override_exclusion=True)

    with house.writing() as tx:
        change_keys(tx, RIVER, harmless, KNOWN, EXCLUSIONS, NOW)

        assert tx.audit.verify().entries == 1
