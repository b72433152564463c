"""Drive the independent client (matrix-js-sdk under Node, the code of Element) from a test."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from tests.support.client_process import ClientProcess


@dataclass(frozen=True)
class Seen:
    """One event as the client shows it.

    decrypt_state: plain, ok, failed or pending.  failure: why it could not be read, else None.
    shield: what Element would draw beside it: NONE, GREY or RED; None if it is not encrypted or not readable.
    seq: place in this client's order of arrival.  raw: everything the client told.
    """

    event_id: str
    room: str
    sender: str
    type: str
    content: dict[str, Any]
    encrypted: bool
    decrypt_state: str
    failure: str | None
    shield: str | None
    seq: int
    raw: dict[str, Any]

    @property
    def body(self) -> str:
        """The plain text; empty if there is none."""
        return str(self.content.get("body", ""))

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Self:
        """Read what the client told about one event."""
        shield = (raw.get("shield") or {}).get("colour")
        plain = {
            name: raw[name] for name in ("event_id", "room", "sender", "type", "encrypted", "decrypt_state", "seq")
        }
        return cls(**plain, content=raw["content"] or {}, failure=raw["failure"], shield=shield, raw=raw)


class Client:
    """One logged-in device of one account, as strict as Element is becoming: it believes cross-signed devices alone."""

    def __init__(self, node: ClientProcess, name: str, account: dict[str, Any]) -> None:
        self._node = node
        self.name = name
        self.homeserver: str = account["homeserver"]
        self.user_id: str = account["user_id"]
        self.device_id: str = account["device_id"]
        self.access_token: str = account["access_token"]
        self.password: str | None = account.get("password")
        self.cross_signing_ready: bool = account["cross_signing_ready"]

    async def command(self, command: str, *, timeout: float = 30, **arguments: Any) -> Any:
        """Anything that client.mjs knows and that has no method here; None means not given."""
        given = {name: value for name, value in arguments.items() if value is not None}
        return await self._node.tell(self.name, command, timeout, given)

    async def request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A raw client-server call with this client's token; raises ClientRefusedError with status and errcode."""
        answer: dict[str, Any] = await self.command("request", method=method, path=path, body=body)
        return answer

    # Rooms

    async def create_room(self, name: str, invite: Sequence[str] = (), encrypted: bool = True, **more: Any) -> str:
        """Make a room, wait until it is synced, give its id."""
        made = await self.command("create_room", name=name, invite=list(invite), encrypted=encrypted, **more)
        return str(made["room"])

    async def join(self, room: str, timeout: float = 30) -> None:
        """Join, and wait until the sync shows it."""
        await self.command("join", room=room, timeout=timeout)

    async def leave(self, room: str) -> None:
        """Leave a room."""
        await self.command("leave", room=room)

    async def invite(self, room: str, user: str) -> None:
        """Invite somebody."""
        await self.command("invite", room=room, user=user)

    async def kick(self, room: str, user: str) -> None:
        """Remove somebody."""
        await self.command("kick", room=room, user=user)

    async def rooms(self) -> list[dict[str, Any]]:
        """Every room this client knows: room, name, membership, encrypted."""
        known: list[dict[str, Any]] = await self.command("rooms")
        return known

    async def members(self, room: str, membership: str | None = None) -> list[dict[str, Any]]:
        """Who is in the room: user, membership, name, power."""
        known: list[dict[str, Any]] = await self.command("members", room=room, membership=membership)
        return known

    async def state(self, room: str, type: str, key: str = "") -> dict[str, Any] | None:
        """One piece of the room's state; None if there is none."""
        content: dict[str, Any] | None = (await self.command("state", room=room, type=type, key=key))["content"]
        return content

    async def wait_invite(self, room: str | None = None, sender: str | None = None, timeout: float = 30) -> str:
        """Wait for an invitation that nobody has answered, give the room's id."""
        return str((await self.command("wait_invite", room=room, timeout=timeout, **_from(sender)))["room"])

    async def wait_member(self, room: str, user: str, membership: str = "join", timeout: float = 30) -> None:
        """Wait until the sync shows somebody's membership; "none" for a room or person never heard of."""
        await self.command("wait_member", room=room, user=user, membership=membership, timeout=timeout)

    # Writing

    async def send(self, room: str, text: str, **more: Any) -> str:
        """Send a text, give its event id; more: html, reply_to, thread, mentions, msgtype, extra."""
        return str((await self.command("send", room=room, text=text, **more))["event_id"])

    async def send_event(self, room: str, type: str, content: dict[str, Any]) -> str:
        """Send any event, encrypted where the room is; give its event id."""
        return str((await self.command("send_event", room=room, type=type, content=content))["event_id"])

    async def edit(self, room: str, event_id: str, text: str) -> str:
        """Replace a text of one's own; give the edit's own event id."""
        return str((await self.command("edit", room=room, event_id=event_id, text=text))["event_id"])

    async def react(self, room: str, event_id: str, key: str) -> str:
        """Put a reaction on an event; give the reaction's event id."""
        return str((await self.command("react", room=room, event_id=event_id, key=key))["event_id"])

    async def redact(self, room: str, event_id: str) -> None:
        """Take an event back."""
        await self.command("redact", room=room, event_id=event_id)

    # Reading

    async def wait_message(
        self,
        room: str | None = None,
        sender: str | None = None,
        contains: str | None = None,
        timeout: float = 30,
        **more: Any,
    ) -> Seen:
        """Wait for a readable message and give it; each is given once.

        more: regex, type, msgtype, event_id, relates_to, rel_type, after_seq, allow_failed (also unreadable ones).
        With after_seq or event_id the same message is given again.
        """
        told = {"room": room, "contains": contains, **_from(sender), **more}
        return Seen.of(await self.command("wait_message", timeout=timeout, **told))

    async def wait_unreadable(self, room: str, event_id: str | None = None, timeout: float = 30) -> Seen:
        """Wait for an event that this client could not decrypt."""
        told = await self.command("wait_decryption_failure", room=room, event_id=event_id, timeout=timeout)
        return Seen.of(told)

    async def mark(self) -> int:
        """The number of events so far, for `after_seq`."""
        return int((await self.command("mark"))["seq"])

    async def events(self, room: str | None = None, after_seq: int | None = None, **more: Any) -> list[Seen]:
        """What arrived so far, at most the last 50; more as in wait_message, and limit."""
        told = await self.command("events", room=room, after_seq=after_seq, **more)
        return [Seen.of(raw) for raw in told]

    # Devices

    async def wait_device(self, user: str, device: str, signed: bool = False, timeout: float = 30) -> dict[str, Any]:
        """Wait until this client knows a device, or that its owner signed it; gives signed_by_owner, verified, …"""
        told = {"user": user, "device": device, "signed": signed}
        trust: dict[str, Any] = await self.command("wait_device", timeout=timeout, **told)
        return trust

    async def lose_key_questions(self) -> None:
        """Get no answer any more when asking for anybody's devices, as on a bad network; all else goes on."""
        await self.command("lose_key_questions")

    async def believe_unsigned(self) -> None:
        """Stop being strict, as older clients are: send to and believe devices that nobody has signed."""
        await self.command("strict", mode="all")

    async def set_up_recovery(self) -> str:
        """Keep the signing keys on the server under a recovery key, as Element offers; give that key."""
        return str((await self.command("bootstrap_recovery", timeout=60))["recovery_key"])

    async def go_offline(self) -> None:
        """Lose the network, as a phone does; everything that this client sends now fails or waits."""
        await self.command("go_offline")

    async def come_back(self, timeout: float = 30) -> None:
        """Have the network again, and wait until everything missed is synced."""
        await self.command("come_back", timeout=timeout)

    async def stop(self) -> None:
        """End this client; its keys are gone."""
        await self.command("stop")


class Clients:
    """Makes the clients of one test; their names say which test they belong to."""

    def __init__(self, node: ClientProcess, test: str) -> None:
        self._node = node
        self._test = test
        self._numbers = itertools.count(1)
        self._made: list[Client] = []

    async def register_with_code(self, homeserver: str, code: str, timeout: float = 60, **more: Any) -> Client:
        """Register as a patient does, with a code; more: username, password, bootstrap, strict."""
        return await self._make("register", homeserver, timeout, {"token": code, **more})

    async def register(self, homeserver: str, shared_secret: str, timeout: float = 60, **more: Any) -> Client:
        """Register past every rule; more: username, password, admin, bootstrap (False: an unsigned device), strict."""
        return await self._make("register", homeserver, timeout, {"shared_secret": shared_secret, **more})

    async def log_in(self, homeserver: str, user: str, password: str, timeout: float = 60, **more: Any) -> Client:
        """Log a new device in; more: recovery_key (signs it), bootstrap (False: stays unsigned), strict, device_id."""
        return await self._make("login", homeserver, timeout, {"user": user, "password": password, **more})

    async def stop(self) -> None:
        """End every client made here that still runs."""
        running = (await self._node.tell("", "ping", 30, {}))["clients"]
        for client in self._made:
            if client.name in running:
                await client.stop()

    async def refused_network(self) -> list[str]:
        """Addresses that a client asked for and did not get, because they are not a homeserver on this machine."""
        refused: list[str] = (await self._node.tell("", "ping", 30, {}))["blocked_network"]
        return refused

    async def _make(self, command: str, homeserver: str, timeout: float, arguments: dict[str, Any]) -> Client:
        name = f"{self._test}#{next(self._numbers)}"
        account = await self._node.tell(name, command, timeout, {"hs": homeserver, **arguments})
        client = Client(self._node, name, {"password": arguments.get("password"), **account, "homeserver": homeserver})
        self._made.append(client)
        return client


def _from(sender: str | None) -> dict[str, Any]:
    # The client's word for the sender is a keyword in Python.
    return {"from": sender}
