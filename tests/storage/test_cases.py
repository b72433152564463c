"""Cases and their alerts."""

from dataclasses import replace

import pytest

from keyhouse.core.cases import Case, Outcome, claimed, closed, with_alert
from keyhouse.core.ids import CaseNumber, EventId
from keyhouse.core.ports import Store
from keyhouse.core.urgency import Urgency
from keyhouse.storage.errors import StoreConflict
from tests.support.household import A_SECOND, NOW, alert, case, person, user


def _raise(store: Store, new: Case) -> Case:
    with store.writing() as tx:
        if tx.people.get(new.author) is None:
            tx.people.add(person(new.author[1:].partition(":")[0]))
        return tx.cases.add(new)


def test_a_case_gets_its_number_here_and_keeps_its_alerts_in_order(store: Store) -> None:
    first, second = alert("z", "river"), alert("a", "river", Urgency.URGENT)
    kept = _raise(store, case("river", first))

    with store.writing() as tx:
        tx.cases.update(with_alert(kept, second))

    with store.reading() as tx:
        found = tx.cases.get(kept.number)
        assert found is not None
        assert (found.alerts, found.urgency) == ((first, second), Urgency.URGENT)
        assert tx.cases.has_alert(second.event_id)
        assert not tx.cases.has_alert(EventId("$other"))
        assert tx.cases.get(CaseNumber(kept.number + 1)) is None


def test_a_case_comes_back_through_its_whole_life(store: Store) -> None:
    kept = _raise(store, case("river", alert("one", "river")))
    taken = replace(claimed(kept, user("dr"), NOW + A_SECOND), card=EventId("$card"))
    ended = closed(taken, user("dr"), Outcome.SUPPORT, NOW + 2 * A_SECOND)

    for step in (taken, ended):
        with store.writing() as tx:
            tx.cases.update(step)
        with store.reading() as tx:
            assert tx.cases.get(kept.number) == step
            assert tx.cases.by_card(EventId("$card")) == step
            assert tx.cases.by_event(EventId("$one")) == step
            assert tx.cases.by_event(EventId("$other")) is None


def test_a_person_has_one_open_case_in_a_service_and_another_after_it_is_closed(store: Store) -> None:
    first = _raise(store, case("river"))
    elsewhere = _raise(store, case("river", service="perinatal"))

    with pytest.raises(StoreConflict):
        _raise(store, case("river"))
    with store.writing() as tx:
        tx.cases.update(closed(first, user("dr"), Outcome.NO_CONCERN, NOW))
    again = _raise(store, case("river"))

    with store.reading() as tx:
        assert tx.cases.open_of(user("river")) == [elsewhere, again]
        assert len({first.number, elsewhere.number, again.number}) == 3


def test_an_event_is_raised_once(store: Store) -> None:
    _raise(store, case("river", alert("one", "river")))

    with pytest.raises(StoreConflict):
        _raise(store, case("clover", alert("one", "clover")))
    _raise(store, case("clover", alert("two", "clover")))


def test_cases_are_listed_newest_first_with_their_alerts(store: Store) -> None:
    names = ["river", "clover", "heather"]
    kept = [_raise(store, case(name, alert(f"{name}-1", name), alert(f"{name}-2", name))) for name in names]
    ended = closed(kept[1], user("dr"), Outcome.SIGNPOSTED, NOW)
    with store.writing() as tx:
        tx.cases.update(ended)

    with store.reading() as tx:
        assert tx.cases.listed(only_open=False, limit=2) == [kept[2], ended]
        assert tx.cases.listed(only_open=True, limit=5) == [kept[2], kept[0]]
