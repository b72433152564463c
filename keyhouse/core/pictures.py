"""Which events show a picture, or anything else by which somebody could be known: those are taken away again."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

_KINDS = frozenset(
    {
        *("m.image", "m.file", "m.audio", "m.voice", "m.video", "m.sticker", "m.location", "m.gallery"),
        *("m.beacon", "m.beacon_info", "org.matrix.msc3672.beacon", "org.matrix.msc3672.beacon_info"),
        *(
            "org.matrix.msc1767.image",
            "org.matrix.msc1767.file",
            "org.matrix.msc1767.audio",
            "org.matrix.msc1767.video",
        ),
        *("org.matrix.msc3245.voice.v2", "org.matrix.msc3488.location", "dm.filament.gallery"),
    }
)
"""Types of events, and of the messages within m.room.message, with the names they had before they were agreed on."""

_CALLS = ("m.call.", "org.matrix.call.", "org.matrix.msc3401.call", "m.rtc.", "org.matrix.msc4075.")
_IMAGE_TAG = re.compile("<(?:img|image)", re.IGNORECASE)
_CARRIES_A_PICTURE = re.compile(r"src=[\"']?(?:mxc|data):", re.IGNORECASE)
_ADDRESS = "mxc:"
_UNSEEN = re.compile(r"[\s\x00-\x1f]+")
_NAMES_OF_ONES_OWN = ("com.beeper.per_message_profile", "m.per_message_profile")
"""By which a message asks some clients to show another name and face beside it: the team's, or somebody's real one."""


def shows_a_picture(kind: str, content: Mapping[str, Any]) -> bool:
    """Say whether an event shows a picture, a file, a voice, a sticker, a place or a face, or is part of a call.

    Also inside of formatted text, and in what an edit puts in place of something else. Any field may be of any type.
    """
    if kind in _KINDS or kind.startswith(_CALLS):
        return True
    return any(_is_one(shown) for shown in _shown(content))


def reacts_with_a_picture(key: str) -> bool:
    """Say whether a reaction is the address of a picture, which some clients show in place of a sign."""
    return key.lstrip()[: len(_ADDRESS)].lower() == _ADDRESS


def _shown(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield content
    edited = content.get("m.new_content")
    if isinstance(edited, Mapping):
        yield edited


def _is_one(content: Mapping[str, Any]) -> bool:
    msgtype, formatted = content.get("msgtype"), content.get("formatted_body")
    if (isinstance(msgtype, str) and msgtype in _KINDS) or any(name in content for name in _NAMES_OF_ONES_OWN):
        return True
    return isinstance(formatted, str) and _draws(formatted)


def _draws(html: str) -> bool:
    """Say whether a picture's address stands anywhere behind the beginning of an image tag.

    Where the tag ends is not asked: in quotes it may hold anything. Spaces and entities hide nothing.
    """
    tag = _IMAGE_TAG.search(html)
    return tag is not None and _CARRIES_A_PICTURE.search(_UNSEEN.sub("", unescape(html[tag.start() :]))) is not None
