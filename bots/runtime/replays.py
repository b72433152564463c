"""Which event was the first to hold a message of a room key: the same ciphertext in another event is a replay.

Without this, whoever may write in a room could repeat an old message of somebody else after a restart of the bot.
"""

from collections.abc import MutableMapping

from bots.runtime.house_store import HouseStore

KEPT = 200_000

_TABLE = "keyhouse_first_event"
_MADE = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, "
    "message_index INTEGER NOT NULL, event_id TEXT NOT NULL, UNIQUE (session_id, message_index))"
)


class FirstEvents:
    """The newest KEPT messages. memory: the newest of them at hand, bounded by whoever made it.

    What was seen is saved with the next transaction, so a killed process forgets the last few seconds.
    """

    def __init__(self, store: HouseStore, memory: MutableMapping[tuple[str, int], str]) -> None:
        self._store = store
        self._memory = memory
        self._unsaved: dict[tuple[str, int], str] = {}
        with store.transaction():
            store.sql(_MADE)

    def of(self, session_id: str, message_index: int, event_id: str) -> str:
        """The event that held this message first; the given one if there was none."""
        key = (session_id, message_index)
        first = self._memory.get(key) or self._saved(key)
        if first is None:
            first = self._unsaved[key] = event_id
        self._memory[key] = first
        return first

    def save(self) -> None:
        """Write down what was seen, in the store's open transaction."""
        if not self._unsaved:
            return
        seen, self._unsaved = self._unsaved, {}
        self._store.sql_each(
            f"INSERT OR IGNORE INTO {_TABLE} (session_id, message_index, event_id) VALUES (?, ?, ?)",  # noqa: S608
            ((*key, event_id) for key, event_id in seen.items()),
        )
        self._store.sql(f"DELETE FROM {_TABLE} WHERE id <= (SELECT max(id) FROM {_TABLE}) - ?", (KEPT,))  # noqa: S608

    def _saved(self, key: tuple[str, int]) -> str | None:
        rows = self._store.sql(f"SELECT event_id FROM {_TABLE} WHERE session_id = ? AND message_index = ?", key)  # noqa: S608
        return str(rows[0][0]) if rows else None
