"""Which of an event's words are judged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.matching.selection import select, words_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)
EDIT = {"m.relates_to": {"rel_type": "m.replace", "event_id": "$x"}}
KEYS = st.sampled_from(
    ["body", "formatted_body", "m.new_content", "m.text", "filename", "m.poll", "m.relates_to", "m.caption"]
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param({"body": "hello"}, "hello", id="text"),
        pytest.param({"body": "* new", "m.new_content": {"body": "new"}, **EDIT}, "new", id="edit"),
        pytest.param({"body": "* new", "m.new_content": {}, **EDIT}, "* new", id="edit without words"),
        pytest.param({"body": "old", "m.new_content": {"body": "new"}}, "new\nold", id="new content of nothing"),
        pytest.param({"body": ["a", {"body": "b"}, 7]}, "a\nb", id="words in a list"),
        pytest.param(
            {"body": "> mine\n> too", "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}},
            "> mine\n> too",
            id="own words behind a mark in a reply",
        ),
        pytest.param({"body": "look", "filename": "a.png"}, "look\na.png", id="caption and file name"),
        pytest.param({"body": "a sad cat", "url": "mxc://x/y", "info": {}}, "a sad cat", id="sticker"),
        pytest.param({"body": "plain", "formatted_body": "<b>other</b>"}, "plain\nother", id="both bodies"),
        pytest.param({"body": "**same** a", "formatted_body": "<b>same</b> a"}, "**same** a", id="equal bodies once"),
        pytest.param({"body": "x", "formatted_body": "<b>sui</b>cidal"}, "x\nsuicidal", id="a tag inside a word"),
        pytest.param({"body": "x", "formatted_body": "<p>one</p><p>two</p>"}, "x\n one  two ", id="paragraphs"),
        pytest.param({"body": "x", "formatted_body": "k&#105;ll &amp; co"}, "x\nkill & co", id="written as numbers"),
        pytest.param(
            {"body": "x", "formatted_body": '<span data-mx-spoiler="why">hidden</span>'}, "x\n why hidden", id="spoiler"
        ),
        pytest.param({"body": "x", "formatted_body": '<img src="m" alt="a rope">'}, "x\n a rope ", id="picture"),
        pytest.param(
            {"body": "x", "formatted_body": '<span style="display:none">hidden</span>'}, "x\nhidden", id="hidden span"
        ),
        pytest.param(
            {"body": "> <@a:b> quoted\n\nmine", "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}},
            "mine",
            id="reply without its quote",
        ),
        pytest.param(
            {
                "body": "mine",
                "formatted_body": "<mx-reply><blockquote>quoted</blockquote></mx-reply>mine",
                "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}},
            },
            "mine",
            id="formatted reply without its quote",
        ),
        pytest.param(
            {
                "org.matrix.msc3381.poll.start": {
                    "question": {"org.matrix.msc1767.text": "q?"},
                    "answers": [{"org.matrix.msc1767.text": "a"}, {"org.matrix.msc1767.text": "b"}],
                }
            },
            "q?\na\nb",
            id="unstable poll",
        ),
        pytest.param(
            {"m.poll": {"question": {"m.text": [{"body": "q?"}]}, "answers": [{"m.text": [{"body": "a"}]}]}},
            "q?\na",
            id="stable poll",
        ),
        pytest.param({"m.text": [{"body": "<i>a</i>", "mimetype": "text/html"}]}, "a", id="extensible formatted text"),
        pytest.param({"m.caption": {"m.text": [{"body": "a caption"}]}}, "a caption", id="extensible caption"),
        pytest.param({"body": 5, "formatted_body": ["x"]}, "", id="wrong types"),
        pytest.param({"body": "a <b and c"}, "a <b and c", id="a bracket in plain text"),
        pytest.param(
            {"body": "x", "formatted_body": "unclosed <b and more"}, "x\nunclosed  b and more", id="unclosed tag"
        ),
    ],
)
def test_everything_a_reader_would_see_is_judged(content: dict[str, Any], words: str) -> None:
    assert words_of(content) == words


def test_what_a_reply_repeats_is_somebody_elses() -> None:
    reply = {"body": "> <@a:b> are you safe?\n> tell me\n\nno", "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}}

    assert select(reply).quoted == "are you safe?\ntell me"
    assert select({"body": "> are you safe?\n\nno"}).quoted == ""


def test_an_edit_names_what_it_replaces() -> None:
    relates = {"rel_type": "m.replace", "event_id": "$x"}

    assert select({"body": "* a", "m.new_content": {"body": "a"}, "m.relates_to": relates}).replaces == "$x"
    assert select({"body": "a", "m.relates_to": {"rel_type": "m.thread", "event_id": "$x"}}).replaces is None


@given(st.dictionaries(KEYS, JSON, max_size=7))
def test_no_content_is_too_strange(content: dict[str, Any]) -> None:
    assert isinstance(words_of(content), str)


def test_a_huge_text_is_cut_and_not_refused() -> None:
    assert len(words_of({"body": "x" * 1_000_000})) == 65_536
