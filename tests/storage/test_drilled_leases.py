"""A drill takes the right to send from whoever has it, and cannot keep it."""

from keyhouse.core.outgoing import Worker
from keyhouse.core.ports import Store
from tests.support.household import A_SECOND, NOW

WATCHER, LASTS = Worker.RISK_MONITOR, 4 * A_SECOND


def test_whoever_had_the_lease_can_neither_renew_it_nor_give_the_drills_back(store: Store) -> None:
    with store.writing() as tx:
        tx.leases.take(WATCHER, "watcher", NOW, LASTS)
        tx.leases.seize(WATCHER, "drill", NOW, LASTS)
        tx.leases.release(WATCHER, "watcher")

        assert not tx.leases.take(WATCHER, "watcher", NOW + LASTS - A_SECOND, LASTS)


def test_a_drill_that_has_ended_in_any_way_holds_nothing_back(store: Store) -> None:
    with store.writing() as tx:
        tx.leases.seize(WATCHER, "drill", NOW, LASTS)

        assert tx.leases.take(WATCHER, "watcher", NOW + LASTS, LASTS)


def test_a_drill_holds_back_what_one_worker_sends_and_nobody_elses(store: Store) -> None:
    with store.writing() as tx:
        tx.leases.take(Worker.ROOM_GATEKEEPER, "concierge", NOW, LASTS)
        tx.leases.seize(WATCHER, "drill", NOW, LASTS)

        assert tx.leases.take(Worker.ROOM_GATEKEEPER, "concierge", NOW, LASTS)
