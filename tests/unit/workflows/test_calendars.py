"""Who gets a calendar link, and what it leads to."""

import pytest

from keyhouse.core.calendars import may_have_calendar
from keyhouse.core.people import PersonState, Role
from keyhouse.core.verdict import Allowed, Reason, Refused
from keyhouse.core.workflows.calendars import close_calendar, open_calendar, sessions_shown
from keyhouse.storage.memory import MemoryStore
from tests.support.household import NOW, person, user
from tests.support.therapy import DAY, DR, add, book, furnish, plan

RIVER, CLOVER = user("river"), user("clover")


@pytest.fixture
def house() -> MemoryStore:
    """A house in which river has booked a session with the therapist dr-a."""
    store = MemoryStore()
    furnish(store, "river", "clover")
    add(store, plan(NOW + DAY))
    book(store, "river", 1)
    return store


@pytest.mark.parametrize("role", [Role.PATIENT, Role.CARER, Role.PEER, Role.CLINICIAN])
@pytest.mark.parametrize("state", [PersonState.ACTIVE, PersonState.PAUSED])
def test_whoever_has_sessions_may_have_a_calendar_also_while_paused(role: Role, state: PersonState) -> None:
    assert may_have_calendar(person("river", role, state)) == Allowed()


@pytest.mark.parametrize("role", [Role.GUARDIAN, Role.STAFF, Role.ADMIN, Role.SERVICE])
def test_whoever_has_none_may_not(role: Role) -> None:
    assert may_have_calendar(person("moss", role)) == Refused(Reason.ROLE_NOT_BOOKED)


def test_who_is_gone_or_was_never_there_may_not() -> None:
    assert may_have_calendar(None) == Refused(Reason.UNKNOWN_PERSON)
    assert may_have_calendar(person("river", state=PersonState.CLOSED)) == Refused(Reason.PERSON_CLOSED)


def test_the_holder_and_the_therapist_are_shown_the_session_and_nobody_else(house: MemoryStore) -> None:
    with house.writing() as tx:
        opened = [open_calendar(tx, who, who, NOW) for who in (RIVER, DR, CLOVER)]

        shown = [sessions_shown(tx, who, NOW) for who in (RIVER, DR, CLOVER)]

    assert opened == [Allowed()] * 3
    assert [[one.slot for one in sessions or ()] for sessions in shown] == [[1], [1], []]


def test_a_refused_person_gets_no_link(house: MemoryStore) -> None:
    with house.writing() as tx:
        tx.people.add(person("moss", Role.STAFF))

        assert open_calendar(tx, user("moss"), "secret", NOW) == Refused(Reason.ROLE_NOT_BOOKED)
        assert sessions_shown(tx, "secret", NOW) is None


def test_a_new_link_ends_the_one_before(house: MemoryStore) -> None:
    with house.writing() as tx:
        open_calendar(tx, RIVER, "first", NOW)
        open_calendar(tx, RIVER, "second", NOW)

        assert sessions_shown(tx, "first", NOW) is None
        assert sessions_shown(tx, "second", NOW)


def test_an_ended_link_leads_nowhere_and_is_ended_once(house: MemoryStore) -> None:
    with house.writing() as tx:
        open_calendar(tx, RIVER, "secret", NOW)

        assert [close_calendar(tx, RIVER, NOW) for _ in range(2)] == [True, False]
        assert sessions_shown(tx, "secret", NOW) is None


def test_a_closed_account_is_shown_nothing_though_nobody_ended_its_link(house: MemoryStore) -> None:
    with house.writing() as tx:
        open_calendar(tx, RIVER, "secret", NOW)
        tx.people.update(person("river", state=PersonState.CLOSED))

        assert sessions_shown(tx, "secret", NOW) is None


def test_what_is_done_about_links_is_in_the_chain_without_the_link(house: MemoryStore) -> None:
    with house.writing() as tx:
        before = tx.audit.verify().entries
        open_calendar(tx, RIVER, "secret", NOW)
        close_calendar(tx, RIVER, NOW)
        close_calendar(tx, RIVER, NOW)

        assert tx.audit.verify().entries == before + 2
