"""The contents of messages that bots send. Every one has a complete plain body."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

import nh3
from markdown_it import MarkdownIt

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True})
# What Element X shows; it drops tables and details.
_TAGS = {"a", "b", "strong", "i", "em", "del", "code", "ul", "ol", "li", "pre", "blockquote", "p", "br"}


def notice(markdown: str, reply_to: str | None = None) -> dict[str, Any]:
    """Write chatter and answers to commands: it never rings."""
    return _message("m.notice", markdown, (), reply_to)


def spoken(markdown: str, mentions: Sequence[str] = (), reply_to: str | None = None) -> dict[str, Any]:
    """Write something that a person is meant to notice; those mentioned are rung."""
    return _message("m.text", markdown, mentions, reply_to)


def quoted(words: str) -> str:
    """Put somebody's words into Markdown as a quotation in which nothing is markup."""
    lines = words.strip().splitlines() or [""]
    return "\n".join(f"> {_literal(line)}" for line in lines)


def link_to(room_id: str, event_id: str, server_name: str, label: str) -> str:
    """Write a link that opens an event in any Matrix client."""
    target = f"https://matrix.to/#/{quote(room_id)}/{quote(event_id)}?via={quote(server_name)}"
    return f"[{label}]({target})"


def _message(msgtype: str, markdown: str, mentions: Iterable[str], reply_to: str | None) -> dict[str, Any]:
    named = sorted(mentions)
    content: dict[str, Any] = {
        "msgtype": msgtype,
        "body": _plain(markdown),
        "format": "org.matrix.custom.html",
        "formatted_body": nh3.clean(_MARKDOWN.render(markdown), tags=_TAGS).strip(),
        "m.mentions": {"user_ids": named} if named else {},
    }
    if reply_to:
        content["m.relates_to"] = {"m.in_reply_to": {"event_id": reply_to}}
    return content


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in r"\`*_{}[]()#+-.!|<>~&" else char for char in text)


def _plain(markdown: str) -> str:
    """Read Markdown aloud: no marks, a link as its label and its address."""
    return "\n".join(_plain_line(line) for line in markdown.splitlines()).strip()


def _plain_line(line: str) -> str:
    shown: list[str] = []
    address = ""
    for token in _MARKDOWN.parseInline(line.removeprefix("> "))[0].children or []:
        if token.type == "link_open":
            address = str(token.attrGet("href"))
        shown.append(f" ({address})" if token.type == "link_close" else token.content)
    mark = "> " if line.startswith("> ") else ""
    return mark + "".join(shown)
