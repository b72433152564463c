"""A thousand malformed events for the device, from strangers and inside Olm messages: every room key arrives."""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vodozemac

from bots.runtime.house_store import HouseStore
from bots.runtime.olm import HouseOlm, OlmAddress
from bots.runtime.to_device import take_to_device
from tests.support import fresh

ROOM = "!room"
CASES, AT_ONCE = 1000, 50


def deep(levels: int) -> Any:
    """A list in a list in a list, so often."""
    inside: Any = "x"
    for _ in range(levels):
        inside = [inside]
    return inside


JUNK: tuple[Callable[[random.Random], Any], ...] = (
    lambda _: None,
    lambda chance: chance.randint(-(2**70), 2**70),
    lambda _: float("nan"),
    lambda _: True,
    lambda _: [],
    lambda _: {},
    lambda _: "",
    lambda _: "%%",
    lambda _: "\0",
    lambda _: "\ud83d",
    lambda _: "\u202e\u2066",
    lambda _: "a" * 65_536,
    lambda _: deep(400),
    lambda chance: {str(number): number for number in range(chance.randint(1, 9))},
    lambda chance: chance.randbytes(chance.randint(1, 90)).hex(),
)


class Peer:
    """Somebody with a device, and an Olm session with the bot's device that has been used before."""

    def __init__(self, directory: Path, bot: HouseOlm) -> None:
        directory.mkdir()
        self._olm = HouseOlm("@alice:x", "ALICE-1", HouseStore("@alice:x", "ALICE-1", str(directory), "k", "crypto.db"))
        self._bot = bot
        bot.account.generate_one_time_keys(1)
        one_time_key = next(iter(bot.account.one_time_keys["curve25519"].values()))
        self._olm.create_session(one_time_key, bot.own.curve25519)
        bot.account.mark_keys_as_published()

    def room_key(self) -> tuple[str, dict[str, Any]]:
        """A new room key as the bot's device gets it, and its session id."""
        session = vodozemac.GroupSession()
        key = {"session_id": session.session_id, "session_key": session.session_key.to_base64()}
        content = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": ROOM, **key}
        own = self._bot.own
        address = OlmAddress(own.user_id, own.device_id, own.ed25519, own.curve25519)
        return session.session_id, self._event(self._olm.encrypt_for(address, "m.room_key", content))

    def sealed(self, text: str) -> dict[str, Any]:
        """Any text inside an Olm message of the session."""
        session = self._olm.session_store.get(self._bot.own.curve25519)
        kind, body = session.encrypt(text).to_parts()
        parts = {"type": kind, "body": base64.b64encode(body).decode().rstrip("=")}
        content = {"algorithm": self._olm._olm_algorithm, "sender_key": self._olm.own.curve25519}
        return self._event({**content, "ciphertext": {self._bot.own.curve25519: parts}})

    def payload(self) -> dict[str, Any]:
        """What stands inside a room key's Olm message."""
        session = vodozemac.GroupSession()
        own, bots = self._olm.own, self._bot.own
        return {
            "sender": own.user_id,
            "sender_device": own.device_id,
            "keys": {"ed25519": own.ed25519},
            "recipient": bots.user_id,
            "recipient_keys": {"ed25519": bots.ed25519},
            "type": "m.room_key",
            "content": {
                "algorithm": "m.megolm.v1.aes-sha2",
                "room_id": ROOM,
                "session_id": session.session_id,
                "session_key": session.session_key.to_base64(),
            },
        }

    def _event(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"type": "m.room.encrypted", "sender": "@alice:x", "content": content}


def spoilt(chance: random.Random, whole: dict[str, Any]) -> dict[str, Any]:
    """The same with one or two places, however deep inside, taken away or replaced by junk."""
    changed: dict[str, Any] = json.loads(json.dumps(whole))
    for _ in range(chance.randint(1, 2)):
        inside = changed
        while True:
            name = chance.choice(list(inside))
            if isinstance(inside[name], dict) and inside[name] and chance.random() < 0.8:
                inside = inside[name]
                continue
            break
        if chance.random() < 0.3:
            del inside[name]
        else:
            inside[name] = chance.choice(JUNK)(chance)
        if not inside:
            break
    return changed


def malformed(chance: random.Random, peer: Peer) -> Any:
    """One event as no honest client sends it."""
    withheld = {
        "type": chance.choice(["m.room_key.withheld", "m.room_key_request", "m.forwarded_room_key"]),
        "sender": "@stranger:x",
        "content": {"room_id": ROOM, "session_id": "s", "code": "m.unverified", "action": "request", "body": {}},
    }
    match chance.randint(0, 3):
        case 0:
            return chance.choice(JUNK)(chance)
        case 1:
            return spoilt(chance, peer.sealed("{}"))
        case 2:
            return spoilt(chance, withheld)
        case _:
            return peer.sealed(json.dumps(spoilt(chance, peer.payload())))


@pytest.fixture
def bot(tmp_path: Path) -> HouseOlm:
    """The machine of a bot's device, in one room."""
    olm = HouseOlm("@bot:x", "WATCHER-1", HouseStore("@bot:x", "WATCHER-1", str(tmp_path), "k", "crypto.db"))
    olm.arrivals.enter_rooms([ROOM])
    return olm


def test_among_a_thousand_malformed_events_no_room_key_is_lost(bot: HouseOlm, tmp_path: Path) -> None:
    chance, counts = random.Random(fresh.SEED), Counter[str]()
    peer = Peer(tmp_path / "alice", bot)
    keys: list[str] = []

    for _ in range(CASES // AT_ONCE):
        events = [malformed(chance, peer) for _ in range(AT_ONCE)]
        session_id, event = peer.room_key()
        keys.append(session_id)
        events.insert(chance.randint(0, AT_ONCE), event)
        take_to_device(bot, events, counts)

    assert [key for key in keys if not bot.kept.of(ROOM, key)] == []
    # Some spoilt places are ones that nobody reads.
    assert counts["to_device_malformed"] > CASES / 2
    again = HouseOlm("@bot:x", "WATCHER-1", HouseStore("@bot:x", "WATCHER-1", str(tmp_path), "k", "crypto.db"))
    assert [key for key in keys if not again.kept.of(ROOM, key)] == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"type": "m.room.encrypted", "sender": "@a:x", "content": {}}, id="nothing inside"),
        pytest.param({"type": "m.room.encrypted", "content": {"algorithm": deep(400)}}, id="deep"),
    ],
)
def test_a_malformed_event_is_counted(bot: HouseOlm, event: Any) -> None:
    counts = Counter[str]()

    take_to_device(bot, [event], counts)

    assert counts["to_device_malformed"] == 1
