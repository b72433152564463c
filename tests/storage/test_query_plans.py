"""Nothing that happens while people use the house walks through a whole table."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, event

from keyhouse.core.alarms import Alarm, AlarmKind
from keyhouse.core.cases import Outcome, closed
from keyhouse.core.ids import EventId, RoomId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.ports import Heartbeat, Store, Transaction
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.store import open_store
from tests.support.household import (
    ANOREXIA,
    BULIMIA,
    EATING,
    NOW,
    alert,
    care_room,
    case,
    desk,
    key,
    living_room,
    person,
    referral,
    user,
)

BLIND = Alarm(AlarmKind.WATCHER_LAGS, "", NOW)

# Newest first by the primary key, with a limit: the walk ends after so many rows.
LIMITED = re.compile(
    r"FROM (care_case( WHERE care_case\.closed_at IS NULL)? ORDER BY care_case\.number"
    r"|audit_entry ORDER BY audit_entry\.sequence|alarm ORDER BY alarm\.id) DESC LIMIT"
)


@pytest.fixture
def asked() -> Iterator[list[tuple[str, object]]]:
    """Every statement that is run from here on, with what was bound to it."""
    statements: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, bound: object, *_more: object) -> None:
        statements.append((statement, bound))

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def _a_day(store: Store) -> None:
    """Use everything that is used while the house runs."""
    with store.writing() as tx:
        for scope in (care_room(), living_room(ANOREXIA), living_room(BULIMIA), desk("river")):
            tx.rooms.put(scope)
        tx.people.add(person("river"))
        tx.people.grant(key("river", ANOREXIA))
        tx.people.revoke(user("river"), BULIMIA, NOW)
        tx.people.update(person("river"))
        tx.referrals.add(referral("clover", ANOREXIA))
        tx.referrals.update(referral("clover", ANOREXIA))
        tx.memberships.observe([Membership(living_room(ANOREXIA).room_id, user("river"), MembershipState.JOINED, NOW)])
        _work(tx)
    with store.reading() as tx:
        _look(tx)


def _work(tx: Transaction) -> None:
    kept = tx.cases.add(case("river", alert("one", "river")))
    tx.cases.update(replace(kept, card=EventId("$card"), alerts=(*kept.alerts, alert("two", "river"))))
    tx.cases.update(closed(kept, user("dr"), Outcome.SUPPORT, NOW))
    tx.outbox.add(NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "once", {}, NOW), NOW)
    tx.outbox.add_again(NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "once", {}, NOW), NOW)
    row = tx.outbox.due(Worker.BOOKING, NOW, 9)[0]
    tx.outbox.postpone(row.id, NOW, "fault", failed_at=NOW)
    tx.outbox.failing_since(Worker.BOOKING)
    tx.outbox.hasten("once", NOW)
    tx.outbox.done(row.id, NOW)
    tx.outbox.trying(row.id, "DEVICE")
    tx.outbox.add_all([NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, "twice", {}, NOW)], NOW)
    _receive(tx)
    tx.devices.reached(Worker.BOOKING, "DEVICE", 1, NOW)
    tx.alarms.put(BLIND)
    tx.alarms.put(replace(BLIND, paged_at=NOW))
    tx.alarms.end(BLIND.kind, BLIND.subject, NOW)
    tx.outbox.forget(Worker.BOOKING, NOW, 9)
    tx.alarms.forget(NOW + timedelta(days=1), 9)
    tx.leases.take(Worker.BOOKING, "a", NOW, timedelta(seconds=1))
    tx.leases.release(Worker.BOOKING, "a")
    tx.heartbeats.beat(Heartbeat("booking", 1, NOW, NOW, None, {}))
    tx.audit.append("test", actor=user("river"), now=NOW)
    tx.audit.forget(user("river"))


def _receive(tx: Transaction) -> None:
    events = [NewIncoming(RoomId("!a"), EventId(f"${number}"), {}) for number in range(3)]
    tx.inbox.receive(Worker.BOOKING, events, NOW)
    tx.inbox.left_over(Worker.BOOKING, 9)
    tx.inbox.take(Worker.BOOKING, EventId("$0"), NOW)
    tx.inbox.take(Worker.BOOKING, EventId("$unknown"), NOW)
    tx.inbox.unread(Worker.BOOKING, EventId("$1"), "key", "no_key", NOW)
    tx.inbox.alarmed(Worker.BOOKING, EventId("$1"), NOW)
    tx.inbox.quarantine(Worker.BOOKING, EventId("$2"), "ValueError", NOW)
    tx.inbox.handled(Worker.BOOKING, [EventId("$2")], NOW)
    tx.inbox.forget(Worker.BOOKING, NOW + timedelta(days=1), 9)


def _look(tx: Transaction) -> None:
    tx.people.get(user("river"))
    tx.memberships.desks_without(user("booking"), NOW, 9)
    tx.people.keys(user("river"))
    tx.people.has_name("river")
    tx.people.names([user("river"), user("clover")])
    tx.people.with_role(Role.CLINICIAN)
    tx.people.agreed_before(2, 9)
    tx.referrals.get(referral("clover").id)
    tx.referrals.reference_of(referral("clover").id)
    tx.referrals.by_code_hash("hash-clover")
    tx.referrals.by_pseudonym("clover")
    tx.rooms.get(care_room().room_id)
    tx.rooms.by_slug("care")
    tx.rooms.desk_of(user("river"))
    tx.rooms.care_room(EATING)
    tx.rooms.any_care_room()
    tx.rooms.number_of(care_room().room_id)
    for role in Role:
        tx.rooms.opened_by(role, frozenset({ANOREXIA, BULIMIA}), user("river"))
    tx.policy.newest()
    tx.policy.changed_since(0, 9)
    tx.memberships.of(user("river"))
    tx.memberships.astray(NOW, 99)
    tx.cases.by_card(EventId("$card"))
    tx.cases.by_event(EventId("$one"))
    tx.cases.open_of(user("river"))
    tx.cases.has_alert(EventId("$one"))
    tx.cases.listed(only_open=True, limit=5)
    tx.cases.listed(only_open=False, limit=5)
    tx.outbox.due(Worker.BOOKING, NOW, 9)
    tx.outbox.ready(Worker.BOOKING, NOW, 9)
    tx.outbox.next_due_at(Worker.BOOKING)
    tx.outbox.undone(Worker.BOOKING, NOW)
    tx.outbox.known("once")
    tx.inbox.readable_by(Worker.BOOKING, ["key", "other"], 9)
    tx.inbox.still_unread(Worker.BOOKING, 9)
    tx.inbox.unread_one(Worker.BOOKING, EventId("$one"))
    tx.inbox.unread_since(Worker.BOOKING, NOW, 9)
    tx.inbox.unread_rooms(Worker.BOOKING, NOW, timedelta(hours=1))
    tx.inbox.standing(Worker.BOOKING)
    tx.inbox.newest_at(Worker.BOOKING)
    tx.devices.generation("DEVICE")
    tx.alarms.open()
    tx.alarms.latest(5)


def test_no_query_walks_through_a_whole_table(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]]
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    _a_day(store)
    store.close()
    statements = [one for one in asked if re.match("(SELECT|UPDATE|DELETE)", one[0].strip())]

    walks = _walks(sqlite_url, statements)

    assert len(statements) > 50
    assert walks == []


def test_a_walk_through_a_whole_table_would_be_seen(sqlite_url: str) -> None:
    assert len(_walks(sqlite_url, [("SELECT * FROM person WHERE name = ?", ("river",))])) == 1
    assert _walks(sqlite_url, [("SELECT * FROM person WHERE user_id = ?", ("river",))]) == []


def _walks(url: str, statements: list[tuple[str, object]]) -> list[str]:
    walks = []
    for statement, bound in statements:
        steps = [step for step in _plan(url, statement, bound) if step.startswith("SCAN ")]
        # The heartbeats are one row for each process, few alarms stand, and a list in the statement is no table.
        few = r"SCAN (heartbeat|alarm USING INDEX uq_alarm_open|\(|CONSTANT|anon)"
        steps = [step for step in steps if not re.match(few, step)]
        walks += [f"{step}: {statement}" for step in steps if not LIMITED.search(" ".join(statement.split()))]
    return walks


def _plan(url: str, statement: str, bound: object) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", bound).all()  # type: ignore[arg-type]
    engine.dispose()
    return [str(step.detail) for step in plan]


def test_listing_many_takes_no_query_for_each(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]]
) -> None:
    store = open_store(sqlite_url, house_keys)
    with store.writing() as tx:
        for number in range(30):
            name = f"p{number}"
            tx.people.add(person(name))
            tx.rooms.put(desk(name))
            tx.cases.add(case(name, alert(f"{name}-1", name), alert(f"{name}-2", name)))
    asked.clear()

    with store.reading() as tx:
        tx.people.all()
        tx.rooms.all()
        tx.cases.listed(only_open=True, limit=30)
    store.close()

    assert len([one for one in asked if "SELECT" in one[0]]) <= 5


def test_a_sweep_is_one_query_that_goes_along_memberships_and_keys_once_each(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]]
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    with store.reading() as tx:
        tx.memberships.astray(NOW, 99)
    store.close()
    queries = [one for one in asked if one[0].startswith("SELECT")]

    along = " ".join(step for step in _plan(sqlite_url, *queries[0]) if "(person>?)" in step)

    assert len(queries) == 1
    assert sorted(re.findall(r"SEARCH (\w+)", along)) == ["membership", "person_key"]


def test_rooms_are_seen_whole_in_one_walk_for_all_of_them(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]]
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    with store.writing() as tx:
        tx.memberships.observe_whole({RoomId(f"!{number}"): frozenset({user("river")}) for number in range(99)}, NOW)
    store.close()

    assert len([one for one in asked if "membership" in one[0]]) == 2


def test_a_thousand_events_are_received_and_handled_in_a_handful_of_statements(
    sql_store: Store, asked: list[tuple[str, object]]
) -> None:
    events = [NewIncoming(RoomId("!a"), EventId(f"${number}"), {"body": "x" * 400}) for number in range(1_000)]
    asked.clear()

    with sql_store.writing() as tx:
        undone = tx.inbox.receive(Worker.BOOKING, events, NOW)
        tx.inbox.handled(Worker.BOOKING, undone, NOW)

    assert len(undone) == 1_000
    assert len(asked) <= 8


def test_many_decisions_are_kept_in_a_handful_of_statements(sql_store: Store, asked: list[tuple[str, object]]) -> None:
    decisions = [NewOutgoing(OutgoingKind.GREETING, Worker.BOOKING, f"once {number}", {}, NOW) for number in range(999)]
    with sql_store.writing() as tx:
        tx.outbox.add(decisions[0], NOW)
    asked.clear()

    with sql_store.writing() as tx:
        assert tx.outbox.add_all([*decisions, decisions[-1]], NOW) == 998
        assert tx.outbox.add_all([], NOW) == 0

    assert len(asked) <= 8


@pytest.mark.parametrize("index", ["outgoing_failing", "outgoing_done", "alarm_ended"])
def test_what_fails_and_what_is_forgotten_is_found_along_the_index_that_is_there_for_it(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]], index: str
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    _a_day(store)
    store.close()
    selects = [one for one in asked if one[0].startswith("SELECT")]

    plans = [" ".join(_plan(sqlite_url, *one)) for one in selects]

    assert [plan for plan in plans if f"INDEX ix_{index} " in plan and "SCAN" not in plan] != []


@pytest.mark.parametrize("table", ["person", "room"])
def test_what_has_changed_is_found_along_the_numbers_of_changes(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]], table: str
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    with store.reading() as tx:
        tx.policy.changed_since(7, 9)
    store.close()
    queries = [one for one in asked if f"FROM {table}" in one[0]]

    plans = [_plan(sqlite_url, *one) for one in queries]

    assert len(plans) == 2
    assert all(f"INDEX ix_{table}_policy_version (policy_version>?" in plan[0] for plan in plans)
    assert not [step for plan in plans for step in plan if "TEMP B-TREE" in step]


def test_many_who_move_in_at_once_are_numbered_in_a_handful_of_statements(
    sql_store: Store, asked: list[tuple[str, object]]
) -> None:
    with sql_store.writing() as tx:
        for number in range(200):
            tx.people.add(person(f"p{number}"))
        asked.clear()

    assert len(asked) <= 5


@pytest.mark.parametrize("index", ["unread", "room_key", "done", "worker_received_at", "undone"])
def test_each_look_into_the_inbox_goes_along_the_index_that_is_there_for_it(
    sqlite_url: str, house_keys: HouseKeys, asked: list[tuple[str, object]], index: str
) -> None:
    store = open_store(sqlite_url, house_keys)
    asked.clear()
    _a_day(store)
    store.close()
    selects = [one for one in asked if one[0].startswith("SELECT") and "incoming" in one[0]]

    plans = [" ".join(_plan(sqlite_url, *one)) for one in selects]

    assert [plan for plan in plans if f"INDEX ix_incoming_{index} " in plan] != []
