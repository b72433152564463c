"""What came for this device alone and cannot be judged yet: kept over a restart, sealed, and bounded."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from bots.runtime.clock import Clock
from bots.runtime.house_store import HouseStore

_TABLE = "keyhouse_waiting"
_MADE = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, sender TEXT NOT NULL, "
    "room_id TEXT NOT NULL, content BLOB NOT NULL, came_at REAL NOT NULL)",
    f"CREATE INDEX IF NOT EXISTS {_TABLE}_by_sender ON {_TABLE} (kind, sender)",
)


class WaitingKind(Enum):
    """What waits, and for what: the room to be joined, or a question to the homeserver."""

    ROOM_KEY = "room_key"
    FORWARDED_ROOM_KEY = "forwarded_room_key"
    KEY_BUNDLE = "key_bundle"
    KEY_REQUEST = "key_request"


@dataclass(frozen=True)
class Bounds:
    """How much of one kind may wait, and how long; over it the oldest goes."""

    of_one_sender: int
    of_all: int
    at_most: timedelta


BOUNDS = {
    WaitingKind.ROOM_KEY: Bounds(200, 5000, timedelta(days=7)),
    WaitingKind.FORWARDED_ROOM_KEY: Bounds(200, 2000, timedelta(days=1)),
    WaitingKind.KEY_BUNDLE: Bounds(5, 200, timedelta(days=1)),
    WaitingKind.KEY_REQUEST: Bounds(500, 1000, timedelta(hours=1)),
}


@dataclass(frozen=True)
class Waiting:
    """One thing that waits. curve25519 and ed25519: the keys of the device that sent it; empty if it came in clear."""

    id: int
    sender: str
    room_id: str
    curve25519: str
    ed25519: str
    content: Mapping[str, Any]


class WaitingRoom:
    """The table of what waits. Changes belong to the store's open transaction."""

    def __init__(self, store: HouseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.transaction():
            for statement in _MADE:
                store.sql(statement)

    def add(
        self, kind: WaitingKind, sender: str, room_id: str, keys: tuple[str, str], content: Mapping[str, Any]
    ) -> None:
        """Let something wait. keys: curve25519 and ed25519 of the sending device."""
        bounds, now = BOUNDS[kind], self._clock().timestamp()
        written = json.dumps([*keys, content]).encode()
        sealed = self._store.seal.close(written, _TABLE, f"{kind.value}|{sender}|{room_id}")
        with self._store.transaction():
            self._store.sql(
                f"INSERT INTO {_TABLE} (kind, sender, room_id, content, came_at) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (kind.value, sender, room_id, sealed, now),
            )
            self._store.sql(
                f"DELETE FROM {_TABLE} WHERE kind = ? AND came_at < ?",  # noqa: S608
                (kind.value, now - bounds.at_most.total_seconds()),
            )
            self._keep_newest("kind = ? AND sender = ?", (kind.value, sender), bounds.of_one_sender)
            self._keep_newest("kind = ?", (kind.value,), bounds.of_all)

    def room_ids(self, kind: WaitingKind) -> set[str]:
        """The rooms for which something of this kind waits."""
        rows = self._store.sql(f"SELECT DISTINCT room_id FROM {_TABLE} WHERE kind = ?", (kind.value,))  # noqa: S608
        return {row[0] for row in rows}

    def of(self, kind: WaitingKind, room_ids: Iterable[str] | None = None) -> list[Waiting]:
        """What waits, oldest first; of these rooms alone if some are given."""
        rows = self._store.sql(
            f"SELECT id, sender, room_id, content FROM {_TABLE} WHERE kind = ? ORDER BY id",  # noqa: S608
            (kind.value,),
        )
        wanted = None if room_ids is None else set(room_ids)
        return [self._opened(kind, *row) for row in rows if wanted is None or row[2] in wanted]

    def remove(self, waiting: Iterable[Waiting]) -> None:
        """Let these wait no longer."""
        self._store.sql_each(f"DELETE FROM {_TABLE} WHERE id = ?", [(each.id,) for each in waiting])  # noqa: S608

    def _keep_newest(self, which: str, values: tuple[str, ...], at_most: int) -> None:
        # From the newest on, everything past the bound.
        self._store.sql(
            f"DELETE FROM {_TABLE} WHERE id IN "  # noqa: S608
            f"(SELECT id FROM {_TABLE} WHERE {which} ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (*values, at_most),
        )

    def _opened(self, kind: WaitingKind, id: int, sender: str, room_id: str, sealed: bytes) -> Waiting:
        seal = self._store.seal
        written = seal.open(bytes(sealed), _TABLE, f"{kind.value}|{sender}|{room_id}", seal.key_id)
        curve25519, ed25519, content = json.loads(written)
        return Waiting(id, sender, room_id, curve25519, ed25519, content)
