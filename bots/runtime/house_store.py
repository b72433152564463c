"""A device's encryption store: nio's, with the house's own tables beside nio's in the same file and transactions."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import peewee  # type: ignore[import-untyped]
from nio.crypto import GroupSessionStore, InboundGroupSession, OlmAccount, Session  # type: ignore[import-untyped]
from nio.store import SqliteStore  # type: ignore[import-untyped]
from nio.store.models import OlmSessions  # type: ignore[import-untyped]

from keyhouse.storage.sealing import Seal

_GENERATION = (
    "CREATE TABLE IF NOT EXISTS keyhouse_generation (only INTEGER PRIMARY KEY CHECK (only = 1), number INTEGER)"
)


WAITS_FOR_OTHERS_S = 5
"""How long a write waits for another process that looks into the file; a shorter wait would end the bot for nothing."""


class _Database(peewee.SqliteDatabase):  # type: ignore[misc]
    def begin(self, lock_type: str | None = None) -> None:
        # A transaction that reads first and writes then is refused at once, without any wait, where another writes.
        super().begin(lock_type or "IMMEDIATE")


class HouseStore(SqliteStore):  # type: ignore[misc]
    """Counts its own generations: one more with every transaction that changed key material.

    generation: how far the store on the disk has got.  changed: set whenever it got further.
    seal: for what the house's own tables keep that nobody may read, under the store's own key.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._depth, self._key_material_changed = 0, False
        self.changed = asyncio.Event()
        self.seal = Seal(hashlib.sha256(f"keyhouse own tables {self.pickle_key}".encode()).digest())
        with self.transaction():
            self.sql(_GENERATION)
            self.sql("INSERT OR IGNORE INTO keyhouse_generation VALUES (1, 0)")
        self.generation: int = self.sql("SELECT number FROM keyhouse_generation")[0][0]

    def _create_database(self) -> _Database:
        pragmas = {"foreign_keys": 1, "secure_delete": 1}
        return _Database(self.database_path, pragmas=pragmas, timeout=WAITS_FOR_OTHERS_S)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything saved inside is saved together, inner ones with the outermost. Nothing inside may wait."""
        raised = None
        with self.database.atomic():
            self._depth += 1
            try:
                yield
                if self._depth == 1 and self._key_material_changed:
                    raised = self._raise_generation()
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._key_material_changed = False
        if raised is not None:
            self.generation = raised
            self.changed.set()

    def sql(self, statement: str, values: Iterable[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Do one statement on the house's own tables, in the transaction that is open; give its rows."""
        rows: list[tuple[Any, ...]] = self.database.execute_sql(statement, values).fetchall()
        return rows

    def sql_each(self, statement: str, values: Iterable[Iterable[Any]]) -> None:
        """Do one statement for each of these values."""
        with self.transaction():
            self.database.cursor().executemany(statement, [tuple(each) for each in values])

    def is_whole(self) -> bool:
        """Whether the file is sound as a database."""
        return self.sql("PRAGMA quick_check(1)") == [("ok",)]

    def save_account(self, account: OlmAccount) -> None:
        """Save the device's own keys."""
        with self._changing():
            super().save_account(account)

    def save_session(self, curve_key: str, session: Session) -> None:
        """Save an Olm session."""
        with self._changing():
            super().save_session(curve_key, session)

    def save_inbound_group_session(self, session: InboundGroupSession) -> None:
        """Save a room key in the place of any other of the same session, with whoever passed it on."""
        # nio's own way takes five times as long, and many come at once with a shared history.
        with self._changing():
            self.sql("DELETE FROM megolminboundsessions WHERE session_id = ?", (session.id,))
            self.sql(
                "INSERT INTO megolminboundsessions (session_id, sender_key, account_id, fp_key, room_id, session) "
                "SELECT ?, ?, id, ?, ?, ? FROM accounts",
                (session.id, session.sender_key, session.ed25519, session.room_id, session.pickle(self.pickle_key)),
            )
            for sender_key in dict.fromkeys(session.forwarding_chain):
                row = (sender_key, session.id)
                self.sql("INSERT INTO forwardedchains (sender_key, session_id) VALUES (?, ?)", row)

    def load_inbound_group_sessions(self) -> GroupSessionStore:
        """Load all room keys."""
        store, chains = GroupSessionStore(), defaultdict(list)
        for session_id, sender_key in self.sql("SELECT session_id, sender_key FROM forwardedchains ORDER BY id"):
            chains[session_id].append(sender_key)
        rows = self.sql("SELECT session_id, session, fp_key, sender_key, room_id FROM megolminboundsessions")
        for session_id, pickle, ed25519, sender_key, room_id in rows:
            chain = chains.get(session_id)
            store.add(
                InboundGroupSession.from_pickle(bytes(pickle), ed25519, sender_key, room_id, self.pickle_key, chain)
            )
        return store

    def forget_sessions(self, sessions: Iterable[Session]) -> None:
        """Delete Olm sessions."""
        ids = [each.id for each in sessions]
        with self._changing(), self.database.bind_ctx(self.models):
            OlmSessions.delete().where(OlmSessions.session_id.in_(ids)).execute()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self.transaction():
            self._key_material_changed = True
            yield

    def _raise_generation(self) -> int:
        self.sql("UPDATE keyhouse_generation SET number = number + 1")
        number: int = self.sql("SELECT number FROM keyhouse_generation")[0][0]
        return number
