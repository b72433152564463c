"""Many at once: exactly one gets it."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from keyhouse.core.cases import Case
from keyhouse.core.ids import CaseNumber, UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, Role
from keyhouse.core.ports import Store, Transaction
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.alerting import raise_alert
from keyhouse.core.workflows.casework import claim
from keyhouse.core.workflows.registration import Draws, ReferralRequest, issue, redeem
from keyhouse.storage import engine
from keyhouse.storage.errors import StoreAway
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.support.at_once import at_once
from tests.support.household import (
    ANOREXIA,
    EXCLUSIONS,
    KNOWN,
    NOW,
    alert,
    care_room,
    case,
    living_room,
    person,
    referral,
    user,
)

AT_ONCE = 20


def _furnish(store: Store, *people: Person) -> None:
    with store.writing() as tx:
        for scope in (care_room(), living_room(ANOREXIA)):
            tx.rooms.put(scope)
        for somebody in people:
            tx.people.add(somebody)


def test_when_twenty_redeem_one_code_at_once_exactly_one_person_moves_in(store: Store) -> None:
    _furnish(store)
    with store.writing() as tx:
        tx.referrals.add(referral("river", ANOREXIA))
    accounts = [UserId(f"@river:server-{number}.test") for number in range(AT_ONCE)]

    results = at_once(store, *[lambda tx, who=who: redeem(tx, who, NOW) for who in accounts])

    moved_in = [result for result in results if isinstance(result, Person)]
    assert len(moved_in) == 1
    assert results.count(Refused(Reason.CODE_USED)) == AT_ONCE - 1
    with store.reading() as tx:
        assert tx.people.all() == moved_in
        assert len(tx.people.keys(moved_in[0].user_id)) == 1
        assert tx.audit.verify().ok


def test_when_one_account_redeems_twenty_times_at_once_it_is_done_once(store: Store) -> None:
    _furnish(store)
    with store.writing() as tx:
        tx.referrals.add(referral("river", ANOREXIA))

    results = at_once(store, *[lambda tx: redeem(tx, user("river"), NOW)] * AT_ONCE)

    assert results == [results[0]] * AT_ONCE
    assert isinstance(results[0], Person)
    with store.reading() as tx:
        assert len(tx.people.all()) == len(tx.people.keys(user("river"))) == tx.audit.verify().entries == 1
        assert tx.outbox.undone(Worker.ROOM_GATEKEEPER, NOW) == 2


def test_when_two_referrals_draw_one_name_at_once_one_is_issued(store: Store) -> None:
    request = ReferralRequest(Role.PATIENT, frozenset({ANOREXIA}), NOW + timedelta(days=7), "host", "R 17")
    drawn = [replace(referral("river"), id=f"r{number}", code_hash=f"h{number}") for number in range(2)]  # type: ignore[arg-type]
    draws = [Draws(one.id, one.pseudonym, one.code_hash) for one in drawn]

    at_once(store, *[lambda tx, draw=draw: issue(tx, request, draw, KNOWN, EXCLUSIONS, NOW) for draw in draws])

    with store.reading() as tx:
        assert [kept.pseudonym for kept in tx.referrals.all()] == ["river"]
        assert tx.audit.verify().entries == 1


def test_when_two_clinicians_claim_at_once_exactly_one_gets_the_case(store: Store) -> None:
    team = [person("dr-a", Role.CLINICIAN), person("dr-b", Role.CLINICIAN)]
    _furnish(store, person("river"), *team)
    with store.writing() as tx:
        number = tx.cases.add(case("river")).number

    results = at_once(store, *[lambda tx, who=who: claim(tx, number, who.user_id, NOW) for who in team])

    (taken,) = [result for result in results if isinstance(result, Case)]
    assert Refused(Reason.CASE_TAKEN) in results
    with store.reading() as tx:
        assert tx.cases.get(CaseNumber(number)) == taken


def test_when_two_watchers_raise_one_message_at_once_there_is_one_alert(store: Store) -> None:
    _furnish(store, person("river"))
    one = alert("one", "river")

    results = at_once(store, *[lambda tx: raise_alert(tx, one, "words", NOW)] * 2)

    assert results.count(None) == 1
    with store.reading() as tx:
        (kept,) = tx.cases.listed(only_open=False, limit=9)
        assert kept.alerts == (one,)


def test_when_many_messages_of_one_person_alert_at_once_they_are_one_case(store: Store) -> None:
    _furnish(store, person("river"))
    alerts = [alert(f"e{number}", "river") for number in range(8)]

    at_once(store, *[lambda tx, one=one: raise_alert(tx, one, "words", NOW) for one in alerts])

    with store.reading() as tx:
        (kept,) = tx.cases.listed(only_open=False, limit=9)
        assert {one.event_id for one in kept.alerts} == {one.event_id for one in alerts}


def test_when_equal_decisions_are_saved_at_once_one_is_kept(store: Store) -> None:
    new = NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "once", {}, NOW)

    results = at_once(store, *[lambda tx: tx.outbox.add(new, NOW)] * AT_ONCE)

    assert sorted(map(str, results)) == ["False"] * (AT_ONCE - 1) + ["True"]


def test_when_two_take_a_lease_at_once_one_holds_it(store: Store) -> None:
    lasts = timedelta(seconds=30)

    results = at_once(store, *[lambda tx, who=who: tx.leases.take(Worker.BOOKING, who, NOW, lasts) for who in "ab"])

    assert sorted(map(str, results)) == ["False", "True"]


def test_when_many_acts_are_written_at_once_the_chain_holds(store: Store) -> None:
    def act(tx: Transaction) -> None:
        tx.audit.append("test", actor=user("river"), subject="host", now=NOW)

    results = at_once(store, *[act] * AT_ONCE)

    assert results == [None] * AT_ONCE
    with store.reading() as tx:
        finding = tx.audit.verify()
    assert (finding.ok, finding.entries) == (True, AT_ONCE)


def test_two_stores_of_one_database_are_as_safe_as_one(database_url: str, house_keys: HouseKeys) -> None:
    stores = [open_store(database_url, house_keys) for _ in range(2)]
    _furnish(stores[0])
    with stores[0].writing() as tx:
        tx.referrals.add(referral("river", ANOREXIA))
    outcomes: list[object] = []

    def redeem_in(store: Store, name: str) -> None:
        outcomes.extend(at_once(store, *[lambda tx: redeem(tx, UserId(f"@river:{name}.test"), NOW)] * 5))

    threads = [threading.Thread(target=redeem_in, args=[store, name]) for store, name in zip(stores, "ab", strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    with stores[0].reading() as tx:
        (moved_in,) = tx.people.all()
    assert outcomes.count(moved_in) == outcomes.count(Refused(Reason.CODE_USED)) == 5
    for store in stores:
        store.close()


@pytest.mark.parametrize("held", [True, False], ids=["held by another", "free again"])
def test_a_writer_that_is_kept_waiting_too_long_is_told_plainly(
    sqlite_url: str, house_keys: HouseKeys, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LOCK_WAIT_S", 0.2)
    first, second = (open_store(sqlite_url, house_keys) for _ in range(2))

    def add(store: Store) -> None:
        with store.writing() as tx:
            tx.people.add(person("river"))

    if held:
        with first.writing(), pytest.raises(StoreAway, match="locked"):
            add(second)
    add(second)
    with first.reading() as tx:
        assert len(tx.people.all()) == 1
    first.close()
    second.close()
