"""Room keys that somebody's device says it will not give us, and why.

Source: client-server specification, "Reporting that decryption keys are withheld"; MSC4268 for history_not_shared.
"""

from collections.abc import Mapping
from typing import Any

from bots.runtime.clock import Clock
from bots.runtime.house_store import HouseStore

TYPES = frozenset({"m.room_key.withheld", "org.matrix.room_key.withheld"})
NO_OLM = "m.no_olm"
CODES = frozenset(
    {
        "m.unverified",
        "m.blacklisted",
        "m.unauthorised",
        "m.unavailable",
        "m.history_not_shared",
        "io.element.msc4268.history_not_shared",
        NO_OLM,
    }
)
OF_ONE_SENDER, OF_ALL = 500, 20_000

_TABLE = "keyhouse_withheld"
_MADE = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (room_id TEXT NOT NULL, session_id TEXT NOT NULL, sender TEXT NOT NULL, "
    "code TEXT NOT NULL, came_at REAL NOT NULL, PRIMARY KEY (room_id, session_id, sender))",
    f"CREATE INDEX IF NOT EXISTS {_TABLE}_by_sender ON {_TABLE} (sender, came_at)",
    f"CREATE INDEX IF NOT EXISTS {_TABLE}_by_age ON {_TABLE} (came_at)",
)


class Withheld:
    """The table of withheld room keys. Anybody can claim to withhold anything: it explains, it decides nothing."""

    def __init__(self, store: HouseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        with store.transaction():
            for statement in _MADE:
                store.sql(statement)

    def note(self, sender: str, content: Mapping[str, Any]) -> str:
        """Keep what a device said and give its code; raises if it is malformed.

        With m.no_olm the device names no session: it could not reach us at all.
        """
        code = content["code"]
        if code not in CODES:
            raise ValueError("a code that the specification does not have")
        if code != NO_OLM or "session_id" in content:
            room_id, session_id = content["room_id"], content["session_id"]
            if not isinstance(room_id, str) or not isinstance(session_id, str):
                raise TypeError("room and session are texts")
            self._keep(room_id, session_id, sender, code)
        return str(code)

    def code(self, room_id: str, session_id: str, sender: str | None = None) -> str | None:
        """Why a room key was withheld; None if nobody said so. sender: whose word counts, else anybody's newest."""
        rows = self._store.sql(
            f"SELECT code FROM {_TABLE} WHERE room_id = ? AND session_id = ? AND (? IS NULL OR sender = ?) "  # noqa: S608
            "ORDER BY came_at DESC LIMIT 1",
            (room_id, session_id, sender, sender),
        )
        return rows[0][0] if rows else None

    def came(self, room_id: str, session_id: str) -> None:
        """Forget that a room key was withheld, because it is here."""
        self._store.sql(f"DELETE FROM {_TABLE} WHERE room_id = ? AND session_id = ?", (room_id, session_id))  # noqa: S608

    def _keep(self, room_id: str, session_id: str, sender: str, code: str) -> None:
        with self._store.transaction():
            self._store.sql(
                f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (room_id, session_id, sender, code, self._clock().timestamp()),
            )
            for which, values, at_most in (("sender = ?", (sender,), OF_ONE_SENDER), ("1", (), OF_ALL)):
                self._store.sql(
                    f"DELETE FROM {_TABLE} WHERE rowid IN "  # noqa: S608
                    f"(SELECT rowid FROM {_TABLE} WHERE {which} ORDER BY came_at DESC LIMIT -1 OFFSET ?)",
                    (*values, at_most),
                )
