"""What comes to this device alone: room keys, what is passed on, refused or asked for."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from bots.runtime.clock import Clock
from bots.runtime.house_store import HouseStore
from bots.runtime.kept_room_keys import KeptRoomKeys, room_key
from bots.runtime.waiting import WaitingKind, WaitingRoom
from bots.runtime.withheld import NO_OLM, TYPES, Withheld

MEGOLM = "m.megolm.v1.aes-sha2"
KEY_REQUEST = "m.room_key_request"
FORWARDED_ROOM_KEY = "m.forwarded_room_key"
KEY_BUNDLES = frozenset({"m.room_key_bundle", "io.element.msc4268.room_key_bundle"})


_MADE = (
    "CREATE TABLE IF NOT EXISTS keyhouse_new_room_key "
    "(room_id TEXT NOT NULL, session_id TEXT NOT NULL, PRIMARY KEY (room_id, session_id))"
)


class Arrivals:
    """Sorts what comes to the device, in the store's open transaction; whatever is malformed raises.

    new_room_keys: those whose events were not tried again yet, (room id, session id) each; kept over a restart.
    broken_sessions: whose Olm session broke, (user id, curve25519) each.
    stirred: set when something came that wants a question to the homeserver.
    counts: withheld, room_keys_waiting, keys_asked_for, forwarded_keys_taken and _refused, key_requests_answered and
    _refused, bundles_taken and _refused, shared_keys_taken and _malformed; shared with whoever counts on.
    """

    def __init__(self, user_id: str, store: HouseStore, kept: KeptRoomKeys, clock: Clock) -> None:
        self._user_id = user_id
        self._store = store
        self._kept = kept
        self.waiting = WaitingRoom(store, clock)
        self.withheld = Withheld(store, clock)
        self.broken_sessions: set[tuple[str, str]] = set()
        self.stirred = asyncio.Event()
        self.counts: Counter[str] = Counter()
        self.rooms: frozenset[str] = frozenset()
        with store.transaction():
            store.sql(_MADE)
        self.new_room_keys: list[tuple[str, str]] = [
            (str(room_id), str(session_id))
            for room_id, session_id in store.sql("SELECT room_id, session_id FROM keyhouse_new_room_key")
        ]

    def enter_rooms(self, room_ids: Iterable[str]) -> None:
        """Learn which rooms the bot is in; room keys that waited for one of them are kept now."""
        before, self.rooms = self.rooms, frozenset(room_ids)
        entered = (self.rooms - before) & self.waiting.room_ids(WaitingKind.ROOM_KEY)
        if entered:
            with self._store.transaction():
                waited = self.waiting.of(WaitingKind.ROOM_KEY, entered)
                for each in waited:
                    self._keep(each.content, each.curve25519, each.ed25519)
                self.waiting.remove(waited)
        if self.rooms - before:
            self.stirred.set()

    def in_clear(self, event: Mapping[str, Any]) -> None:
        """Take what came in clear: a refusal, or somebody's request for a room key."""
        kind, sender, content = event["type"], event["sender"], event["content"]
        if kind in TYPES:
            self._withhold(sender, content)
        elif kind == KEY_REQUEST:
            self._asked(sender, content)

    def sealed(self, sender: str, curve25519: str, payload: Mapping[str, Any]) -> None:
        """Take what came inside an Olm message of the device with these keys."""
        kind, content, ed25519 = payload["type"], payload["content"], payload["keys"]["ed25519"]
        if kind == "m.room_key" and content["algorithm"] == MEGOLM:
            self._room_key(sender, content, curve25519, ed25519)
        elif kind == FORWARDED_ROOM_KEY and content["algorithm"] == MEGOLM:
            self._set_aside(WaitingKind.FORWARDED_ROOM_KEY, sender, (curve25519, ed25519), content)
        elif kind in KEY_BUNDLES:
            self._set_aside(WaitingKind.KEY_BUNDLE, sender, (curve25519, ed25519), content)
        elif kind in TYPES:
            self._withhold(sender, content)

    def came(self, room_id: str, session_id: str) -> None:
        """Keep that a room key is here whose events are to be tried again."""
        self.new_room_keys.append((room_id, session_id))
        self._store.sql("INSERT OR IGNORE INTO keyhouse_new_room_key VALUES (?, ?)", (room_id, session_id))
        self.withheld.came(room_id, session_id)
        self.stirred.set()

    def tried(self, room_keys: Iterable[tuple[str, str]]) -> None:
        """Forget that these room keys were new: the events that waited for them were handed over."""
        tried = list(room_keys)
        if tried:
            self._store.sql_each("DELETE FROM keyhouse_new_room_key WHERE room_id = ? AND session_id = ?", tried)

    def _room_key(self, sender: str, content: Mapping[str, Any], curve25519: str, ed25519: str) -> None:
        if content["room_id"] in self.rooms:
            self._keep(content, curve25519, ed25519)
            return
        # Anybody can send keys for rooms that never were: a bounded number of them waits for the room to be joined.
        room_key(content, curve25519, ed25519)
        wanted = {name: content[name] for name in ("room_id", "session_id", "session_key")}
        self.waiting.add(WaitingKind.ROOM_KEY, sender, content["room_id"], (curve25519, ed25519), wanted)
        self.counts["room_keys_waiting"] += 1

    def _keep(self, content: Mapping[str, Any], curve25519: str, ed25519: str) -> None:
        session = room_key(content, curve25519, ed25519)
        self._kept.keep(session)
        self.came(session.room_id, session.id)

    def _withhold(self, sender: str, content: Mapping[str, Any]) -> None:
        if self.withheld.note(sender, content) == NO_OLM:
            self.broken_sessions.add((sender, str(content["sender_key"])))
        self.counts["withheld"] += 1

    def _asked(self, sender: str, content: Mapping[str, Any]) -> None:
        if sender != self._user_id:
            self.counts["key_requests_refused"] += 1
        elif content["action"] == "request":
            self._set_aside(WaitingKind.KEY_REQUEST, sender, ("", ""), content, content["body"]["room_id"])

    def _set_aside(
        self,
        kind: WaitingKind,
        sender: str,
        keys: tuple[str, str],
        content: Mapping[str, Any],
        room_id: object = None,
    ) -> None:
        room_id = content["room_id"] if room_id is None else room_id
        if not isinstance(room_id, str):
            raise TypeError("a room id is a text")
        self.waiting.add(kind, sender, room_id, keys, content)
        self.stirred.set()
