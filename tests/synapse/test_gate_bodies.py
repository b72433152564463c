"""What small requests bring: names are taken out, all else stays as it was, and nothing breaks on hostile bodies."""

import json
from typing import Any

import aiohttp
import pytest

from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, PASSWORD, House
from tests.support.synapse import Account, Answer, RunningSynapse

NAME = "Jane Smith's telephone"


async def send(synapse: RunningSynapse, method: str, path: str, body: bytes, token: str | None = None) -> Answer:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, synapse.url + path, data=body, headers=headers) as response,
    ):
        return Answer(response.status, await response.json())


async def device_names(house: House, person: Account) -> dict[str, str | None]:
    known = await house.synapse.ask("GET", f"{CLIENT}/devices", person.access_token)
    return {one["device_id"]: one.get("display_name") for one in known["devices"]}


def login(person: Account, **more: Any) -> dict[str, Any]:
    identifier = {"type": "m.id.user", "user": person.user_id}
    return {"type": "m.login.password", "identifier": identifier, "password": person.password, **more}


async def test_no_device_gets_a_name_from_a_registration_a_login_or_its_owner(house: House) -> None:
    paper = house.issue()
    made = await house.register(paper.code, initial_device_display_name=NAME)
    person = Account(made.body["user_id"], made.body["device_id"], made.body["access_token"], PASSWORD)

    named = login(person, initial_device_display_name=NAME)
    second = await house.synapse.request("POST", f"{CLIENT}/login", body=named)
    path = f"{CLIENT}/devices/{person.device_id}"
    renamed = await house.synapse.request("PUT", path, person.access_token, {"display_name": NAME})

    assert (second.status, renamed.status) == (200, 200)
    assert await device_names(house, person) == {person.device_id: None, second.body["device_id"]: None}


@pytest.mark.parametrize("told", [NAME, "WATCHER-ABCDEFGH", "", "x" * 600, "\0", "\ud800", ["x"], {"a": 1}, 7, None])
async def test_nobody_says_what_a_new_device_is_called_because_clients_would_show_it(
    house: House, told: object
) -> None:
    made = await house.register(house.issue().code, device_id=told)
    person = Account(made.body["user_id"], made.body["device_id"], made.body["access_token"], PASSWORD)

    new = await house.synapse.request("POST", f"{CLIENT}/login", body=login(person, device_id=told))
    again = await house.synapse.request("POST", f"{CLIENT}/login", body=login(person, device_id=person.device_id))

    assert (made.status, new.status, again.status) == (200, 200, 200)
    assert told not in (made.body["device_id"], new.body["device_id"])
    assert again.body["device_id"] == person.device_id


async def test_the_house_says_itself_what_its_devices_are_called(house: House) -> None:
    named = fresh_name("WATCHER")

    answer = await house.synapse.request("POST", f"{CLIENT}/login", body=login(house.concierge, device_id=named))

    assert answer.status == 200, answer
    assert answer.body["device_id"] == named


@pytest.mark.parametrize(
    "typed", ["jane", "JANE SMITH", "", "\u0000", "@jane:keyhouse.test", "a" * 600, 7, None, ["x"]]
)
async def test_a_name_that_somebody_types_is_neither_used_nor_looked_at(house: House, typed: object) -> None:
    paper = house.issue()

    answer = await house.register(paper.code, username=typed)

    assert answer.status == 200, answer
    assert answer.body["user_id"] == f"@{paper.pseudonym}:{house.synapse.server_name}"


async def test_a_telephone_may_be_woken_but_keeps_its_name_to_itself(house: House) -> None:
    person = await house.person()
    pusher = {
        **{"kind": "http", "app_id": "uk.test", "app_display_name": NAME, "device_display_name": NAME},
        **{"pushkey": fresh_name("key"), "lang": "en", "data": {"url": "http://127.0.0.1:9/_matrix/push/v1/notify"}},
    }

    set_up = await house.synapse.request("POST", f"{CLIENT}/pushers/set", person.access_token, pusher)
    mail = {**pusher, "kind": "email", "pushkey": "jane@example.org"}
    by_mail = await house.synapse.request("POST", f"{CLIENT}/pushers/set", person.access_token, mail)

    assert set_up.status == 200, set_up
    assert (by_mail.status, by_mail.errcode) == (403, "UK.KEYHOUSE.HOUSE_DOES_THIS")
    kept = (await house.synapse.ask("GET", f"{CLIENT}/pushers", person.access_token))["pushers"]
    names = ("device_display_name", "app_display_name", "pushkey", "lang")
    assert [tuple(one[name] for name in names) for one in kept] == [("-", "-", pusher["pushkey"], "en")]


HOSTILE = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "half of UTF-8": b'{"username": "\xc3"}',
    "a NUL": b'{"username": "\\u0000", "initial_device_display_name": "\\u0000"}',
    "a lone surrogate": b'{"initial_device_display_name": "\\ud800", "type": "\\udfff"}',
    "not a number": b'{"username": NaN}',
    "too large a number": b'{"username": 1e999, "x": 1e999}',
    "a long number": b'{"username": "x", "x": ' + b"9" * 5000 + b"}",
    "a deep list": b'{"username": "x", "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "a list almost too deep": b'{"username": "x", "x": ' + b"[" * 900 + b"]" * 900 + b"}",
    "twice the same": b'{"username": "x", "username": "y", "auth": {}, "auth": 7}',
    "auth that is a list": b'{"auth": []}',
    "a session that is a number": b'{"auth": {"session": 7}}',
    "a session that nobody began": b'{"auth": {"session": "nobody", "type": "m.login.dummy"}}',
    "a session with a lone surrogate": b'{"auth": {"session": "\\ud800"}}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("path", ["register", "login", "pushers/set", "devices/X"])
async def test_a_hostile_body_is_answered_as_synapse_alone_would(
    house: House, synapse: RunningSynapse, path: str, body: bytes
) -> None:
    method = "PUT" if "devices" in path else "POST"
    asking = path in ("register", "login")
    guarded = None if asking else (await house.person()).access_token
    alone = None if asking else (await synapse.register(fresh_name("person"), PASSWORD)).access_token

    ours = await send(house.synapse, method, f"{CLIENT}/{path}", body, guarded)
    theirs = await send(synapse, method, f"{CLIENT}/{path}", body, alone)

    assert ours.status == theirs.status or (ours.status in (400, 401) and theirs.status in (400, 401, 500)), ours


async def test_a_body_of_more_than_64_kib_is_refused_with_a_sentence_and_one_of_less_is_read(house: House) -> None:
    person = await house.person()

    large = await send(house.synapse, "POST", f"{CLIENT}/login", json.dumps(login(person, x="x" * 70_000)).encode())
    small = await send(house.synapse, "POST", f"{CLIENT}/login", json.dumps(login(person, x="x" * 60_000)).encode())

    assert (large.status, large.errcode) == (413, "M_TOO_LARGE")
    assert "try again" in large.body["error"]
    assert small.status == 200
