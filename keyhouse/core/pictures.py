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
_IMAGE_TAGS = ("img", "image")
_LONGEST_TAG = 4_000
_CARRIES_A_PICTURE = re.compile(r"src=[\"']?(?:mxc|data):", re.IGNORECASE)
_ADDRESS = "mxc:"
_UNSEEN = re.compile(r"[\s\x00-\x1f]+")


def shows_a_picture(kind: str, content: Mapping[str, Any]) -> bool:
    """Say whether an event shows a picture, a file, a voice, a sticker or a place, or is part of a call.

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
    if isinstance(msgtype, str) and msgtype in _KINDS:
        return True
    return isinstance(formatted, str) and any(_CARRIES_A_PICTURE.search(tag) for tag in _image_tags(formatted))


def _image_tags(html: str) -> Iterator[str]:
    """Cut the tags out by hand, as `matching.selection` does; spaces and entities hide nothing."""
    for part in html.split("<")[1:]:
        if part[:5].lower().startswith(_IMAGE_TAGS):
            yield _UNSEEN.sub("", unescape(part[:_LONGEST_TAG]))
