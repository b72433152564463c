"""Which decisions may be done now: of each lane the oldest, and what is urgent first."""

from dataclasses import replace
from datetime import datetime, timedelta

from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind, Worker
from keyhouse.core.ports import Store
from tests.support.household import A_SECOND, AN_HOUR, NOW

CONCIERGE, WATCHER = Worker.ROOM_GATEKEEPER, Worker.RISK_MONITOR


def _invitation(person: str, room: str, **changes: object) -> NewOutgoing:
    content = {"person": person, "room_id": room}
    new = NewOutgoing(OutgoingKind.INVITATION, CONCIERGE, f"invitation:{person}:{room}", content, NOW)
    return replace(new, **changes)  # type: ignore[arg-type]


def _keep(store: Store, *decisions: NewOutgoing) -> None:
    with store.writing() as tx:
        for number, decision in enumerate(decisions):
            tx.outbox.add(decision, NOW + number * timedelta(milliseconds=1))


def _ready(store: Store, at: timedelta = timedelta(), limit: int = 50) -> list[Outgoing]:
    with store.reading() as tx:
        return list(tx.outbox.ready(CONCIERGE, NOW + at, limit))


def _names(store: Store, at: timedelta = timedelta()) -> list[str]:
    return [row.once.removeprefix("invitation:") for row in _ready(store, at)]


def _postpone(store: Store, once: str, until: datetime, *, holds_up: bool) -> None:
    row = next(row for row in _ready(store) if row.once.endswith(once))
    with store.writing() as tx:
        tx.outbox.postpone(row.id, until, "fault", holds_up=holds_up)


def test_a_newcomer_is_ready_although_a_thousand_decisions_of_another_came_first(store: Store) -> None:
    _keep(store, *(_invitation("clinician", f"!{number}") for number in range(1000)), _invitation("river", "!desk"))

    rows = _ready(store, limit=6)

    assert [row.content for row in rows] == [
        {"person": "clinician", "room_id": "!0"},
        {"person": "river", "room_id": "!desk"},
    ]


def test_the_next_of_a_lane_is_ready_when_the_one_before_is_done(store: Store) -> None:
    _keep(store, _invitation("river", "!a"), _invitation("river", "!b"))
    before = _names(store)

    (row,) = _ready(store)
    with store.writing() as tx:
        tx.outbox.done(row.id, NOW)

    assert (before, _names(store)) == (["river:!a"], ["river:!b"])


def test_one_that_waits_holds_up_the_later_ones_of_its_lane_alone_and_only_if_told_to(store: Store) -> None:
    _keep(store, _invitation("river", "!a"), _invitation("river", "!b"), _invitation("clover", "!a"))

    _postpone(store, "river:!a", NOW + AN_HOUR, holds_up=True)
    held = _names(store, A_SECOND)
    later = _names(store, AN_HOUR)
    first = next(row for row in _ready(store, AN_HOUR) if row.content["person"] == "river")
    with store.writing() as tx:
        tx.outbox.postpone(first.id, NOW + 2 * AN_HOUR, "fault", holds_up=False)

    assert held == ["clover:!a"]
    assert later == ["clover:!a", "river:!a"]
    assert _names(store, AN_HOUR) == ["river:!b", "clover:!a"]


def test_what_was_decided_while_the_lane_was_held_up_waits_too(store: Store) -> None:
    _keep(store, _invitation("river", "!a"))
    _postpone(store, "river:!a", NOW + AN_HOUR, holds_up=True)

    _keep(store, _invitation("river", "!b"))

    assert _names(store, A_SECOND) == []
    assert _names(store, AN_HOUR) == ["river:!a"]


def test_what_is_dated_for_later_holds_up_nothing(store: Store) -> None:
    _keep(store, _invitation("river", "!a", due_at=NOW + AN_HOUR), _invitation("river", "!b"))

    assert _names(store) == ["river:!b"]
    assert _names(store, AN_HOUR) == ["river:!a"]


def test_urgent_kinds_are_ready_first_and_then_the_longest_due(store: Store) -> None:
    late = _invitation("rowan", "!a", due_at=NOW - AN_HOUR)
    desk = NewOutgoing(OutgoingKind.DESK_ROOM, CONCIERGE, "desk", {"person": "clover"}, NOW)
    danger = NewOutgoing(OutgoingKind.WRITE_AGAIN, CONCIERGE, "again", {"person": "clover"}, NOW)

    _keep(store, _invitation("river", "!a"), late, desk, danger)

    assert [row.content["person"] for row in _ready(store)] == ["clover", "clover", "rowan", "river"]
    assert [row.once for row in _ready(store)][:2] == ["again", "desk"]
    assert len(_ready(store, limit=1)) == 1


def test_lanes_of_two_workers_do_not_meet(store: Store) -> None:
    theirs = _invitation("river", "!a", worker=WATCHER, once="theirs")

    _keep(store, theirs, _invitation("river", "!b"))

    assert _names(store) == ["river:!b"]


def test_the_first_device_learns_of_the_second_also_when_its_turn_comes_again(store: Store) -> None:
    _keep(store, _invitation("river", "!a"))
    (row,) = _ready(store)

    with store.writing() as tx:
        told = [tx.outbox.trying(row.id, device) for device in ("ONE", "ONE", "TWO", "ONE", "TWO")]

    assert told[:2] == [None, "ONE"]
    assert not {"ONE", "TWO", None} & set(told[2:])


def test_a_lease_that_seems_to_end_in_an_hour_because_the_clock_was_set_back_can_be_taken(store: Store) -> None:
    lasts = 4 * A_SECOND
    with store.writing() as tx:
        assert tx.leases.take(WATCHER, "one", NOW, lasts)
        assert not tx.leases.take(WATCHER, "two", NOW - A_SECOND, lasts)
    with store.writing() as tx:
        assert tx.leases.take(WATCHER, "two", NOW - AN_HOUR, lasts)
