"""A room key that was received stays as good as it ever was, whoever sends it again."""

import json
from pathlib import Path
from typing import Any

import pytest
import vodozemac
from nio.store import SqliteStore

from bots.runtime.olm import BAD_CIPHERTEXT, NO_ROOM_KEY, REPLAYED, HouseOlm, Unreadable

ROOM = "!room"


def machine(directory: Path) -> HouseOlm:
    return HouseOlm("@bot:x", "WATCHER-1", SqliteStore("@bot:x", "WATCHER-1", str(directory), "a key", "crypto.db"))


def event(session: vodozemac.GroupSession, words: str, number: int = 0) -> dict[str, Any]:
    payload = json.dumps({"room_id": ROOM, "type": "m.room.message", "content": {"body": words}})
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": session.session_id}
    ciphertext = session.encrypt(payload.encode()).to_base64()
    return {"event_id": f"${number}", "content": {**content, "ciphertext": ciphertext}}


def test_a_key_passed_on_by_somebody_else_neither_replaces_nor_impoverishes_its_makers(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())
    first = event(session, "first")
    later_key = session.session_key.to_base64()

    olm.create_group_session("mallorys", "mallory", ROOM, session.session_id, later_key)
    olm.create_group_session("alices", "alice", ROOM, session.session_id, later_key)

    for holder in (olm, machine(tmp_path)):
        read = holder.read_room_event(ROOM, first)
        assert (read.payload["content"], read.curve25519, read.ed25519) == ({"body": "first"}, "alices", "alice")


def test_a_message_before_the_key_begins_waits_for_a_better_key(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    whole_key = session.session_key.to_base64()
    first = event(session, "first")
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())

    with pytest.raises(Unreadable) as unreadable:
        olm.read_room_event(ROOM, first)
    olm.create_group_session("alices", "alice", ROOM, session.session_id, whole_key)

    assert unreadable.value.reason == NO_ROOM_KEY
    assert olm.read_room_event(ROOM, first).payload["content"] == {"body": "first"}


def test_a_message_that_somebody_sends_again_is_not_read_twice(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())
    first = event(session, "yes")

    olm.read_room_event(ROOM, first)
    olm.read_room_event(ROOM, first)
    with pytest.raises(Unreadable) as unreadable:
        olm.read_room_event(ROOM, {**first, "event_id": "$other"})

    assert unreadable.value.reason == REPLAYED


def test_a_broken_ciphertext_is_named_as_such(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())
    sent = event(session, "words")

    for broken in ("%%", str(sent["content"]["ciphertext"])[:-4] + "AAAA"):
        with pytest.raises(Unreadable) as unreadable:
            olm.read_room_event(ROOM, {**sent, "content": {**sent["content"], "ciphertext": broken}})
        assert unreadable.value.reason == BAD_CIPHERTEXT


def test_a_key_under_another_sessions_name_is_refused(tmp_path: Path) -> None:
    session, other = vodozemac.GroupSession(), vodozemac.GroupSession()

    with pytest.raises(ValueError, match="another session"):
        machine(tmp_path).create_group_session("a", "b", ROOM, other.session_id, session.session_key.to_base64())
