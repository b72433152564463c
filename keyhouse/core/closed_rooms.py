"""No room of the house is open to strangers: who may read is not asked, so rooms are closed when they are made."""

from collections.abc import Iterator, Mapping
from typing import Any

from keyhouse.core.room_state import ENCRYPTION, GUESTS, HISTORY, JOIN_RULES
from keyhouse.core.verdict import Allowed, Reason, Refused, Verdict

Content = Mapping[str, Any]

_PRESETS = (None, "private_chat", "trusted_private_chat")

# What Synapse writes into a private room where the request says nothing of it.
_PRESET_STATE: Mapping[str, Content] = {
    JOIN_RULES: {"join_rule": "invite"},
    HISTORY: {"history_visibility": "shared"},
    GUESTS: {"guest_access": "can_join"},
}


def stays_closed(event_type: str, content: Content, beside: Mapping[str, Content]) -> Verdict:
    """Decide whether a room stays closed to strangers when this state event is set, whoever sets it.

    beside: the room's other state events with an empty state key, by type; what is not in it is not set.
    """
    match event_type:
        case "m.room.join_rules":
            closed = content.get("join_rule") == "invite"
        case "m.room.guest_access":
            closed = content.get("guest_access") == "forbidden"
        case "m.room.history_visibility":
            allowed = ("joined",) if ENCRYPTION in beside else ("joined", "shared")
            closed = content.get("history_visibility") in allowed
        case "m.room.encryption":
            readable_before = HISTORY in beside and beside[HISTORY].get("history_visibility") != "joined"
            closed = content.get("algorithm") == "m.megolm.v1.aes-sha2" and not readable_before
        case _:
            closed = True
    return Allowed() if closed else Refused(Reason.ROOM_WOULD_OPEN)


def is_born_closed(request: Mapping[str, Any]) -> Verdict:
    """Decide whether a room that is asked for is closed to strangers from the beginning.

    request: the body of createRoom, or what Synapse makes of an upgrade; any field may be of any type.
    """
    if request.get("visibility", "private") != "private" or request.get("preset") not in _PRESETS:
        return Refused(Reason.ROOM_WOULD_OPEN)
    try:
        state = {**_PRESET_STATE, **dict(_initial_state(request))}
    except (TypeError, KeyError, AttributeError):
        return Refused(Reason.ROOM_WOULD_OPEN)
    verdicts = (stays_closed(event_type, content, state) for event_type, content in state.items())
    return next((verdict for verdict in verdicts if isinstance(verdict, Refused)), Allowed())


def _initial_state(request: Mapping[str, Any]) -> Iterator[tuple[str, Content]]:
    for event in request.get("initial_state", ()):
        if event.get("state_key", "") == "":
            # A content that is no mapping has no key to look at, and is refused by the one who asked for the pairs.
            yield event["type"], {**event["content"]}
