"""What a person's events may hold, on a real Synapse: hostile values in every field that a client fills."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from keyhouse.core.carried import MEGOLM, WORDS_ALONE
from keyhouse.core.ids import RoomId
from keyhouse.core.rooms import RoomKind
from keyhouse.core.verdict import Reason
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, House
from tests.support.synapse import Account, Answer, RunningSynapse
from tests.synapse.test_entry import refused
from tests.synapse.test_speaking import told

CANARY = "jane-smith"
FOREIGN = {"x.photo": f"mxc://keyhouse.test/{CANARY}"}
AN_EVENT = "$" + "A" * 43


def deep(levels: int) -> Any:
    """Lists in lists."""
    nested: Any = "x"
    for _ in range(levels):
        nested = [nested]
    return nested


HOSTILE: dict[str, Any] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a fraction": 1.5,
    "a huge number": 2**80,
    "nothing": "",
    "a zero byte": "a\0b",
    "right to left": "\u202eJane\u2066",
    "half a letter": "\ud800",
    "much": "x" * 70_000,
    "a list": ["x", {"y": None}],
    "an object": {"url": FOREIGN["x.photo"], "\ud800": 1},
    "deep": deep(400),
}

MESSAGE = {"msgtype": "m.text", "body": "hello", **FOREIGN}
ENCRYPTED = {"algorithm": MEGOLM, "ciphertext": "AwgA", "session_id": "abc", "device_id": "D", "sender_key": "k"}
REACTION = {"m.relates_to": {"rel_type": "m.annotation", "event_id": AN_EVENT, "key": "👍", **FOREIGN}}
VERIFYING = {"method": "m.sas.v1", "hashes": ["sha256"], "from_device": "D", **FOREIGN}


def hostile_sends() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event type that is carried, with a hostile value in every field."""
    relation = {"rel_type": "m.thread", "event_id": AN_EVENT, "m.in_reply_to": {"event_id": AN_EVENT}, **FOREIGN}
    for value in HOSTILE.values():
        for key in (*MESSAGE, "format", "formatted_body", "m.relates_to", "m.mentions", "m.new_content", "url", "file"):
            yield (
                "m.room.message",
                {**MESSAGE, "format": "org.matrix.custom.html", "formatted_body": "<b>x</b>"} | {key: value},
            )
        for key in relation:
            yield "m.room.message", {**MESSAGE, "m.relates_to": {**relation, key: value}}
        for key in ("user_ids", "room"):
            yield "m.room.message", {**MESSAGE, "m.mentions": {key: value, **FOREIGN}}
        for key in ("msgtype", "body", "formatted_body", "m.new_content", "url"):
            yield "m.room.message", {**MESSAGE, "m.new_content": {**MESSAGE, key: value}}
        for key in (*ENCRYPTED, "m.relates_to", "url"):
            yield "m.room.encrypted", {**ENCRYPTED, key: value}
        for key in ("rel_type", "event_id", "key"):
            yield "m.reaction", {"m.relates_to": {**REACTION["m.relates_to"], key: value}}
        yield "m.reaction", {"m.relates_to": value}
        yield "m.room.redaction", {"redacts": value, "reason": CANARY}
        for key in VERIFYING:
            yield "m.key.verification.start", {**VERIFYING, key: value}
    yield from (("m.room.redaction", {}), ("m.reaction", {}), ("m.room.message", {}), ("m.room.encrypted", {}))


@pytest.fixture
async def person(house: House) -> Account:
    """Somebody who may write as fast as a test can."""
    person = await house.person()
    await house.lift_limits_of(person)
    return person


async def test_no_hostile_value_makes_synapse_stumble_or_gets_through(
    house: House, synapse: RunningSynapse, person: Account
) -> None:
    room = await house.room_with(person)
    before = len(await _said(house, room, person))

    answers = await asyncio.gather(*[_send(house, person, room, *sent) for sent in hostile_sends()])

    stumbled = [sent for sent, answer in zip(hostile_sends(), answers, strict=True) if answer.status >= 500]
    # Half letters and the like: Synapse alone stumbles over them too, before the door is asked.
    assert min(await _without_the_door(synapse, stumbled), default=500) >= 500
    said = (await _said(house, room, person))[before:]
    # Equal words that are sent in the same moment are one event.
    accepted = {answer.body["event_id"] for answer in answers if answer.status == 200}
    assert {event["event_id"] for event in said} == accepted
    assert len(accepted) > 100
    for event in said:
        assert _is_clean(event), event["type"]


@pytest.mark.parametrize(
    ("event_type", "content"),
    [
        pytest.param("m.room.message", {"msgtype": "m.image", "body": "x", "url": "mxc://a/b"}, id="picture"),
        pytest.param("m.room.message", {"msgtype": "m.file", "body": "x", "url": "mxc://a/b"}, id="file"),
        pytest.param("m.room.message", {"msgtype": "m.audio", "body": "x", "url": "mxc://a/b"}, id="voice"),
        pytest.param("m.room.message", {"msgtype": "m.video", "body": "x", "url": "mxc://a/b"}, id="film"),
        pytest.param("m.room.message", {"msgtype": "m.location", "body": "x", "geo_uri": "geo:1,2"}, id="place"),
        pytest.param("m.room.message", {"msgtype": "uk.example.own", "body": "x"}, id="own sort of message"),
        pytest.param("m.room.message", {**MESSAGE, "m.new_content": {"msgtype": "m.image", "body": "x"}}, id="edit"),
        pytest.param("m.sticker", {"body": "x", "url": "mxc://a/b"}, id="sticker"),
        pytest.param("m.beacon", {"m.relates_to": {}}, id="place over time"),
        pytest.param("m.call.invite", {"call_id": "1", "version": "1"}, id="call"),
        pytest.param("m.poll.start", {"m.poll": {"question": {"m.text": "x"}}}, id="poll in clear"),
        pytest.param("uk.example.own", {"body": "x"}, id="own type"),
        pytest.param("M.ROOM.MESSAGE", MESSAGE, id="type in capitals"),
        pytest.param("m.room.message\u202e", MESSAGE, id="type with a mark"),
        pytest.param("m.room.encrypted", {**ENCRYPTED, "algorithm": "m.olm.v1"}, id="algorithm nobody reads"),
    ],
)
async def test_what_is_not_words_is_not_carried(
    house: House, person: Account, event_type: str, content: Mapping[str, Any]
) -> None:
    room = await house.room_with(person)

    assert refused(await _send(house, person, room, event_type, dict(content)), Reason.NOT_CARRIED)
    assert (await house.say(person, room)).status == 200


async def test_what_clients_send_arrives_whole(house: House, person: Account) -> None:
    room = await house.room_with(person)
    first = (await house.say(person, room)).body["event_id"]
    reply = {"m.in_reply_to": {"event_id": first}, "rel_type": "m.thread", "event_id": first, "is_falling_back": True}
    whole: list[tuple[str, dict[str, Any]]] = [
        ("m.room.encrypted", {**ENCRYPTED, "m.relates_to": reply}),
        ("m.room.message", {"msgtype": "m.emote", "body": "waves\0\u202e", "m.mentions": {"room": True}}),
        ("m.room.message", {"msgtype": "m.text", "body": "x", "format": "org.matrix.custom.html",
                            "formatted_body": "<b>x</b>", "m.mentions": {"user_ids": [person.user_id]}}),
        ("m.room.message", {"msgtype": "m.text", "body": "* new", "m.new_content": {"msgtype": "m.text", "body": "new"},
                            "m.relates_to": {"rel_type": "m.replace", "event_id": first}}),
        ("m.reaction", {"m.relates_to": {"rel_type": "m.annotation", "event_id": first, "key": "me too"}}),
    ]  # fmt: skip

    for event_type, content in whole:
        sent = await house.send(person, room, event_type, content)
        assert sent.status == 200, sent
        assert await house.kept_content(room, sent.body["event_id"]) == content


async def test_a_picture_inside_words_is_left_out_and_the_words_arrive(house: House, person: Account) -> None:
    room = await house.room_with(person)
    content = {"msgtype": "m.text", "body": "look", "format": "org.matrix.custom.html",
               "formatted_body": "look <ImG src='mxc://a/b'>"}  # fmt: skip

    sent = await house.send(person, room, "m.room.message", content)

    assert await house.kept_content(room, sent.body["event_id"]) == {"msgtype": "m.text", "body": "look"}


async def test_no_name_comes_by_the_type_or_the_transaction(house: House, person: Account) -> None:
    room = await house.room_with(person)

    odd = [CANARY, "\0", "\u202e", "x" * 300, "%2F..%2F", "m.room.message%00"]
    answers = [await _send(house, person, room, name, dict(MESSAGE)) for name in odd]

    assert all(400 <= answer.status < 500 for answer in answers), answers


@pytest.mark.parametrize("kind", [RoomKind.LIBRARY, RoomKind.TELEVISION, RoomKind.SPACE])
async def test_where_only_the_house_writes_nothing_encrypted_or_verifying_gets_in(
    house: House, person: Account, kind: RoomKind
) -> None:
    room = await house.moved_into(await house.room(kind=kind), person)

    for event_type, content in (("m.room.encrypted", ENCRYPTED), ("m.key.verification.start", VERIFYING)):
        assert refused(await house.send(person, room, event_type, content), Reason.HOUSE_DOES_THIS)


@pytest.mark.parametrize("path", ["v3/upload", "r0/upload", "v1/upload"])
async def test_nobody_uploads_but_the_house(house: House, person: Account, path: str) -> None:
    by_person = await house.synapse.request("POST", f"/_matrix/media/{path}", person.access_token, {"x": 1})
    by_house = await house.synapse.request("POST", f"/_matrix/media/{path}", house.concierge.access_token, {"x": 1})

    assert (by_person.status, by_person.errcode) == (413, "M_TOO_LARGE")
    assert by_house.status == 200


async def test_an_upload_to_an_address_that_was_reserved_is_refused_too(house: House, person: Account) -> None:
    by_person, by_house = [await _upload_later(house, who) for who in (person, house.concierge)]

    assert 400 <= by_person.status < 500
    assert by_house.status == 200


async def test_who_tried_to_upload_is_told_at_the_desk_and_the_house_is_not(house: House, person: Account) -> None:
    for who in (person, house.concierge):
        await house.synapse.request("POST", "/_matrix/media/v3/upload", who.access_token, {"x": 1})

    assert await told(house, person) == ["not_carried"]
    assert house.told_unsent(house.concierge) == []


async def _upload_later(house: House, by: Account) -> Answer:
    made = await house.synapse.request("POST", "/_matrix/media/v1/create", by.access_token, {})
    if made.status != 200:
        return made
    media = made.body["content_uri"].removeprefix("mxc://")
    return await house.synapse.request("PUT", f"/_matrix/media/v3/upload/{media}", by.access_token, {"x": 1})


async def _send(house: House, by: Account, room: RoomId, event_type: str, content: dict[str, Any]) -> Answer:
    path = f"{CLIENT}/rooms/{room}/send/{quote(event_type, safe='%')}/{fresh_name('txn')}"
    return await house.synapse.request("PUT", path, by.access_token, content)


async def _without_the_door(synapse: RunningSynapse, sent: list[tuple[str, dict[str, Any]]]) -> list[int]:
    somebody = await synapse.register(fresh_name("bare"), "correct horse battery staple", admin=True)
    path = f"/_synapse/admin/v1/users/{somebody.user_id}/override_ratelimit"
    await synapse.ask("POST", path, somebody.access_token, {"messages_per_second": 0, "burst_count": 0})
    room = (await synapse.ask("POST", f"{CLIENT}/createRoom", somebody.access_token, {}))["room_id"]
    statuses = []
    for event_type, content in sent:
        path = f"{CLIENT}/rooms/{room}/send/{event_type}/{fresh_name('txn')}"
        statuses.append((await synapse.request("PUT", path, somebody.access_token, content)).status)
    return statuses


async def _said(house: House, room: RoomId, person: Account) -> list[dict[str, Any]]:
    filtered = quote(json.dumps({"senders": [person.user_id], "not_types": ["m.room.member"]}))
    said: list[dict[str, Any]] = []
    start = ""
    while True:
        path = f"{CLIENT}/rooms/{room}/messages?dir=f&limit=500&filter={filtered}{start}"
        page = await house.synapse.ask("GET", path, house.concierge.access_token)
        said += page["chunk"]
        if "end" not in page:
            return said
        start = f"&from={page['end']}"


def _is_clean(event: dict[str, Any]) -> bool:
    content = event["content"]
    written = json.dumps(content)
    if event["type"] == "m.room.message" and content:
        assert content["msgtype"] in WORDS_ALONE
    return CANARY not in written and "url" not in content and len(content) <= 7
