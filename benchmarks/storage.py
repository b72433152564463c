"""How fast one membership decision is while five processes write to the same SQLite file, and how long a sweep takes.

`python -m benchmarks.storage`: a house of 10,000 people and 1,000 rooms; prints the median and the 99th hundredth.
The sweep's house: 10,000 people, each at a desk and in eleven rooms of a condition, with twenty clinicians everywhere.
"""

import multiprocessing
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from random import Random

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.memberships import Membership, MembershipState
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.core.workflows.sweep import Astray, find_astray, repair
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import SqlStore, open_store

PEOPLE, ROOMS, CONDITIONS, WRITERS, DECISIONS = 10_000, 1_000, 50, 5, 3_000
CLINICIANS, ASTRAY = 20, 100
PAUSE_BETWEEN_WRITES_S = 0.05
NOW = datetime(2027, 3, 29, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds for one decision, and how many transactions the writers kept in each second meanwhile.

    cpu_ms: the processor's part of it, which depends least on what else the machine does.
    """

    cpu_ms: float
    median_ms: float
    p99_ms: float
    slowest_ms: float
    writes_per_s: float


def _user(number: int) -> UserId:
    return UserId(f"@person-{number}:keyhouse.localhost")


def _furnish(store: SqlStore) -> None:
    with store.writing() as tx:
        for number in range(ROOMS):
            condition = Condition(f"condition_{number % CONDITIONS}")
            roles = frozenset({Role.PATIENT, Role.PEER, Role.CLINICIAN})
            kind = RoomKind.LIVING_ROOM
            room_id, slug = RoomId(f"!room-{number}"), f"room-{number}"
            tx.rooms.put(RoomScope(room_id, slug, kind, slug, roles, frozenset({condition})))
        for number in range(PEOPLE):
            tx.people.add(Person(_user(number), Role.PATIENT, PersonState.ACTIVE, f"person-{number}", NOW))
            tx.people.grant(Key(_user(number), Condition(f"condition_{number % CONDITIONS}"), "benchmark", NOW))


def _write(url: str, keys: HouseKeys, ready: Barrier, stop: Event, kept: "multiprocessing.Queue[int]") -> None:
    store, written, mine = open_store(url, keys), 0, secrets.token_hex(4)
    ready.wait()
    while not stop.wait(PAUSE_BETWEEN_WRITES_S):
        with store.writing() as tx:
            new = NewOutgoing(OutgoingKind.CARE_MESSAGE, Worker.RISK_MONITOR, f"{mine}:{written}", {"case": 1}, NOW)
            tx.outbox.add(new, NOW)
            tx.audit.append("benchmark", actor=_user(written % PEOPLE), now=NOW + timedelta(seconds=written))
        written += 1
    kept.put(written)
    store.close()


def _decide(store: SqlStore) -> list[float]:
    chance, took = Random(1), []
    for _ in range(DECISIONS):
        person, room = _user(chance.randrange(PEOPLE)), RoomId(f"!room-{chance.randrange(ROOMS)}")
        begun = time.perf_counter()
        with store.reading() as tx:
            decide_entry(tx, person, room, NOW)
        took.append((time.perf_counter() - begun) * 1000)
    return sorted(took)


def measure(url: str, keys: HouseKeys, writers: int) -> Figures:
    """Take the figures with so many processes that write into the furnished house at this address."""
    context = multiprocessing.get_context("spawn")
    ready, stop, kept = context.Barrier(writers + 1), context.Event(), context.Queue()
    processes = [context.Process(target=_write, args=(url, keys, ready, stop, kept)) for _ in range(writers)]
    for process in processes:
        process.start()
    store = open_store(url, keys)
    ready.wait(120)
    begun, worked = time.perf_counter(), time.process_time()
    took = _decide(store)
    lasted, worked = time.perf_counter() - begun, time.process_time() - worked
    stop.set()
    written = sum(kept.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    store.close()
    return Figures(
        worked * 1000 / DECISIONS, statistics.median(took), took[len(took) * 99 // 100], took[-1], written / lasted
    )


def _inhabit(store: SqlStore) -> None:
    with store.writing() as tx:
        by_condition = [_rooms_of(Condition(f"condition_{number}")) for number in range(CONDITIONS)]
        for scope in chain.from_iterable(by_condition):
            tx.rooms.put(scope)
        for number in range(PEOPLE):
            user_id, desk = _user(number), RoomId(f"!desk-{number}")
            members = frozenset({user_id})
            tx.rooms.put(RoomScope(desk, f"desk-{number}", RoomKind.DESK, "Your desk", members=members))
            tx.people.add(Person(user_id, Role.PATIENT, PersonState.ACTIVE, f"person-{number}", NOW))
            tx.people.grant(Key(user_id, Condition(f"condition_{number % CONDITIONS}"), "benchmark", NOW))
            _put_into(tx, user_id, [desk, *(scope.room_id for scope in by_condition[number % CONDITIONS])])
        for number in range(CLINICIANS):
            user_id = UserId(f"@clinician-{number}:keyhouse.localhost")
            tx.people.add(Person(user_id, Role.CLINICIAN, PersonState.ACTIVE, f"clinician-{number}", NOW))
            _put_into(tx, user_id, [scope.room_id for scope in chain.from_iterable(by_condition)])


def _rooms_of(condition: Condition) -> list[RoomScope]:
    roles, kinds = frozenset({Role.PATIENT, Role.PEER, Role.CLINICIAN}), [RoomKind.SPACE, *[RoomKind.LIVING_ROOM] * 10]
    slugs = [f"{condition}.{number}" for number in range(len(kinds))]
    return [
        RoomScope(RoomId(f"!{slug}"), slug, kind, slug, roles, frozenset({condition}))
        for slug, kind in zip(slugs, kinds, strict=True)
    ]


def _put_into(tx: Transaction, user_id: UserId, rooms: Iterable[RoomId]) -> None:
    tx.memberships.observe(Membership(room_id, user_id, MembershipState.JOINED, NOW) for room_id in rooms)


def measure_sweep(store: SqlStore) -> tuple[float, float, float]:
    """Milliseconds of a look where all is well, of one where 100 people stand wrong, and of deciding for these."""
    well_ms, well = _timed_look(store)
    with store.writing() as tx:
        for number in range(ASTRAY):
            tx.people.revoke(_user(number), Condition(f"condition_{number % CONDITIONS}"), NOW)
    astray_ms, astray = _timed_look(store)
    assert (len(well.people), len(astray.people)) == (0, ASTRAY)
    begun = time.perf_counter()
    for people in astray.batches():
        with store.writing() as tx:
            repair(tx, people, "benchmark", NOW)
    return well_ms, astray_ms, (time.perf_counter() - begun) * 1000


def _timed_look(store: SqlStore) -> tuple[float, Astray]:
    begun = time.perf_counter()
    with store.reading() as tx:
        astray = find_astray(tx, "", NOW)
    return (time.perf_counter() - begun) * 1000, astray


def _print_sweep(url: str, keys: HouseKeys) -> None:
    migrate(url)
    store = open_store(url, keys)
    _inhabit(store)
    well_ms, astray_ms, decided_ms = measure_sweep(store)
    store.close()
    print(
        f"sweep of {PEOPLE:,} people in 12 rooms each: {well_ms:.0f} ms when all is well, {astray_ms:.0f} ms when "
        f"{ASTRAY} stand wrong, and {decided_ms:.0f} ms to decide what repairs these"
    )


def main() -> None:
    """Print the figures as lines for people."""
    keys = HouseKeys(*(secrets.token_bytes(32) for _ in range(3)))
    with tempfile.TemporaryDirectory() as folder:
        _print_sweep(f"sqlite:///{Path(folder) / 'inhabited.db'}", keys)
        url = f"sqlite:///{Path(folder) / 'house.db'}"
        migrate(url)
        store = open_store(url, keys)
        _furnish(store)
        store.close()
        for writers in (0, WRITERS):
            figures = measure(url, keys, writers)
            print(
                f"membership decision, {writers} writing processes ({figures.writes_per_s:.0f} writes/s): "
                f"median {figures.median_ms:.2f} ms, p99 {figures.p99_ms:.2f} ms, slowest {figures.slowest_ms:.1f} ms, "
                f"processor {figures.cpu_ms:.2f} ms each"
            )


if __name__ == "__main__":
    main()
