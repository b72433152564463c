"""What an event of a person may hold where Synapse can read it: which types are carried, and which keys stay."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeGuard

from keyhouse.core.signs import is_one_sign
from keyhouse.core.verdict import Reason, Refused

Content = Mapping[str, Any]

MESSAGE = "m.room.message"
ENCRYPTED = "m.room.encrypted"
REACTION = "m.reaction"
REDACTION = "m.room.redaction"
_STEPS_OF_VERIFYING = ("request", "ready", "start", "accept", "key", "mac", "done", "cancel")
VERIFICATION = frozenset(f"m.key.verification.{step}" for step in _STEPS_OF_VERIFYING)
"""Exactly these: a type of one's own making would carry words, past every rule."""
NOTHING_SAID = "org.matrix.dummy_event"
"""By which Synapse itself, in anybody's name, ties the threads of a room together; clients never show it."""
RELATION = "m.relates_to"
NEW_CONTENT = "m.new_content"

MEGOLM = "m.megolm.v1.aes-sha2"
HTML = "org.matrix.custom.html"
WORDS_ALONE = frozenset({"m.text", "m.emote", "m.notice"})
"""The only sorts of plain message that are carried."""

LONGEST_REACTION = 64
MOST_MENTIONS = 100

_NOT_CARRIED = Refused(Reason.NOT_CARRIED)

_EVENT_ID = re.compile(r"\$[A-Za-z0-9_-]{43}")
_USER_ID = re.compile(r"@[!-~]{1,254}")
_TOKEN = re.compile(r"[A-Za-z0-9_.:=/+-]{1,255}")
_CIPHERTEXT = re.compile(r"[A-Za-z0-9+/=_-]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TAG = re.compile(r"<\s*[/!?]?\s*([^\s/>]*)")
# What Matrix recommends for clients, without pictures.
_SAFE_TAG = re.compile(
    "del|h[1-6]|blockquote|p|a|ul|ol|su[bp]|li|b|i|u|strong|em|s|strike|code|hr|br|div|table|thead|tbody|tr|th|td|"
    "caption|pre|span|details|summary|font|mx-reply"
)
_PICTURE_ADDRESS = "mxc:"
_RELATIONS = frozenset({"m.thread", "m.replace", "m.reference"})
_VERIFYING_KEY = re.compile(
    "from_device|methods?|hash(?:es)?|key_agreement_protocols|message_authentication_codes|"
    "short_authentication_string|commitment|keys?|mac|code|transaction_id"
)


class Act(StrEnum):
    """What somebody does by an event in a room.

    verifying: two devices of people make sure of each other.  nothing: Synapse mends the room in somebody's name.
    """

    WORDS = "words"
    REACTION = "reaction"
    TAKING_BACK = "taking_back"
    VERIFYING = "verifying"
    NOTHING = "nothing"


_ACTS = {REACTION: Act.REACTION, REDACTION: Act.TAKING_BACK, NOTHING_SAID: Act.NOTHING}


def act_of(event_type: str) -> Act:
    """Say what somebody does by an event of this type; what is not carried at all counts as words."""
    if event_type in VERIFICATION:
        return Act.VERIFYING
    return _ACTS.get(event_type, Act.WORDS)


def carried(event_type: str, content: Content, *, read_only: bool) -> Content | Refused:
    """Return what stays of the content of somebody's event; what no key of ours names is left out, not refused.

    read_only: only the house writes there, and people react by a sign.  Refused is what is not listed, and what is
    listed but not made as Matrix says: pictures, files, voice, stickers, places, calls. State events are not checked
    here.
    """
    match act_of(event_type):
        case Act.TAKING_BACK:
            return _redaction(content)
        case Act.REACTION:
            return _reaction(content, read_only=read_only)
        case Act.VERIFYING:
            return _verification(content)
        case Act.NOTHING:
            return {}
        case Act.WORDS:
            reduce = {MESSAGE: _message, ENCRYPTED: _encrypted}.get(event_type)
            return reduce(content) if reduce else _NOT_CARRIED


def _message(content: Content) -> Content | Refused:
    words = _words(content)
    if isinstance(words, Refused) or NEW_CONTENT not in content:
        return words
    edited = content[NEW_CONTENT]
    new = _words(edited) if isinstance(edited, Mapping) else _NOT_CARRIED
    if isinstance(new, Refused):
        return new
    return {**words, NEW_CONTENT: {key: value for key, value in new.items() if key != RELATION}}


def _words(content: Content) -> Content | Refused:
    msgtype, body = content.get("msgtype"), content.get("body")
    if not isinstance(msgtype, str) or msgtype not in WORDS_ALONE or not _is_text(body):
        return _NOT_CARRIED
    return {"msgtype": msgtype, "body": body, **_format(content), **_mentions(content), **_relation(content)}


def _format(content: Content) -> Content:
    html = content.get("formatted_body")
    if content.get("format") != HTML or not _is_text(html) or not _is_without_pictures(html):
        return {}
    return {"format": HTML, "formatted_body": html}


def _is_without_pictures(html: str) -> bool:
    return all(_fits(tag.lower(), _SAFE_TAG) for tag in _TAG.findall(html))


def _mentions(content: Content) -> Content:
    told = content.get("m.mentions")
    if not isinstance(told, Mapping):
        return {}
    named = told.get("user_ids")
    names = [name for name in named if _fits(name, _USER_ID)][:MOST_MENTIONS] if isinstance(named, list | tuple) else []
    room = {"room": True} if told.get("room") is True else {}
    return {"m.mentions": {**({"user_ids": names} if names else {}), **room}}


def _relation(content: Content) -> Content:
    told = content.get(RELATION)
    if not isinstance(told, Mapping):
        return {}
    kept: dict[str, Any] = {}
    kind = told.get("rel_type")
    if isinstance(kind, str) and kind in _RELATIONS and _fits(told.get("event_id"), _EVENT_ID):
        kept = {"rel_type": kind, "event_id": told["event_id"]}
    if isinstance(told.get("is_falling_back"), bool):
        kept["is_falling_back"] = told["is_falling_back"]
    answered = told.get("m.in_reply_to")
    if isinstance(answered, Mapping) and _fits(answered.get("event_id"), _EVENT_ID):
        kept["m.in_reply_to"] = {"event_id": answered["event_id"]}
    return {RELATION: kept} if kept else {}


def _encrypted(content: Content) -> Content | Refused:
    session, ciphertext = content.get("session_id"), content.get("ciphertext")
    # Another algorithm is one that the watcher cannot read: it would look like silence.
    if content.get("algorithm") != MEGOLM or not _fits(session, _TOKEN) or not _fits(ciphertext, _CIPHERTEXT):
        return _NOT_CARRIED
    device = {key: content[key] for key in ("sender_key", "device_id") if _fits(content.get(key), _TOKEN)}
    return {"algorithm": MEGOLM, "ciphertext": ciphertext, "session_id": session, **device, **_relation(content)}


def _redaction(content: Content) -> Content | Refused:
    # The reason that a client may ask for would stand there in clear, for ever.
    return {"redacts": content["redacts"]} if _fits(content.get("redacts"), _EVENT_ID) else _NOT_CARRIED


def _reaction(content: Content, *, read_only: bool) -> Content | Refused:
    told = content.get(RELATION)
    if not isinstance(told, Mapping) or told.get("rel_type") != "m.annotation":
        return _NOT_CARRIED
    key, event = told.get("key"), told.get("event_id")
    if not _fits(event, _EVENT_ID) or not _is_text(key) or not _is_reaction(key):
        return _NOT_CARRIED
    if read_only and not is_one_sign(key):
        return _NOT_CARRIED
    return {RELATION: {"rel_type": "m.annotation", "event_id": event, "key": key}}


def _is_reaction(key: str) -> bool:
    return 0 < len(key) <= LONGEST_REACTION and not key.lower().lstrip().startswith(_PICTURE_ADDRESS)


def _verification(content: Content) -> Content | Refused:
    kept = {key: told for key, told in content.items() if _VERIFYING_KEY.fullmatch(key) and _is_of_tokens(told)}
    return {**kept, **_relation(content)}


def _is_of_tokens(value: object) -> bool:
    if isinstance(value, Mapping):
        return len(value) <= 64 and all(_fits(part, _TOKEN) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return len(value) <= 64 and all(_fits(part, _TOKEN) for part in value)
    return _fits(value, _TOKEN)


def _fits(value: object, pattern: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: object) -> TypeGuard[str]:
    # Half a letter of two halves cannot be written down, so nobody could ever read it.
    return isinstance(value, str) and _LONE_SURROGATE.search(value) is None
