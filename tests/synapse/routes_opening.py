"""Ways by which a room would be opened to strangers: closed for everybody, whatever they may do otherwise."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.synapse import Answer
from tests.synapse.routes_outcomes import ALLOWED, PEOPLE_INSIDE_CHANGE_NOTHING, WOULD_OPEN, Outcome, Part, Route
from tests.synapse.routes_setting import Setting, Who

Asks = Callable[[Setting, Who], Awaitable[Answer]]


def changes(event_type: str, content: dict[str, Any], key: str = "") -> Asks:
    """Change the room in which people talk, with every power in it."""

    async def ask(setting: Setting, who: Who) -> Answer:
        return await setting.house.send_state(setting.people[who], await setting.talk(), event_type, content, key)

    return ask


def _makes(**request: Any) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        return await setting.create(who, **request)

    return ask


def _with_state(event_type: str, **content: str) -> Asks:
    async def ask(setting: Setting, who: Who) -> Answer:
        return await setting.create(who, more_state=[{"type": event_type, "content": content}])

    return ask


_FOR_NOBODY: dict[Who, Outcome] = {**PEOPLE_INSIDE_CHANGE_NOTHING, Who.SERVICE: WOULD_OPEN, Who.CARETAKER: WOULD_OPEN}
_FOR_THE_HOUSE: dict[Who, Outcome] = {**PEOPLE_INSIDE_CHANGE_NOTHING, Who.SERVICE: ALLOWED, Who.CARETAKER: ALLOWED}
# Synapse counts the rooms that a person asks for, also the refused ones, so people ask for few.
_HOUSE_ALONE: dict[Who, Outcome] = {Who.SERVICE: WOULD_OPEN, Who.CARETAKER: WOULD_OPEN}
_STAYS_CLOSED, _MADE_CLOSED = "set the join rule to invite", "make a room"


def _opening(name: str, asks: Asks, twin: str = _STAYS_CLOSED) -> Route:
    return Route(Part.OPENING, name, asks, _FOR_NOBODY, twin)


def _made_open(name: str, asks: Asks) -> Route:
    return Route(Part.OPENING, name, asks, _HOUSE_ALONE, _MADE_CLOSED)


def _join_rule(rule: str) -> Asks:
    content: dict[str, Any] = {"join_rule": rule}
    if "restricted" in rule:
        content["allow"] = [{"type": "m.room_membership", "room_id": "!space"}]
    return changes("m.room.join_rules", content)


def _history(visibility: str) -> Asks:
    return changes("m.room.history_visibility", {"history_visibility": visibility})


OPENING = [
    *(_opening(f"set the join rule to {rule}", _join_rule(rule))
      for rule in ("public", "knock", "restricted", "knock_restricted")),
    Route(Part.OPENING, _STAYS_CLOSED, _join_rule("invite"), _FOR_THE_HOUSE),
    *(_opening(f"set the history to {visibility}", _history(visibility), "set the history to joined")
      for visibility in ("world_readable", "invited")),
    Route(Part.OPENING, "set the history to joined", _history("joined"), _FOR_THE_HOUSE),
    _opening("let guests in", changes("m.room.guest_access", {"guest_access": "can_join"}), "keep guests out"),
    Route(Part.OPENING, "keep guests out", changes("m.room.guest_access", {"guest_access": "forbidden"}),
          _FOR_THE_HOUSE),
    _made_open("make a room of the preset public_chat", _makes(preset="public_chat")),
    _made_open("make a room that stands in the directory", _makes(visibility="public")),
    _made_open("make a public room", _with_state("m.room.join_rules", join_rule="public")),
    _made_open("make a room that is read by the world",
               _with_state("m.room.history_visibility", history_visibility="world_readable")),
    _made_open("make a room for guests", _with_state("m.room.guest_access", guest_access="can_join")),
    _made_open("make an encrypted room whose past is read by newcomers",
               _with_state("m.room.encryption", algorithm="m.megolm.v1.aes-sha2")),
]  # fmt: skip
