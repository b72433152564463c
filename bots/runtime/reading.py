"""Turn raw events of the stream into what a bot is handed."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bots.runtime.device_policy import PeoplesDevices
from bots.runtime.olm import MALFORMED, HouseOlm, Unreadable
from bots.runtime.received import (
    Deleted,
    Malformed,
    MemberChanged,
    Message,
    Reaction,
    Received,
    Redaction,
    Undecryptable,
)

_SAYS_NOTHING = frozenset({"m.reaction", "m.room.redaction"})
_SURROGATES = re.compile("[\ud800-\udfff]")


class Reader:
    """Reads the events of all rooms."""

    def __init__(self, olm: HouseOlm, devices: PeoplesDevices) -> None:
        self._olm = olm
        self._devices = devices

    def is_for_bot(self, event: Any) -> bool:
        """Whether the bot is to be handed this raw event.

        Not for it: its own events (but for memberships), state other than memberships, reactions and redactions that
        were emptied, and events without a readable id, which nothing could be said about.
        """
        head = _head(event)
        if head is None:
            return False
        _, sender, kind = head
        if "state_key" in event:
            return kind == "m.room.member" and not _is_emptied(event)
        return sender != self._olm.user_id and not (_is_emptied(event) and kind in _SAYS_NOTHING)

    def read(self, room_id: str, event: Mapping[str, Any]) -> Received:
        """What the bot is handed for one raw event that is for it."""
        head = _head(event)
        if head is None:
            return unreadable_by_anybody(room_id, event)
        event_id, sender, kind = head
        if "state_key" in event:
            return _member_changed(room_id, event, head)
        if _is_emptied(event):
            return _deleted(room_id, event, head)
        sent_at = _sent_at(event.get("origin_server_ts"))
        if sent_at is None or not isinstance(event.get("content"), dict):
            return Malformed(room_id, event_id, sender, kind)
        if kind == "m.room.redaction":
            return _redaction(room_id, event, head, sent_at)
        if kind == "m.room.encrypted":
            return self._decrypted(room_id, event, head, sent_at)
        return _plain(room_id, head, sent_at, kind, event["content"])

    def _decrypted(
        self, room_id: str, event: Mapping[str, Any], head: tuple[str, str, str], sent_at: datetime
    ) -> Received:
        event_id, sender, _ = head
        try:
            decrypted = self._olm.read_room_event(room_id, event)
        except Unreadable as why:
            if why.reason == MALFORMED:
                return Malformed(room_id, event_id, sender, "m.room.encrypted")
            return Undecryptable(room_id, event_id, sender, why.session_id, why.reason)
        kind, content = decrypted.payload.get("type"), without_surrogates(decrypted.payload.get("content"))
        if not isinstance(kind, str) or not isinstance(content, dict):
            return Malformed(room_id, event_id, sender, str(kind) if isinstance(kind, str) else "m.room.encrypted")
        # The relation of an encrypted event stands outside, in the clear, so that the server can group events.
        if "m.relates_to" not in content and "m.relates_to" in event["content"]:
            content = {**content, "m.relates_to": event["content"]["m.relates_to"]}
        device = self._devices.with_keys(sender, decrypted.curve25519, decrypted.ed25519)
        # A room key that somebody passed on says only by their word which device the message is from.
        signed = device.owner_signed if device and decrypted.vouched else None
        return _plain(room_id, head, sent_at, kind, content, True, signed)


def unreadable_by_anybody(room_id: str, event: Mapping[str, Any]) -> Malformed:
    """What the bot is handed for a raw event that nothing can be said about but that it came."""
    return Malformed(room_id, str(event.get("event_id")), str(event.get("sender")), str(event.get("type")))


def without_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which no database or log can write down."""
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {without_surrogates(name): without_surrogates(each) for name, each in value.items()}
    return value


def _head(event: Any) -> tuple[str, str, str] | None:
    if not isinstance(event, dict) or not isinstance(event.get("unsigned", {}), dict):
        return None
    event_id, sender, kind = event.get("event_id"), event.get("sender"), event.get("type")
    if not isinstance(event_id, str) or not isinstance(sender, str) or not isinstance(kind, str):
        return None
    return event_id, sender, kind


def _is_emptied(event: Mapping[str, Any]) -> bool:
    return "redacted_because" in (event.get("unsigned") or {})


def _deleted(room_id: str, event: Mapping[str, Any], head: tuple[str, str, str]) -> Deleted:
    event_id, sender, _ = head
    because = event["unsigned"]["redacted_because"]
    by = because.get("sender") if isinstance(because, dict) else None
    return Deleted(room_id, event_id, sender, by if isinstance(by, str) else "")


def _sent_at(milliseconds: object) -> datetime | None:
    if not isinstance(milliseconds, int):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _plain(
    room_id: str,
    head: tuple[str, str, str],
    sent_at: datetime,
    kind: str,
    content: Mapping[str, Any],
    encrypted: bool = False,
    signed: bool | None = None,
) -> Received:
    event_id, sender, _ = head
    if kind != "m.reaction":
        return Message(room_id, event_id, sender, sent_at, kind, content, encrypted, signed)
    relation = content.get("m.relates_to")
    target, key = (relation.get("event_id"), relation.get("key")) if isinstance(relation, dict) else (None, None)
    if not isinstance(target, str) or not isinstance(key, str):
        return Malformed(room_id, event_id, sender, kind)
    return Reaction(room_id, event_id, sender, target, key, sent_at)


def _redaction(
    room_id: str, event: Mapping[str, Any], head: tuple[str, str, str], sent_at: datetime
) -> Redaction | Malformed:
    # Since room version 11 the target stands in the content; servers still repeat it outside.
    target = event["content"].get("redacts", event.get("redacts"))
    event_id, sender, kind = head
    if not isinstance(target, str):
        return Malformed(room_id, event_id, sender, kind)
    return Redaction(room_id, event_id, sender, target, sent_at)


def _member_changed(room_id: str, event: Mapping[str, Any], head: tuple[str, str, str]) -> MemberChanged | Malformed:
    event_id, sender, kind = head
    content, user_id = event.get("content"), event.get("state_key")
    membership = content.get("membership") if isinstance(content, dict) else None
    if not isinstance(membership, str) or not isinstance(user_id, str):
        return Malformed(room_id, event_id, sender, kind)
    before = (event.get("unsigned") or {}).get("prev_content") or event.get("prev_content")
    previous = before.get("membership") if isinstance(before, dict) else None
    return MemberChanged(
        room_id, user_id, membership, sender, previous if isinstance(previous, str) else None, event_id
    )
