"""What a device keeps beside nio's own tables: whole or not at all, sealed, bounded, and counted."""

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bots.runtime.errors import MatrixFault
from bots.runtime.house_store import HouseStore
from bots.runtime.olm import OLM_SESSIONS_OF_ONE_DEVICE, REPLAYED, HouseOlm, Unreadable
from bots.runtime.signatures import unpadded
from bots.runtime.store_faults import told_plainly
from bots.runtime.waiting import BOUNDS, WaitingKind

ROOM, STRANGERS_ROOM = "!room", "!never-joined"
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Moment:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Moment:
    return Moment()


@pytest.fixture
def opened(tmp_path: Path, clock: Moment) -> Callable[[], HouseOlm]:
    """Opens the device's machine, again as after a restart each time."""

    def machine() -> HouseOlm:
        store = HouseStore("@bot:x", "WATCHER-1", str(tmp_path), "a key", "crypto.db")
        return HouseOlm("@bot:x", "WATCHER-1", store, clock)

    return machine


def room_key(room_id: str = ROOM) -> dict[str, Any]:
    session = vodozemac.GroupSession()
    key = {"session_id": session.session_id, "session_key": session.session_key.to_base64()}
    return {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room_id, **key}


def send(olm: HouseOlm, content: dict[str, Any], kind: str = "m.room_key", sender: str = "@alice:x") -> None:
    """Give the device what an Olm message of alice's device would hold."""
    payload = {"type": kind, "content": content, "keys": {"ed25519": "alices-ed25519"}}
    with olm.one_transaction():
        olm.arrivals.sealed(sender, "alices-curve25519", payload)


def send_all(olm: HouseOlm, *contents: dict[str, Any]) -> None:
    for content in contents:
        send(olm, content)


def withhold(olm: HouseOlm, session_id: str, code: str = "m.unverified", sender: str = "@alice:x") -> None:
    content = {"room_id": ROOM, "session_id": session_id, "code": code, "sender_key": "alices-curve25519"}
    with olm.one_transaction():
        olm.arrivals.in_clear({"type": "m.room_key.withheld", "sender": sender, "content": content})


def test_a_generation_counts_with_every_transaction_that_changes_key_material(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()
    olm.arrivals.enter_rooms([ROOM])
    before = olm.store.generation

    with olm.one_transaction():
        for _ in range(3):
            send(olm, room_key())

    assert olm.store.generation == before + 1
    assert opened().store.generation == before + 1


def test_a_generation_does_not_count_what_is_no_key_material(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()
    before = olm.store.generation

    withhold(olm, "a session")
    olm.store.save_sync_token("a token")

    assert olm.store.generation == before


def test_a_transaction_that_fails_leaves_neither_key_nor_generation(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()
    olm.arrivals.enter_rooms([ROOM])
    before, key = olm.store.generation, room_key()

    with pytest.raises(TypeError), olm.one_transaction():
        send_all(olm, key, {**key, "session_key": None})

    after = opened()
    assert (olm.store.generation, after.store.generation) == (before, before)
    assert after.kept.of(ROOM, key["session_id"]) == []


def test_a_room_key_for_a_room_that_the_bot_is_in_is_kept_at_once(opened: Callable[[], HouseOlm]) -> None:
    olm, key = opened(), room_key()
    olm.arrivals.enter_rooms([ROOM])

    send(olm, key)

    assert opened().kept.of(ROOM, key["session_id"])
    assert opened().arrivals.new_room_keys == [(ROOM, key["session_id"])]


def test_a_room_key_for_another_room_waits_until_it_is_joined_also_over_a_restart(
    opened: Callable[[], HouseOlm],
) -> None:
    olm, key = opened(), room_key()
    send(olm, key)
    held_before = olm.kept.of(ROOM, key["session_id"])

    olm = opened()
    olm.arrivals.enter_rooms([ROOM])

    assert held_before == []
    assert olm.kept.of(ROOM, key["session_id"])
    assert olm.arrivals.new_room_keys == [(ROOM, key["session_id"])]
    assert opened().arrivals.waiting.of(WaitingKind.ROOM_KEY) == []


def test_a_stranger_cannot_fill_the_store_and_pushes_out_only_their_own(opened: Callable[[], HouseOlm]) -> None:
    olm, wanted = opened(), room_key()
    send(olm, wanted, sender="@alice:x")
    bound = BOUNDS[WaitingKind.ROOM_KEY].of_one_sender

    with olm.one_transaction():
        for _ in range(bound + 20):
            send(olm, room_key(STRANGERS_ROOM), sender="@stranger:x")

    assert len(olm.arrivals.waiting.of(WaitingKind.ROOM_KEY, [STRANGERS_ROOM])) == bound
    assert len(olm.arrivals.waiting.of(WaitingKind.ROOM_KEY, [ROOM])) == 1


def test_what_waits_is_dropped_when_its_time_is_over(opened: Callable[[], HouseOlm], clock: Moment) -> None:
    olm = opened()
    send(olm, room_key())
    kept_for = BOUNDS[WaitingKind.ROOM_KEY].at_most

    clock.now = NOON + kept_for
    send(olm, room_key())
    waits_to_the_last = len(olm.arrivals.waiting.of(WaitingKind.ROOM_KEY))
    clock.now += timedelta(seconds=1)
    send(olm, room_key())

    assert waits_to_the_last == 2
    assert len(olm.arrivals.waiting.of(WaitingKind.ROOM_KEY)) == 2


def test_a_malformed_room_key_never_waits(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()

    for broken in ({"session_key": "%%"}, {"session_id": "another"}, {"session_key": 5}, {"room_id": ["x"]}):
        with pytest.raises((ValueError, TypeError)):
            send(olm, {**room_key(), **broken})

    assert olm.arrivals.waiting.of(WaitingKind.ROOM_KEY) == []


def test_what_waits_stands_nowhere_in_clear(opened: Callable[[], HouseOlm], tmp_path: Path) -> None:
    key = room_key()
    send(opened(), key)

    written = (tmp_path / "crypto.db").read_bytes()

    assert key["session_key"].encode() not in written
    assert b"!room" in written


def test_a_withheld_key_is_known_by_its_code_until_it_comes(opened: Callable[[], HouseOlm]) -> None:
    olm, key = opened(), room_key()
    olm.arrivals.enter_rooms([ROOM])
    withhold(olm, key["session_id"])
    olm = opened()
    olm.arrivals.enter_rooms([ROOM])
    code = olm.arrivals.withheld.code(ROOM, key["session_id"])

    send(olm, key)

    assert code == "m.unverified"
    assert olm.arrivals.withheld.code(ROOM, key["session_id"]) is None


def test_only_the_senders_own_word_is_taken_when_it_is_asked_for(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()

    withhold(olm, "a session", "m.blacklisted", sender="@stranger:x")

    assert olm.arrivals.withheld.code(ROOM, "a session", "@alice:x") is None
    assert olm.arrivals.withheld.code(ROOM, "a session", "@stranger:x") == "m.blacklisted"


def test_a_code_that_does_not_exist_is_malformed(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()

    with pytest.raises(ValueError, match="does not have"):
        withhold(olm, "a session", "m.bored")

    assert olm.arrivals.withheld.code(ROOM, "a session") is None
    assert olm.arrivals.counts["withheld"] == 0


def test_a_device_that_could_not_reach_us_gets_a_new_olm_session(opened: Callable[[], HouseOlm]) -> None:
    olm = opened()

    with olm.one_transaction():
        content = {"code": "m.no_olm", "sender_key": "alices-curve25519"}
        olm.arrivals.in_clear({"type": "m.room_key.withheld", "sender": "@alice:x", "content": content})

    assert olm.arrivals.broken_sessions == {("@alice:x", "alices-curve25519")}


def test_somebody_elses_request_for_a_key_is_dropped_and_our_own_devices_waits(
    opened: Callable[[], HouseOlm],
) -> None:
    olm = opened()
    asked = {"action": "request", "requesting_device_id": "X", "request_id": "1", "body": {"room_id": ROOM}}

    with olm.one_transaction():
        olm.arrivals.in_clear({"type": "m.room_key_request", "sender": "@stranger:x", "content": asked})
        olm.arrivals.in_clear({"type": "m.room_key_request", "sender": "@bot:x", "content": asked})

    assert [each.sender for each in olm.arrivals.waiting.of(WaitingKind.KEY_REQUEST)] == ["@bot:x"]
    assert olm.arrivals.counts["key_requests_refused"] == 1


def test_a_message_that_somebody_repeats_after_a_restart_is_not_read_twice(opened: Callable[[], HouseOlm]) -> None:
    olm, session = opened(), vodozemac.GroupSession()
    olm.create_group_session("alices", "alice", ROOM, session.session_id, session.session_key.to_base64())
    payload = json.dumps({"room_id": ROOM, "type": "m.room.message", "content": {"body": "yes"}})
    content = {"algorithm": "m.megolm.v1.aes-sha2", "session_id": session.session_id}
    event = {"event_id": "$1", "content": {**content, "ciphertext": session.encrypt(payload.encode()).to_base64()}}
    olm.read_room_event(ROOM, event)
    olm.save_seen()

    olm = opened()

    assert olm.read_room_event(ROOM, event).payload["content"] == {"body": "yes"}
    with pytest.raises(Unreadable) as unreadable:
        olm.read_room_event(ROOM, {**event, "event_id": "$2"})
    assert unreadable.value.reason == REPLAYED


def test_a_device_that_begins_a_new_session_with_every_message_fills_nothing(opened: Callable[[], HouseOlm]) -> None:
    olm, alice = opened(), vodozemac.Account()
    olm.arrivals.enter_rooms([ROOM])
    curve25519, ed25519 = alice.curve25519_key.to_base64(), alice.ed25519_key.to_base64()
    keys = [room_key() for _ in range(OLM_SESSIONS_OF_ONE_DEVICE + 3)]

    for key in keys:
        olm.account.generate_one_time_keys(1)
        one_time = vodozemac.Curve25519PublicKey.from_base64(olm.account.one_time_keys["curve25519"].popitem()[1])
        session = alice.create_outbound_session(olm.account._account.curve25519_key, one_time)
        payload = {
            "type": "m.room_key",
            "sender": "@alice:x",
            "recipient": "@bot:x",
            "recipient_keys": {"ed25519": olm.own.ed25519},
            "keys": {"ed25519": ed25519},
            "content": key,
        }
        kind, body = session.encrypt(json.dumps(payload).encode()).to_parts()
        sealed = {"type": kind, "body": unpadded(body)}
        content = {
            "algorithm": "m.olm.v1.curve25519-aes-sha2",
            "sender_key": curve25519,
            "ciphertext": {olm.own.curve25519: sealed},
        }
        with olm.one_transaction():
            olm.read_to_device({"type": "m.room.encrypted", "sender": "@alice:x", "content": content})

    after = opened()
    assert len(after.session_store[curve25519]) == OLM_SESSIONS_OF_ONE_DEVICE
    assert all(after.kept.of(ROOM, key["session_id"]) for key in keys)


def test_a_write_waits_for_another_process_that_writes_into_the_store(
    opened: Callable[[], HouseOlm], tmp_path: Path
) -> None:
    olm = opened()
    other = sqlite3.connect(tmp_path / "crypto.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, other.rollback)
    timer.start()

    with olm.one_transaction():
        olm.store.sql("SELECT number FROM keyhouse_generation")
        olm.store.sql("UPDATE keyhouse_generation SET number = 5")

    timer.join()
    other.close()
    assert opened().store.generation == 5


def test_a_store_that_stays_locked_is_told_in_one_plain_sentence(
    opened: Callable[[], HouseOlm], tmp_path: Path
) -> None:
    olm = opened()
    olm.store.database.timeout = 0.1
    with closing(sqlite3.connect(tmp_path / "crypto.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(MatrixFault, match=r"\(database is locked\).*is started again.*no other program"):
            write_in_told_plainly(olm)


def write_in_told_plainly(olm: HouseOlm) -> None:
    with told_plainly(), olm.one_transaction():
        olm.store.sql("UPDATE keyhouse_generation SET number = 5")
