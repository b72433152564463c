"""How fast one membership decision is while five processes write to the same SQLite file.

`python -m benchmarks.storage`: a house of 10,000 people and 1,000 rooms; prints the median and the 99th hundredth.
"""

import multiprocessing
import secrets
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from random import Random

from keyhouse.core.ids import Condition, RoomId, UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.workflows.entry import decide_entry
from keyhouse.storage.house_keys import HouseKeys
from keyhouse.storage.migrating import migrate
from keyhouse.storage.store import SqlStore, open_store

PEOPLE, ROOMS, CONDITIONS, WRITERS, DECISIONS = 10_000, 1_000, 50, 5, 3_000
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


def main() -> None:
    """Print the figures as lines for people."""
    keys = HouseKeys(*(secrets.token_bytes(32) for _ in range(3)))
    with tempfile.TemporaryDirectory() as folder:
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
