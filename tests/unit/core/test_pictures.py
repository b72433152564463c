"""Which events are taken away again, so that nobody can be known by them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyhouse.core.pictures import reacts_with_a_picture, shows_a_picture

MXC = "mxc://k.h/abc"
MESSAGE = "m.room.message"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=9), inside, max_size=3),
    max_leaves=8,
)


def edit(**new: Any) -> dict[str, Any]:
    """The content of an edit of a text."""
    relates = {"rel_type": "m.replace", "event_id": "$one"}
    return {"msgtype": "m.text", "body": "* x", "m.new_content": new, "m.relates_to": relates}


def html(formatted: Any, body: str = "x") -> dict[str, Any]:
    """A formatted text."""
    return {"msgtype": "m.text", "body": body, "format": "org.matrix.custom.html", "formatted_body": formatted}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *(
            pytest.param(MESSAGE, {"msgtype": msgtype, "body": "me.jpg"}, id=msgtype)
            for msgtype in ("m.image", "m.file", "m.audio", "m.video", "m.location", "m.sticker", "m.gallery")
        ),
        *(
            pytest.param(kind, {"body": "hello", "url": MXC}, id=f"event {kind}")
            for kind in ("m.sticker", "m.image", "m.beacon", "m.beacon_info", "org.matrix.msc3672.beacon_info")
        ),
        *(
            pytest.param(kind, {"call_id": "1"}, id=kind)
            for kind in ("m.call.invite", "m.call.candidates", "m.call.hangup", "org.matrix.call.asserted_identity")
        ),
        pytest.param(MESSAGE, edit(msgtype="m.image", body="me.jpg", url=MXC), id="a text edited into a picture"),
        pytest.param(MESSAGE, {**edit(msgtype="m.text", body="x"), "msgtype": "m.image"}, id="a picture edited away"),
        pytest.param(MESSAGE, edit(**html(f'<img src="{MXC}">')), id="a text edited into an inline picture"),
        pytest.param(MESSAGE, html(f'<p>hi <img src="{MXC}" alt="me"></p>'), id="inline"),
        pytest.param(MESSAGE, html(f"<IMG\n SRC = '{MXC}'/>"), id="inline, capitals and spaces"),
        pytest.param(MESSAGE, html('<img src="data:image/png;base64,AAAA">'), id="inline data"),
        pytest.param(MESSAGE, html('<img src="&#109;xc://k.h/abc">'), id="inline, address in entities"),
        pytest.param(MESSAGE, html(f'<img data-mx-emoticon src="{MXC}">'), id="a drawn emoji"),
        pytest.param(MESSAGE, html(f'<img alt="<" src="{MXC}">'), id="inline, a sign of a tag within the tag"),
        pytest.param(MESSAGE, html(f'<img alt=">" src="{MXC}">'), id="inline, the sign of an end within the tag"),
        pytest.param(MESSAGE, html(f'<img alt="{"a" * 9000}" src="{MXC}">'), id="inline, behind many words"),
        pytest.param(
            MESSAGE,
            {"msgtype": "m.text", "body": "x", "com.beeper.per_message_profile": {"displayname": "Sam (team)"}},
            id="another name beside one message",
        ),
        pytest.param(
            MESSAGE, edit(msgtype="m.text", body="x", **{"m.per_message_profile": {}}), id="the same by an edit"
        ),
    ],
)
def test_what_somebody_could_be_known_by_is_found(kind: str, content: dict[str, Any]) -> None:
    assert shows_a_picture(kind, content)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        *(
            pytest.param(MESSAGE, {"msgtype": each, "body": "hi"}, id=each)
            for each in ("m.text", "m.emote", "m.notice")
        ),
        pytest.param(MESSAGE, edit(msgtype="m.text", body="x"), id="a text edited into a text"),
        pytest.param(MESSAGE, html("<b>an image</b> of src=mxc://"), id="words about pictures"),
        pytest.param(MESSAGE, html("<img alt='me'><b>mxc://x</b>"), id="an image of nothing"),
        pytest.param(MESSAGE, html("<img src='https://example.org/mxc.png'>"), id="an address that no client loads"),
        pytest.param(MESSAGE, {"msgtype": "m.key.verification.request", "body": "x"}, id="a verification"),
        pytest.param("org.matrix.msc3381.poll.start", {"question": {"body": "tea?"}}, id="a poll"),
        pytest.param("m.poll.response", {}, id="a vote"),
        pytest.param("m.key.verification.start", {"method": "m.sas.v1"}, id="comparing signs"),
        pytest.param(MESSAGE, {"msgtype": ["m.image"], "body": 7}, id="nonsense"),
    ],
)
def test_words_stay(kind: str, content: dict[str, Any]) -> None:
    assert not shows_a_picture(kind, content)


@pytest.mark.parametrize(
    ("key", "is_picture"), [(MXC, True), (" MXC://x", True), ("❤️", False), ("mxc", False), ("", False)]
)
def test_a_reaction_may_be_a_picture_too(key: str, is_picture: bool) -> None:
    assert reacts_with_a_picture(key) == is_picture


@given(kind=st.text(), content=st.dictionaries(st.sampled_from(["msgtype", "formatted_body", "m.new_content"]), JSON))
def test_nothing_that_a_client_can_send_is_a_fault(kind: str, content: dict[str, Any]) -> None:
    assert shows_a_picture(kind, content) in (True, False)


def test_a_hostile_text_of_many_tags_is_read_in_a_moment() -> None:
    # Were it read quadratically, this would take minutes, and the test would run into its time limit.
    assert not shows_a_picture(MESSAGE, html("<img " * 200_000 + "src" * 100_000))
