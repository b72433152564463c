"""A room key that was received stays as good as it ever was, whoever sends it again."""

import json
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bots.runtime.house_store import HouseStore
from bots.runtime.kept_room_keys import exported_room_key
from bots.runtime.olm import BAD_CIPHERTEXT, NO_ROOM_KEY, REPLAYED, HouseOlm, Unreadable
from bots.runtime.signatures import padded, unpadded

ROOM = "!room"


def machine(directory: Path) -> HouseOlm:
    return HouseOlm("@bot:x", "WATCHER-1", HouseStore("@bot:x", "WATCHER-1", str(directory), "a key", "crypto.db"))


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


def passed_on(session: vodozemac.GroupSession, by: str) -> Any:
    """Alice's session as somebody else exports it."""
    held = vodozemac.InboundGroupSession(session.session_key)
    content = {
        "room_id": ROOM,
        "session_id": held.session_id,
        "session_key": held.export_at(held.first_known_index).to_base64(),
        "sender_key": "alices",
    }
    return exported_room_key(content, "alice", [by])


def test_a_key_that_somebody_passed_on_reads_but_its_maker_is_not_vouched_for(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()

    olm.kept.keep(passed_on(session, by="inviters"))
    first = event(session, "first")

    for holder in (olm, machine(tmp_path)):
        read = holder.read_room_event(ROOM, first)
        assert (read.payload["content"], read.vouched) == ({"body": "first"}, False)


def test_the_makers_own_word_makes_a_passed_on_key_vouched_for_as_far_back_as_it_reached(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.kept.keep(passed_on(session, by="inviters"))
    first = event(session, "first")

    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())

    for holder in (olm, machine(tmp_path)):
        read = holder.read_room_event(ROOM, first)
        assert (read.payload["content"], read.vouched) == ({"body": "first"}, True)


def test_a_false_key_under_a_true_sessions_name_does_not_hide_the_message(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.kept.keep(false_copy(session, "mallorys"))

    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())
    first = event(session, "first")

    for holder in (olm, machine(tmp_path)):
        read = holder.read_room_event(ROOM, first)
        assert (read.payload["content"], read.curve25519, read.vouched) == ({"body": "first"}, "alices", True)


def test_a_false_key_does_not_replace_its_makers(tmp_path: Path) -> None:
    olm, session = machine(tmp_path), vodozemac.GroupSession()
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())

    better = olm.kept.keep(false_copy(session, "alices"))
    first = event(session, "first")

    assert not better
    for holder in (olm, machine(tmp_path)):
        assert holder.read_room_event(ROOM, first).vouched


def false_copy(session: vodozemac.GroupSession, sender_key: str) -> Any:
    """A room key with the session's true name and a ratchet that somebody made up."""
    held = vodozemac.InboundGroupSession(session.session_key)
    raw = bytearray(padded(held.export_at(0).to_base64()))
    # Version (1 byte), index (4), ratchet (128), the session's public key (32).
    raw[5:133] = bytes(128)
    content = {
        "room_id": ROOM,
        "session_id": session.session_id,
        "session_key": unpadded(bytes(raw)),
        "sender_key": sender_key,
    }
    return exported_room_key(content, "alice", ["mallorys"])


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
