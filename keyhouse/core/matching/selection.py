"""Which of an event's words are to be judged."""

from collections.abc import Iterator, Mapping
from typing import Any

_TEXT_KEYS = ("m.text", "org.matrix.msc1767.text", "body", "filename")
_POLLS = ("m.poll", "m.poll.start", "org.matrix.msc3381.poll.start")
_DEEPEST = 6
_LONGEST = 65_536


def words_of(content: Mapping[str, Any]) -> str:
    """Return everything a reader would see of this content, one part a line; empty when there are no words.

    On an edit that is the new content alone. Bodies, captions, file names, poll questions and answers, both the plain
    and the formatted body. Any field may be of any type: what is not text is passed over.
    """
    edited = content.get("m.new_content")
    shown = edited if isinstance(edited, Mapping) else content
    relates = content.get("m.relates_to")
    is_reply = isinstance(relates, Mapping) and "m.in_reply_to" in relates
    parts = dict.fromkeys(part for part in _parts(shown, 0) if part.strip())
    texts = (_without_quote(part) if is_reply else part for part in parts)
    return "\n".join(text for text in texts if text.strip())[:_LONGEST]


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
    """Texts stand plain, or (extensible events) as a list of mappings with a body."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value[:20]:
            if isinstance(each, Mapping) and isinstance(each.get("body"), str):
                yield each["body"]


def _poll(poll: Mapping[str, Any], depth: int) -> Iterator[str]:
    question, answers = poll.get("question"), poll.get("answers")
    if isinstance(question, Mapping):
        yield from _parts(question, depth + 1)
    for answer in answers[:40] if isinstance(answers, list) else ():
        if isinstance(answer, Mapping):
            yield from _parts(answer, depth + 1)


def _unless_same(formatted: str, body: object) -> Iterator[str]:
    if not isinstance(body, str) or formatted.split() != body.split():
        yield formatted


def _without_tags(html: str) -> str:
    """Drop tags by hand: a parser would be slow on hostile text, and only words matter here."""
    parts = html.split("<")
    shown = [parts[0]]
    for part in parts[1:]:
        _, closed, text = part.partition(">")
        shown.append(" " + text if closed else " " + part)
    return "".join(shown)


def _without_quote(text: str) -> str:
    """Drop the quoted lines with which a reply begins: somebody else wrote them."""
    lines = text.split("\n")
    while lines and lines[0].startswith("> "):
        lines.pop(0)
    return "\n".join(lines)
