"""Ask for room keys that did not come, and answer when the account's other device asks.

Asked are the sender's device that made the key, and the other devices of the bot's own account (a second watcher).
Source: client-server specification, "Key requests"; what clients answer to it: decision 0007.
"""

import json
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bots.runtime.arrivals import FORWARDED_ROOM_KEY, KEY_REQUEST, MEGOLM
from bots.runtime.clock import Clock
from bots.runtime.device_policy import Device, PeoplesDevices
from bots.runtime.homeserver import Homeserver, path
from bots.runtime.kept_room_keys import export_of, exported_room_key
from bots.runtime.olm import HouseOlm, Missing
from bots.runtime.room_keys import RoomKeys
from bots.runtime.waiting import Waiting, WaitingKind

ASK_AGAIN_AFTER = timedelta(hours=1)
ASK_FOR = timedelta(days=1)
ASKED_AT_ONCE, OPEN_REQUESTS, DEVICES_ASKED = 20, 2000, 20

_TABLE = "keyhouse_key_request"
_MADE = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (room_id TEXT NOT NULL, session_id TEXT NOT NULL, sender TEXT NOT NULL, "
    "curve25519 TEXT, request_id TEXT NOT NULL, devices TEXT NOT NULL, first_asked_at REAL NOT NULL, "
    "asked_at REAL NOT NULL, PRIMARY KEY (room_id, session_id))"
)

MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class Asked:
    """A request that stands. devices: user id and device id of each that was asked."""

    missing: Missing
    request_id: str
    devices: list[tuple[str, str]]
    first_asked_at: float
    asked_at: float


class KeyRequests:
    """The requests of this device that stand, kept over a restart, and those of the account's other devices."""

    def __init__(
        self, homeserver: Homeserver, olm: HouseOlm, devices: PeoplesDevices, room_keys: RoomKeys, clock: Clock
    ) -> None:
        self._homeserver, self._olm, self._devices = homeserver, olm, devices
        self._room_keys, self._clock = room_keys, clock
        self._counts = olm.arrivals.counts
        self._begun_at: dict[str, datetime] = {}
        with olm.one_transaction():
            olm.store.sql(_MADE)

    async def ask(self) -> bool:
        """Ask for what is missing, and again for what did not come within an hour; say whether more is left to ask."""
        asked, missing, now = self._asked(), self._olm.missing, self._clock().timestamp()
        for key in [key for key, each in asked.items() if _was_recent(each, now)]:
            missing.pop(key, None)
        again = {key: each.missing for key, each in asked.items() if not _was_recent(each, now)}
        wanted = list({**again, **missing}.values())[:ASKED_AT_ONCE]
        if not wanted:
            return False
        await self._devices.know({self._olm.user_id, *(each.sender for each in wanted)})
        # First a new Olm session: the answer would come through one that may be what broke.
        self._begin_anew(maker for each in wanted for maker in self._makers(each))
        await self._room_keys.mend()
        for each in wanted:
            key = (each.room_id, each.session_id)
            await self._ask_for(each, asked.get(key))
            missing.pop(key, None)
        return bool(missing)

    async def cancel(self) -> None:
        """Take back the requests for room keys that are here now."""
        for each in self._asked().values():
            missing = each.missing
            if self._olm.kept.of(missing.room_id, missing.session_id):
                body = {"action": "request_cancellation", "request_id": each.request_id}
                await self._send(each.devices, body)
                self._forget(missing)

    async def answer(self) -> None:
        """Give the account's other devices the room keys that they ask for and this one has."""
        asked = self._olm.arrivals.waiting.of(WaitingKind.KEY_REQUEST)
        if not asked:
            return
        await self._devices.know([self._olm.user_id])
        for each in asked:
            await self._answer(each)
            with self._olm.one_transaction():
                self._olm.arrivals.waiting.remove([each])

    async def accept(self) -> None:
        """Keep the room keys that were asked for and passed on, by who may; drop and count all others."""
        passed_on = self._olm.arrivals.waiting.of(WaitingKind.FORWARDED_ROOM_KEY)
        if not passed_on:
            return
        await self._devices.know({self._olm.user_id, *(each.sender for each in passed_on)})
        asked = self._asked()
        with self._olm.one_transaction():
            for each in passed_on:
                try:
                    self._accept(each, asked)
                except MALFORMED:
                    self._counts["forwarded_keys_refused"] += 1
            self._olm.arrivals.waiting.remove(passed_on)

    def _accept(self, forwarded: Waiting, asked: Mapping[tuple[str, str], Asked]) -> None:
        content = forwarded.content
        request = asked.get((content["room_id"], content["session_id"]))
        device = self._devices.with_keys(forwarded.sender, forwarded.curve25519, forwarded.ed25519)
        if request is None or device is None:
            raise ValueError("a room key that nobody asked for, or of an unknown device")
        if forwarded.sender == self._olm.user_id and device.owner_signed:
            ed25519, chain = content["sender_claimed_ed25519_key"], list(content["forwarding_curve25519_key_chain"])
        elif forwarded.sender == request.missing.sender and content["sender_key"] == forwarded.curve25519:
            ed25519, chain = forwarded.ed25519, []
        else:
            raise ValueError("a room key of somebody who did not make it")
        session = exported_room_key(content, ed25519, chain)
        self._olm.kept.keep(session)
        self._olm.arrivals.came(session.room_id, session.id)
        self._counts["forwarded_keys_taken"] += 1

    async def _ask_for(self, missing: Missing, before: Asked | None) -> None:
        asked = (*self._makers(missing), *self._own_others())
        targets = [(each.address.user_id, each.address.device_id) for each in asked]
        request_id = before.request_id if before else uuid.uuid4().hex
        if targets:
            body = {"algorithm": MEGOLM, "room_id": missing.room_id, "session_id": missing.session_id}
            if missing.curve25519 is not None:
                body["sender_key"] = missing.curve25519
            await self._send(targets, {"action": "request", "body": body, "request_id": request_id})
            self._counts["keys_asked_for"] += 1
        now = self._clock().timestamp()
        self._keep(Asked(missing, request_id, targets, before.first_asked_at if before else now, now))

    def _makers(self, missing: Missing) -> list[Device]:
        """The sender's device that made the key; all that the sender has if nobody says which one."""
        if missing.sender == self._olm.user_id:
            return []
        devices = self._devices.of(missing.sender)
        return [each for each in devices if each.address.curve25519 == missing.curve25519] or devices[:DEVICES_ASKED]

    def _own_others(self) -> list[Device]:
        return [
            each
            for each in self._devices.of(self._olm.user_id)
            if each.owner_signed and each.address.device_id != self._olm.device_id
        ]

    def _begin_anew(self, makers: Iterable[Device]) -> None:
        """Let what the makers send come through new Olm sessions; at most once an hour with each device."""
        now = self._clock()
        for address in (each.address for each in makers):
            if (before := self._begun_at.get(address.curve25519)) is None or now - before >= ASK_AGAIN_AFTER:
                self._begun_at[address.curve25519] = now
                self._olm.arrivals.broken_sessions.add((address.user_id, address.curve25519))

    async def _answer(self, asked: Waiting) -> None:
        try:
            room_id, session_id = asked.content["body"]["room_id"], asked.content["body"]["session_id"]
            device = next(
                each.address
                for each in self._own_others()
                if each.address.device_id == asked.content["requesting_device_id"]
            )
            session = self._olm.kept.of(room_id, session_id)[0]
        except (*MALFORMED, StopIteration, IndexError):
            self._counts["key_requests_refused"] += 1
            return
        content = {
            **export_of(session),
            "algorithm": MEGOLM,
            "sender_claimed_ed25519_key": session.ed25519,
            "forwarding_curve25519_key_chain": session.forwarding_chain,
        }
        if await self._room_keys.tell(device, FORWARDED_ROOM_KEY, content):
            self._counts["key_requests_answered"] += 1

    async def _send(self, devices: Collection[tuple[str, str]], content: Mapping[str, Any]) -> None:
        body = {**content, "requesting_device_id": self._olm.device_id}
        messages: dict[str, dict[str, Any]] = {}
        for user_id, device_id in devices:
            messages.setdefault(user_id, {})[device_id] = body
        if messages:
            await self._homeserver.put(path("sendToDevice", KEY_REQUEST, uuid.uuid4().hex), {"messages": messages})

    def _asked(self) -> dict[tuple[str, str], Asked]:
        long_ago = self._clock().timestamp() - ASK_FOR.total_seconds()
        self._olm.store.sql(f"DELETE FROM {_TABLE} WHERE first_asked_at < ?", (long_ago,))  # noqa: S608
        rows = self._olm.store.sql(
            f"SELECT room_id, session_id, sender, curve25519, request_id, devices, first_asked_at, asked_at "  # noqa: S608
            f"FROM {_TABLE} ORDER BY asked_at"
        )
        return {
            (row[0], row[1]): Asked(Missing(*row[:4]), row[4], [(u, d) for u, d in json.loads(row[5])], row[6], row[7])
            for row in rows
        }

    def _keep(self, asked: Asked) -> None:
        missing, devices = asked.missing, json.dumps(asked.devices)
        values = (missing.room_id, missing.session_id, missing.sender, missing.curve25519, asked.request_id, devices)
        with self._olm.one_transaction():
            self._olm.store.sql(
                f"INSERT OR REPLACE INTO {_TABLE} VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*values, asked.first_asked_at, asked.asked_at),
            )
            self._olm.store.sql(
                f"DELETE FROM {_TABLE} WHERE rowid IN "  # noqa: S608
                f"(SELECT rowid FROM {_TABLE} ORDER BY first_asked_at DESC LIMIT -1 OFFSET ?)",
                (OPEN_REQUESTS,),
            )

    def _forget(self, missing: Missing) -> None:
        key = (missing.room_id, missing.session_id)
        self._olm.store.sql(f"DELETE FROM {_TABLE} WHERE room_id = ? AND session_id = ?", key)  # noqa: S608


def _was_recent(asked: Asked, now: float) -> bool:
    return now - asked.asked_at < ASK_AGAIN_AFTER.total_seconds()
