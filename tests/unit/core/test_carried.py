"""What an event of a person may hold."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyhouse.core.carried import HTML, MEGOLM, Act, act_of, carried
from keyhouse.core.verdict import Reason, Refused

NOT_CARRIED = Refused(Reason.NOT_CARRIED)
AN_EVENT = "$" + "Ab_-" * 10 + "xyz"
WORDS = {"msgtype": "m.text", "body": "hello"}
ENCRYPTED = {"algorithm": MEGOLM, "ciphertext": "AwgA+/=", "session_id": "s/+"}
PICTURE = {"msgtype": "m.image", "body": "x", "url": "mxc://a/b"}


def reaction(key: object) -> dict[str, Any]:
    """A reaction to an event."""
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": AN_EVENT, "key": key}}


def html(text: object) -> dict[str, Any]:
    """Words with formatting."""
    return {**WORDS, "format": HTML, "formatted_body": text}


@pytest.mark.parametrize(
    ("event_type", "content"),
    [
        pytest.param("m.room.message", WORDS, id="words"),
        pytest.param("m.room.message", {**WORDS, "msgtype": "m.emote"}, id="emote"),
        pytest.param("m.room.message", {**WORDS, "msgtype": "m.notice"}, id="notice"),
        pytest.param("m.room.message", {**WORDS, "body": "a\0b \u202eJane"}, id="words with odd marks"),
        pytest.param("m.room.message", html('<a href="https://nhs.uk">x</a><br/><strong>y</strong>'), id="formatting"),
        pytest.param("m.room.message", {**WORDS, "m.new_content": html("<em>x</em>")}, id="edit"),
        pytest.param("m.room.message", {**WORDS, "m.mentions": {"user_ids": ["@a:b"], "room": True}}, id="mentions"),
        pytest.param("m.room.message", {**WORDS, "m.mentions": {}}, id="no mentions, said so"),
        pytest.param("m.room.encrypted", ENCRYPTED, id="encrypted"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "sender_key": "k", "device_id": "D"}, id="encrypted, older"),
        pytest.param("m.reaction", reaction("❤️"), id="reaction"),
        pytest.param("m.reaction", reaction("me too"), id="reaction in words"),
        pytest.param("m.room.redaction", {"redacts": AN_EVENT}, id="redaction"),
        pytest.param("m.key.verification.mac", {"mac": {"ed25519:D": "a+b="}, "keys": "x/y"}, id="verification"),
    ],
)
def test_what_clients_send_stays_as_it_is(event_type: str, content: dict[str, Any]) -> None:
    assert carried(event_type, content, read_only=False) == content


@pytest.mark.parametrize(
    ("event_type", "content", "kept"),
    [
        pytest.param("m.room.message", {**WORDS, "url": "mxc://a/b", "info": {}}, WORDS, id="foreign keys"),
        pytest.param("m.room.message", html("<img src='mxc://a/b'>"), WORDS, id="picture in formatting"),
        pytest.param("m.room.message", html("x< IMG/src=a>"), WORDS, id="picture in odd writing"),
        pytest.param("m.room.message", html("<svg><image/></svg>"), WORDS, id="drawing"),
        pytest.param("m.room.message", html("<!-- Jane -->"), WORDS, id="comment"),
        pytest.param("m.room.message", html(7), WORDS, id="formatting that is no text"),
        pytest.param("m.room.message", {**html("x"), "format": "uk.own"}, WORDS, id="own format"),
        pytest.param("m.room.message", {**WORDS, "formatted_body": "x"}, WORDS, id="formatting without format"),
        pytest.param("m.room.message", {**WORDS, "m.relates_to": {"rel_type": "x", "event_id": AN_EVENT}}, WORDS,
                     id="own relation"),
        pytest.param("m.room.message", {**WORDS, "m.relates_to": {"event_id": "$Jane"}}, WORDS, id="no event id"),
        pytest.param("m.room.message", {**WORDS, "m.mentions": {"user_ids": ["Jane", 7], "x": 1}},
                     {**WORDS, "m.mentions": {}}, id="mentions of nobody"),
        pytest.param("m.room.message", {**WORDS, "m.new_content": {**WORDS, "url": "x", "m.new_content": PICTURE}},
                     {**WORDS, "m.new_content": WORDS}, id="edit in an edit"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "body": "Jane"}, ENCRYPTED, id="clear beside encrypted"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "device_id": "Jane Smith"}, ENCRYPTED, id="device with words"),
        pytest.param("m.reaction", {**reaction("❤️"), "shortcode": "jane"}, reaction("❤️"), id="reaction with more"),
        pytest.param("m.room.redaction", {"redacts": AN_EVENT, "reason": "Jane"}, {"redacts": AN_EVENT}, id="reason"),
        pytest.param("m.key.verification.cancel", {"code": "m.user", "reason": "Jane Smith"}, {"code": "m.user"},
                     id="words in a verification"),
        pytest.param("org.matrix.dummy_event", {"body": "Jane Smith"}, {}, id="words where nothing is said"),
    ],
)  # fmt: skip
def test_what_no_key_of_ours_names_is_left_out_and_the_words_stay(
    event_type: str, content: dict[str, Any], kept: dict[str, Any]
) -> None:
    assert carried(event_type, content, read_only=False) == kept


@pytest.mark.parametrize(
    ("event_type", "content"),
    [
        pytest.param("m.room.message", PICTURE, id="picture"),
        pytest.param("m.room.message", {"msgtype": "m.key.verification.request", "body": "x"}, id="other sort"),
        pytest.param("m.room.message", {"msgtype": "m.text"}, id="no body"),
        pytest.param("m.room.message", {"msgtype": ["m.text"], "body": "x"}, id="sort of a wrong type"),
        pytest.param("m.room.message", {"msgtype": "m.text", "body": "\ud800"}, id="half a letter"),
        pytest.param("m.room.message", {**WORDS, "m.new_content": PICTURE}, id="edit to a picture"),
        pytest.param("m.room.message", {**WORDS, "m.new_content": "x"}, id="edit of a wrong type"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "algorithm": "m.olm.v1"}, id="algorithm nobody reads"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "ciphertext": {"k": {}}}, id="encrypted for one device"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "ciphertext": "my name is Jane"}, id="words as ciphertext"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "session_id": None}, id="no session"),
        pytest.param("m.reaction", reaction("x" * 65), id="long reaction"),
        pytest.param("m.reaction", reaction(""), id="empty reaction"),
        pytest.param("m.reaction", reaction(" MXC://a/b"), id="picture as reaction"),
        pytest.param("m.reaction", {"m.relates_to": {"rel_type": "m.thread", "event_id": AN_EVENT, "key": "x"}},
                     id="reaction that is none"),
        pytest.param("m.room.redaction", {"redacts": "Jane"}, id="redaction of a name"),
        pytest.param("m.sticker", WORDS, id="sticker"),
        pytest.param("m.beacon_info", {}, id="place"),
        pytest.param("m.call.invite", {}, id="call"),
        pytest.param("m.poll.start", WORDS, id="poll in clear"),
        pytest.param("m.key.verification.Jane Smith", {}, id="words in a type that looks like a step of verifying"),
        pytest.param("m.key.verification.", {}, id="no step of verifying"),
        pytest.param("", WORDS, id="no type"),
    ],
)  # fmt: skip
def test_what_is_not_listed_is_refused(event_type: str, content: dict[str, Any]) -> None:
    assert carried(event_type, content, read_only=False) == NOT_CARRIED


@pytest.mark.parametrize(
    "key", ["👍", "👍🏽", "❤️", "☎️", "🖤", "👨‍👩‍👧", "👨‍👩‍👧‍👦", "👩🏽‍❤️‍💋‍👨🏿", "🏳️‍🌈", "1️⃣", "#️⃣", "🇬🇧", "!"]
)
def test_in_a_room_to_read_a_sign_is_carried(key: str) -> None:
    assert carried("m.reaction", reaction(key), read_only=True) == reaction(key)


@pytest.mark.parametrize(
    "key",
    ["me", "ja 👍", "1", "Ⓙⓐⓝⓔ", "ｊ", "٣", "Жаn", "\u202e👍", "\u200d", "👍\0", "👍 ", "0️⃣7️⃣", "🇯🇦🇳🇪", "🇯", "🅙🅐", "🅙",
     "🅹", "⠚⠁⠝⠑", "⠚", "◌ͣ◌ͤ", "👍👍", ".-", "👍‍👍‍👍‍👍‍👍", "👍‍", "\ufe0f"],
)  # fmt: skip
def test_in_a_room_to_read_no_reaction_spells_anything(key: str) -> None:
    assert carried("m.reaction", reaction(key), read_only=True) == NOT_CARRIED


@pytest.mark.parametrize(
    ("event_type", "act"),
    [("m.room.message", Act.WORDS), ("m.room.encrypted", Act.WORDS), ("m.sticker", Act.WORDS), ("", Act.WORDS),
     ("m.reaction", Act.REACTION), ("m.room.redaction", Act.TAKING_BACK), ("m.key.verification.done", Act.VERIFYING),
     ("org.matrix.dummy_event", Act.NOTHING)],
)  # fmt: skip
def test_every_type_is_something_that_somebody_does(event_type: str, act: Act) -> None:
    assert act_of(event_type) is act


KNOWN_KEYS = ["msgtype", "body", "format", "formatted_body", "m.relates_to", "m.mentions", "m.new_content", "redacts",
              "algorithm", "ciphertext", "session_id", "device_id", "rel_type", "event_id", "key", "m.in_reply_to",
              "user_ids", "room", "methods", "mac"]  # fmt: skip
GOOD_VALUES = ["m.text", "m.image", MEGOLM, HTML, AN_EVENT, "m.annotation", "m.replace", "@a:b", "<img>", "👍"]
ODD_TEXTS = ["", "\0", "\u202e", "\ud800", "Жан", "x" * 70_000, "<img>", " MXC://a/b", "Jane Smith"]
SCALARS = st.sampled_from([None, True, 0, -1.5, float("nan"), 2**80, *ODD_TEXTS, *GOOD_VALUES]) | st.text(max_size=3)
KEYS = st.sampled_from([*KNOWN_KEYS, "url", "\ud800", ""])
HOSTILE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=6
)
TYPES = st.sampled_from(
    ["m.room.message", "m.room.encrypted", "m.reaction", "m.room.redaction", "m.key.verification.start", "m.sticker"]
)


@settings(deadline=None)
@given(TYPES | st.sampled_from(ODD_TEXTS), st.dictionaries(KEYS, HOSTILE, max_size=6), st.booleans())
def test_whatever_comes_is_refused_or_reduced_for_good_to_keys_that_are_known(
    event_type: str, content: dict[str, Any], read_only: bool
) -> None:
    kept = carried(event_type, content, read_only=read_only)

    if not isinstance(kept, Refused):
        assert kept.keys() <= {*KNOWN_KEYS}
        assert carried(event_type, kept, read_only=read_only) == kept


def test_a_hundred_thousand_levels_are_no_harder_than_one() -> None:
    nested: Any = "x"
    for _ in range(100_000):
        nested = [nested]

    assert carried("m.room.message", {**WORDS, "x": nested, "m.mentions": nested}, read_only=False) == WORDS
    assert carried("m.room.message", {**WORDS, "body": nested}, read_only=False) == NOT_CARRIED
