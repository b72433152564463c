"""Decisions to be done, leases and heartbeats."""

from dataclasses import replace
from datetime import timedelta

from keyhouse.core.ids import OutgoingId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.ports import Heartbeat, Store
from tests.support.household import A_SECOND, AN_HOUR, NOW

WATCHER = Worker.RISK_MONITOR


def _decision(once: str, **changes: object) -> NewOutgoing:
    new = NewOutgoing(OutgoingKind.CARE_CARD, WATCHER, once, {"case": 4, "words": "ünïcode"}, NOW)
    return replace(new, **changes)  # type: ignore[arg-type]


def _due(store: Store, at: timedelta = timedelta()) -> list[str]:
    with store.reading() as tx:
        return [row.once for row in tx.outbox.due(WATCHER, NOW + at, 10)]


def test_a_decision_comes_back_whole_with_a_transaction_id_of_its_own(store: Store) -> None:
    with store.writing() as tx:
        assert tx.outbox.add(_decision("one"), NOW)
        assert tx.outbox.add(_decision("two"), NOW)

    with store.reading() as tx:
        first, second = tx.outbox.due(WATCHER, NOW, 10)
        again = tx.outbox.due(WATCHER, NOW, 10)[0]
    assert (first.kind, first.worker, first.once, first.tries) == (OutgoingKind.CARE_CARD, WATCHER, "one", 0)
    assert (first.content, first.due_at, first.created_at) == ({"case": 4, "words": "ünïcode"}, NOW, NOW)
    assert first.txn_id == again.txn_id != second.txn_id


def test_an_equal_decision_is_dropped_also_when_the_first_is_done(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("one"), NOW)
        assert not tx.outbox.add(_decision("one", content={}), NOW)
        tx.outbox.done(tx.outbox.due(WATCHER, NOW, 1)[0].id, NOW)
    with store.writing() as tx:
        assert not tx.outbox.add(_decision("one"), NOW + AN_HOUR)

    assert _due(store) == []


def test_an_equal_decision_that_is_done_can_be_taken_again_in_its_place(store: Store) -> None:
    with store.writing() as tx:
        assert tx.outbox.add_again(_decision("one"), NOW)
        assert not tx.outbox.add_again(_decision("one", content={}), NOW)
        tx.outbox.add(_decision("two"), NOW)
        first, two = tx.outbox.due(WATCHER, NOW, 9)
        tx.outbox.done(first.id, NOW)
    with store.writing() as tx:
        assert tx.outbox.add_again(_decision("one", content={"case": 5}), NOW)
        assert not tx.outbox.add_again(_decision("one"), NOW)

    with store.reading() as tx:
        due = tx.outbox.due(WATCHER, NOW, 9)
    # A decision that is taken again stands behind those that were taken before it.
    assert [row.once for row in due] == ["two", "one"]
    assert (due[0], due[1].content, due[1].tries) == (two, {"case": 5}, 0)
    assert len({first.id, *(row.id for row in due)}) == len({first.txn_id, *(row.txn_id for row in due)}) == 3


def test_decisions_come_by_their_time_then_in_the_order_of_deciding(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("later", due_at=NOW + A_SECOND), NOW)
        tx.outbox.add(_decision("first"), NOW)
        tx.outbox.add(_decision("second"), NOW)
        tx.outbox.add(_decision("somebody else's", worker=Worker.ROOM_GATEKEEPER), NOW)

    assert _due(store) == ["first", "second"]
    assert _due(store, A_SECOND) == ["first", "second", "later"]
    with store.reading() as tx:
        assert [row.once for row in tx.outbox.due(WATCHER, NOW, 1)] == ["first"]


def test_a_decision_is_due_in_its_very_second_and_not_before(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("one", due_at=NOW + A_SECOND), NOW)

    assert _due(store, A_SECOND - timedelta(microseconds=1)) == []
    assert _due(store, A_SECOND) == ["one"]


def test_a_postponed_decision_waits_and_counts_its_tries(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("one"), NOW)
        before = tx.outbox.due(WATCHER, NOW, 1)[0]
        tx.outbox.postpone(before.id, NOW + AN_HOUR, "M_LIMIT_EXCEEDED")

    with store.reading() as tx:
        assert tx.outbox.due(WATCHER, NOW, 10) == []
        assert tx.outbox.next_due_at(WATCHER) == NOW + AN_HOUR
        (after,) = tx.outbox.due(WATCHER, NOW + AN_HOUR, 10)
    assert (after.tries, after.txn_id, after.content) == (1, before.txn_id, before.content)


def test_since_when_a_decision_fails_is_kept_until_it_waits_or_is_done(store: Store) -> None:
    later = NOW + AN_HOUR
    with store.writing() as tx:
        for once in ("older", "younger"):
            tx.outbox.add(_decision(once), NOW)
        older, younger = tx.outbox.due(WATCHER, NOW, 9)
        seen = [tx.outbox.failing_since(WATCHER)]
        tx.outbox.postpone(younger.id, later, "M_FORBIDDEN", failed_at=NOW + A_SECOND)
        tx.outbox.postpone(older.id, later, "M_FORBIDDEN", failed_at=NOW)
        tx.outbox.postpone(older.id, later, "MatrixAway", failed_at=later)
        seen.append(tx.outbox.failing_since(WATCHER))
        tx.outbox.postpone(older.id, later, "device")
        seen.append(tx.outbox.failing_since(WATCHER))
        tx.outbox.postpone(older.id, later, "M_FORBIDDEN", failed_at=later)
        tx.outbox.done(younger.id, NOW)
        seen += [tx.outbox.failing_since(WATCHER), tx.outbox.failing_since(Worker.BOOKING)]

    assert seen == [None, NOW, NOW + A_SECOND, later, None]


def test_what_was_done_long_ago_is_forgotten_in_portions_and_a_greeting_never(store: Store) -> None:
    with store.writing() as tx:
        for once in ("one", "two", "three", "undone"):
            tx.outbox.add(_decision(once), NOW)
        tx.outbox.add(_decision("greeting", kind=OutgoingKind.GREETING), NOW)
        tx.outbox.add(_decision("elsewhere", worker=Worker.BOOKING), NOW)
        rows = {row.once: row for worker in (WATCHER, Worker.BOOKING) for row in tx.outbox.due(worker, NOW, 9)}
        for once in rows.keys() - {"undone", "three"}:
            tx.outbox.done(rows[once].id, NOW)
        tx.outbox.done(rows["three"].id, NOW + A_SECOND)

    with store.writing() as tx:
        deleted = [tx.outbox.forget(WATCHER, NOW + A_SECOND, 1) for _ in range(3)]

    with store.reading() as tx:
        kept = {once for once in rows if tx.outbox.known(once)}
    assert deleted == [1, 1, 0]
    assert kept == {"three", "undone", "greeting", "elsewhere"}


def test_a_hastened_decision_is_due_now_and_a_done_one_stays_done(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("waiting", due_at=NOW + AN_HOUR), NOW)
        tx.outbox.add(_decision("done"), NOW)
        tx.outbox.done(tx.outbox.due(WATCHER, NOW, 1)[0].id, NOW)
        for once in ("waiting", "done", "unknown"):
            tx.outbox.hasten(once, NOW + A_SECOND)

    assert _due(store) == []
    assert _due(store, A_SECOND) == ["waiting"]


def test_only_decisions_that_are_due_count_as_undone(store: Store) -> None:
    with store.writing() as tx:
        tx.outbox.add(_decision("now"), NOW)
        tx.outbox.add(_decision("later", due_at=NOW + A_SECOND), NOW)

    with store.writing() as tx:
        counts = [tx.outbox.undone(WATCHER, NOW), tx.outbox.undone(WATCHER, NOW + A_SECOND)]
        tx.outbox.done(tx.outbox.due(WATCHER, NOW, 1)[0].id, NOW)
        tx.outbox.done(OutgoingId(10**6), NOW)
        assert [*counts, tx.outbox.undone(WATCHER, NOW)] == [1, 2, 0]
        assert tx.outbox.next_due_at(WATCHER) == NOW + A_SECOND
        assert tx.outbox.next_due_at(Worker.BOOKING) is None


def test_a_lease_has_one_holder_until_its_last_moment(store: Store) -> None:
    with store.writing() as tx:
        assert tx.leases.take(WATCHER, "a", NOW, A_SECOND)
        assert not tx.leases.take(WATCHER, "b", NOW + A_SECOND - timedelta(microseconds=1), A_SECOND)
        assert tx.leases.take(Worker.BOOKING, "b", NOW, A_SECOND)
    with store.writing() as tx:
        assert tx.leases.take(WATCHER, "b", NOW + A_SECOND, A_SECOND)
        assert not tx.leases.take(WATCHER, "a", NOW + A_SECOND, A_SECOND)


def test_a_holder_renews_its_lease_and_alone_gives_it_back(store: Store) -> None:
    with store.writing() as tx:
        tx.leases.take(WATCHER, "a", NOW, A_SECOND)
        assert tx.leases.take(WATCHER, "a", NOW, AN_HOUR)
        tx.leases.release(WATCHER, "b")
        assert not tx.leases.take(WATCHER, "b", NOW + A_SECOND, AN_HOUR)
        tx.leases.release(WATCHER, "a")
        assert tx.leases.take(WATCHER, "b", NOW, A_SECOND)


def test_the_last_heartbeat_of_each_process_is_kept(store: Store) -> None:
    first = Heartbeat("risk_monitor", 10, NOW, NOW, None, {"judged": 1})
    later = replace(first, beat_at=NOW + A_SECOND, last_sync_at=NOW, counters={"judged": 2})
    other = replace(first, process="booking")

    with store.writing() as tx:
        for beat in (first, other, later):
            tx.heartbeats.beat(beat)

    with store.reading() as tx:
        assert tx.heartbeats.all() == [other, later]
