"""Requests with a hostile value in each field that a client controls, one field at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.support.house_with_door import CLIENT, NO_GUESTS


def _deep(levels: int = 300) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"x": [value]}
    return value


VALUES: dict[str, Any] = {
    "nothing": None,
    "a number": 7,
    "a huge number": 10**400,
    "a fraction": 0.5,
    "a list": [],
    "an object": {},
    "a list of wrong things": [None, 7, [[]], {"x": 1}, "@a:b"],
    "huge": "x" * 70_000,
    "deep": _deep(),
    "NUL": "a\0b",
    "turned around": "\u202egnp.redaer\u202c@\u2067",
    "look-alike": "\u0440\u0430tient",
    "half a character": "\ud800x",
}
PATHS = {"NUL": "%00", "half a character": "%ED%A0%80", "not UTF-8": "%FF", "slashes": "%2F..%2F..", "huge": "x" * 3000,
         "turned around": quote("\u202ex"), "look-alike": quote("\u0440\u0430")}  # fmt: skip

OTHER = "@{other}"
"""In the place of the user id of somebody else in the room."""

ROOM_FIELDS = ("preset", "visibility", "room_version", "name", "topic", "invite", "invite_3pid", "initial_state",
               "creation_content", "power_level_content_override", "room_alias_name", "is_direct")  # fmt: skip
OPENING_FIELDS = ("preset", "visibility", "room_version", "initial_state", "creation_content")
STATE_FIELDS = {
    "m.room.join_rules": "join_rule",
    "m.room.history_visibility": "history_visibility",
    "m.room.guest_access": "guest_access",
    "m.room.encryption": "algorithm",
    "m.room.power_levels": "users",
    "m.room.name": "name",
    "x.own": "x",
}
LOGIN_FIELDS = ("type", "identifier", "password", "device_id", "initial_device_display_name")


@dataclass(frozen=True)
class Hostile:
    """One request. path: with places for {room}, where the sender is, and {me}, the sender."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None


def by_a_person() -> Iterator[Hostile]:
    """What a person could ask with a hostile value in it."""
    for what, value in VALUES.items():
        for field in ("reason", "third_party_signed"):
            yield Hostile(f"join, {field} {what}", "POST", f"{CLIENT}/join/{{room}}", {field: value})
        for act in ("invite", "kick", "ban", "unban"):
            yield Hostile(f"{act}, user {what}", "POST", f"{CLIENT}/rooms/{{room}}/{act}", {"user_id": value})
            reasoned = {"user_id": OTHER, "reason": value}
            yield Hostile(f"{act}, reason {what}", "POST", f"{CLIENT}/rooms/{{room}}/{act}", reasoned)
        yield Hostile(f"invite, user around {what}", "POST", f"{CLIENT}/rooms/{{room}}/invite",
                      {"user_id": f"@{value}:keyhouse.test" if isinstance(value, str) else value})  # fmt: skip
        yield Hostile(f"knock, reason {what}", "POST", f"{CLIENT}/knock/{{room}}", {"reason": value})
        for field in ("membership", "displayname", "avatar_url", "x"):
            own = {"membership": "join", field: value}
            yield Hostile(f"own membership, {field} {what}", "PUT", _state("m.room.member/{me}"), own)
        yield Hostile(f"upgrade to {what}", "POST", f"{CLIENT}/rooms/{{room}}/upgrade", {"new_version": value})
        yield from _of_rooms(what, value)
    for what, path in PATHS.items():
        yield Hostile(f"join a room {what}", "POST", f"{CLIENT}/join/{path}", {})
        yield Hostile(f"join a room of ours and {what}", "POST", f"{CLIENT}/join/!{path}:keyhouse.test", {})
        yield Hostile(f"set state of type {what}", "PUT", _state(f"{path}/"), {})
        yield Hostile(f"set state under key {what}", "PUT", _state(f"m.room.name/{path}"), {})
        yield Hostile(f"set membership of {what}", "PUT", _state(f"m.room.member/@{path}:keyhouse.test"),
                      {"membership": "join"})  # fmt: skip


def by_the_house() -> Iterator[Hostile]:
    """The same of what only the house may ask, in which a hostile value could come from another's hand."""
    for what, value in VALUES.items():
        # Synapse copies a request for its modules and fails at one that is nested too deep; people never get so far.
        yield from _of_rooms(what, value, OPENING_FIELDS if what != "deep" else ())
        yield Hostile(f"upgrade to {what}", "POST", f"{CLIENT}/rooms/{{room}}/upgrade",
                      {"new_version": "12", "additional_creators": value})  # fmt: skip


def without_a_name(password: str) -> Iterator[Hostile]:
    """What somebody could ask who has not come in yet."""
    for what, value in VALUES.items():
        for field in ("username", "password", "initial_device_display_name", "device_id", "auth", "inhibit_login"):
            yield Hostile(
                f"register, {field} {what}", "POST", f"{CLIENT}/register", {"password": password, field: value}
            )
        for field in ("token", "session", "type"):
            auth = {"type": "m.login.registration_token", "token": "x", field: value}
            yield Hostile(f"register, auth's {field} {what}", "POST", f"{CLIENT}/register", {"auth": auth})
        whole = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": "nobody"}, "password": "x"}
        for field in LOGIN_FIELDS:
            # Synapse by itself never answers: its refusal repeats the half character and cannot be written out.
            if (field, what) == ("type", "half a character"):
                continue
            yield Hostile(f"log in, {field} {what}", "POST", f"{CLIENT}/login", {**whole, field: value})
        user = {"identifier": {"type": "m.id.user", "user": value}}
        yield Hostile(f"log in, user {what}", "POST", f"{CLIENT}/login", {**whole, **user})


def _of_rooms(what: str, value: Any, fields: Sequence[str] = ROOM_FIELDS) -> Iterator[Hostile]:
    for field in fields:
        request = {"preset": "private_chat", "initial_state": NO_GUESTS, field: value}
        yield Hostile(f"make a room, {field} {what}", "POST", f"{CLIENT}/createRoom", request)
    for event_type, field in STATE_FIELDS.items():
        yield Hostile(f"set {field} to {what}", "PUT", _state(f"{event_type}/"), {field: value})


def _state(rest: str) -> str:
    return f"{CLIENT}/rooms/{{room}}/state/{rest}"
