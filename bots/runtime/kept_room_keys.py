"""The room keys that this device holds: of each session the best copy that ever came, and whose word it is."""

from collections.abc import Mapping
from typing import Any

from nio.crypto import GroupSessionStore, InboundGroupSession  # type: ignore[import-untyped]

from bots.runtime.house_store import HouseStore


def is_vouched(session: InboundGroupSession) -> bool:
    """Whether the device whose key stands beside the session gave it to us itself; otherwise somebody says so."""
    return not session.forwarding_chain


class KeptRoomKeys:
    """Keeps room keys in memory and in the store. Changes belong to the store's open transaction.

    changes: how often something better was kept since the start.
    """

    def __init__(self, store: HouseStore, memory: GroupSessionStore) -> None:
        self._store = store
        self._memory = memory
        self.changes = 0

    def of(self, room_id: str, session_id: str, sender_key: object = None) -> list[InboundGroupSession]:
        """Every copy of a room key, the most trustworthy first: of this sender key, then vouched for, then longest."""
        found = [keys[session_id] for keys in self._memory[room_id].values() if session_id in keys]
        return sorted(
            found, key=lambda each: (each.sender_key != sender_key, not is_vouched(each), each.first_known_index)
        )

    def all(self) -> list[InboundGroupSession]:
        """Every room key that is held."""
        return list(self._memory)

    def keep(self, session: InboundGroupSession) -> bool:
        """Keep a room key unless what is held is as good; say whether anything is better now."""
        held = self._memory.get(session.room_id, session.sender_key, session.id)
        was = None if held is None else (held.first_known_index, is_vouched(held))
        best = session if held is None else _better(held, session)
        if was == (best.first_known_index, is_vouched(best)):
            return False
        self.changes += 1
        self._memory.add(best)
        # The store has one row per session id: somebody who passes a key on must not overwrite its maker's.
        if not any(_stands_before(each, best) for each in self.of(best.room_id, best.id) if each is not best):
            self._store.save_inbound_group_session(best)
        return True


def room_key(content: Mapping[str, Any], curve25519: str, ed25519: str) -> InboundGroupSession:
    """Read a room key that its own device sent; raises if it is malformed or belongs to another session."""
    room_id, session_id, session_key = content["room_id"], content["session_id"], content["session_key"]
    if not all(isinstance(each, str) for each in (room_id, session_id, session_key, ed25519)):
        raise TypeError("a room key's fields are texts")
    return _of_session(InboundGroupSession(session_key, ed25519, curve25519, room_id), session_id)


def exported_room_key(content: Mapping[str, Any], ed25519: str, chain: list[str]) -> InboundGroupSession:
    """Read a room key that was exported; chain: through whose hands it came, empty if its maker exported it."""
    texts = [content[name] for name in ("session_key", "sender_key", "room_id", "session_id")]
    if not all(isinstance(each, str) for each in (*texts, ed25519, *chain)):
        raise TypeError("a room key's fields are texts")
    session_key, sender_key, room_id, session_id = texts
    return _of_session(InboundGroupSession.import_session(session_key, ed25519, sender_key, room_id, chain), session_id)


def export_of(session: InboundGroupSession) -> dict[str, str]:
    """What exported_room_key reads, from the first message on that the copy can read."""
    return {
        "room_id": session.room_id,
        "session_id": session.id,
        "session_key": session.export_session(session.first_known_index),
        "sender_key": session.sender_key,
    }


def _of_session(session: InboundGroupSession, session_id: str) -> InboundGroupSession:
    if session.id != session_id:
        raise ValueError("the room key belongs to another session")
    return session


def _stands_before(held: InboundGroupSession, new: InboundGroupSession) -> bool:
    if is_vouched(held) != is_vouched(new):
        return is_vouched(held)
    return bool(held.first_known_index <= new.first_known_index)


def _better(held: InboundGroupSession, new: InboundGroupSession) -> InboundGroupSession:
    """Of two copies under one sender key the one to keep: what is vouched for, as far back as either reaches."""
    if not _same_ratchet(held, new):
        return new if is_vouched(new) and not is_vouched(held) else held
    earliest = new if new.first_known_index < held.first_known_index else held
    if is_vouched(held) or is_vouched(new):
        earliest.forwarding_chain = []
    return earliest


def _same_ratchet(one: InboundGroupSession, other: InboundGroupSession) -> bool:
    # An exported key is not signed: anybody could put a false one under a true session's name.
    index = max(one.first_known_index, other.first_known_index)
    return bool(one.export_session(index) == other.export_session(index))
