"""Which of an event's words are to be judged, and which of them somebody else said."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from itertools import islice
from typing import Any

_TEXT_KEYS = ("m.text", "org.matrix.msc1767.text", "body", "filename", "m.caption", "org.matrix.msc1767.caption")
_POLLS = ("m.poll", "m.poll.start", "org.matrix.msc3381.poll.start")
_DEEPEST = 6
_LONGEST = 65_536
_INLINE = frozenset("a b code data del em font i ins mark s small span strike strong sub sup tt u".split())  # noqa: SIM905
# What a reader sees of a tag without opening anything: the reason of a spoiler, the name of a picture.
_SHOWN_OF_A_TAG = re.compile(r"""(?:data-mx-spoiler|alt|title)\s*=\s*(?:"([^"<>]{1,1000})"|'([^'<>]{1,1000})')""")
_REPLY = "mx-reply>"
_NAMED = re.compile(r"^\*? ?<@[^>\s]{1,255}> ?")
_QUOTES_SOMEBODY = re.compile(r"> \*? ?<@[^>\s]{1,255}>")
_MOST_TEXTS = 100


@dataclass(frozen=True, slots=True)
class Selection:
    """The words of one event. text: the author's own, one part a line, empty when there are none.

    quoted: what a reply repeats of somebody else's message, empty when it repeats nothing.
    replaces: the event id that an edit is of, None when it is no edit.
    """

    text: str
    quoted: str = ""
    replaces: str | None = None


def select(content: Mapping[str, Any]) -> Selection:
    """Choose everything that a reader would see of this content.

    On an edit that is the new content alone. Bodies, captions, file names, poll questions and answers, both the plain
    and the formatted body. Any field may be of any type: what is not text is passed over.
    """
    relates = content.get("m.relates_to")
    parts = dict.fromkeys(part for shown in _shown(content, relates) for part in _parts(shown, 0) if part.strip())
    text = "\n".join(parts)
    quoted = ""
    if isinstance(relates, Mapping) and "m.in_reply_to" in relates:
        quoted, text = _parted(text)
    return Selection(text[:_LONGEST], quoted[:_LONGEST], _replaced(relates))


def select_any(content: Mapping[str, Any]) -> Selection:
    """Choose every text of an event of a kind that nobody knows, whatever its fields are called."""
    texts = dict.fromkeys(text for text in _all_texts(content, 0) if text.strip())
    return Selection("\n".join(islice(texts, _MOST_TEXTS))[:_LONGEST])


def words_of(content: Mapping[str, Any]) -> str:
    """Return the author's own words of this content; see `select`."""
    return select(content).text


def _shown(content: Mapping[str, Any], relates: object) -> Iterator[Mapping[str, Any]]:
    """A new content without a word, or one that replaces nothing, is not what a reader sees: the old one is."""
    edited = content.get("m.new_content")
    is_edit = isinstance(relates, Mapping) and relates.get("rel_type") == "m.replace"
    if isinstance(edited, Mapping):
        yield edited
    if not isinstance(edited, Mapping) or not is_edit or not any(part.strip() for part in _parts(edited, 0)):
        yield content


def _all_texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth <= _DEEPEST and isinstance(value, Mapping | list):
        inside = value.values() if isinstance(value, Mapping) else value
        for each in islice(inside, _MOST_TEXTS):
            yield from _all_texts(each, depth + 1)


def _replaced(relates: object) -> str | None:
    if not isinstance(relates, Mapping) or relates.get("rel_type") != "m.replace":
        return None
    target = relates.get("event_id")
    return target if isinstance(target, str) else None


def _parts(content: Mapping[str, Any], depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    for key in _TEXT_KEYS:
        yield from _texts(content.get(key))
    formatted = content.get("formatted_body")
    if isinstance(formatted, str):
        yield from _unless_same(_without_tags(formatted), content.get("body"))
    for key in _POLLS:
        poll = content.get(key)
        if isinstance(poll, Mapping):
            yield from _poll(poll, depth)


def _texts(value: object) -> Iterator[str]:
    """Texts stand plain, or (extensible events) as a list of mappings with a body, or in a mapping of their own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in _TEXT_KEYS[:2]:
            yield from _texts(value.get(key)) if not isinstance(value.get(key), Mapping) else ()
    elif isinstance(value, list):
        for each in value[:20]:
            if isinstance(each, str):
                yield each
            elif isinstance(each, Mapping) and isinstance(each.get("body"), str):
                is_html = each.get("mimetype") == "text/html"
                yield _without_tags(each["body"]) if is_html else each["body"]


def _poll(poll: Mapping[str, Any], depth: int) -> Iterator[str]:
    question, answers = poll.get("question"), poll.get("answers")
    if isinstance(question, Mapping):
        yield from _parts(question, depth + 1)
    for answer in answers[:40] if isinstance(answers, list) else ():
        if isinstance(answer, Mapping):
            yield from _parts(answer, depth + 1)


def _unless_same(formatted: str, body: object) -> Iterator[str]:
    """A formatted body mostly says the same with tags in place of stars: then once is enough."""
    if not isinstance(body, str) or _letters(formatted) != _letters(body):
        yield formatted


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _without_tags(html: str) -> str:
    """Drop tags by hand: a parser would be slow on hostile text, and only words matter here.

    A tag that stands inside words leaves nothing behind, any other a space. What a reply repeats is dropped.
    """
    start, end = html.find("<" + _REPLY), html.rfind("</" + _REPLY)
    if 0 <= start < end:
        html = html[:start] + html[end + len("</" + _REPLY) :]
    parts = html.split("<")
    shown = [parts[0]]
    for part in parts[1:]:
        tag, closed, text = part.partition(">")
        shown.append(_left_of(tag) + text if closed else " " + part)
    return unescape("".join(shown))


def _left_of(tag: str) -> str:
    named = " ".join(found[0] or found[1] for found in _SHOWN_OF_A_TAG.findall(tag)) if "=" in tag else ""
    if named:
        return f" {named} "
    name = tag[:12].lstrip("/").split(None, 1)
    return "" if name and name[0].rstrip("/").lower() in _INLINE else " "


def _parted(text: str) -> tuple[str, str]:
    """Part the quoted lines with which a reply begins from the author's own."""
    lines = text.split("\n")
    # Without the name of who is quoted, these lines may be the author's own: clients no longer repeat what is answered.
    if not _QUOTES_SOMEBODY.match(lines[0]):
        return "", text
    own = 0
    while own < len(lines) and lines[own].startswith("> "):
        own += 1
    quoted = "\n".join(line.removeprefix("> ") for line in lines[:own])
    return _NAMED.sub("", quoted), "\n".join(lines[own:]).lstrip("\n")
