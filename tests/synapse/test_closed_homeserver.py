"""What the written settings do on a real Synapse, without our module."""

import asyncio
from typing import Any

import pytest

from tests.support.client import Clients
from tests.support.client_process import ClientRefusedError
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, WILLOW, House
from tests.support.synapse import Account, RunningSynapse

ROOMS_OF_A_NEWCOMER = 12


@pytest.fixture
async def admin(synapse: RunningSynapse) -> Account:
    return await synapse.register(fresh_name("admin"), "a long password", admin=True)


async def a_person(synapse: RunningSynapse) -> Account:
    return await synapse.register(fresh_name("person"), "a long password")


async def test_an_account_made_by_provisioning_is_named_by_its_localpart_and_has_no_picture(
    synapse: RunningSynapse,
) -> None:
    localpart = fresh_name("person")

    account = await synapse.register(localpart, "a long password")
    profile = await synapse.ask("GET", f"/_matrix/client/v3/profile/{account.user_id}", account.access_token)

    assert account.user_id == f"@{localpart}:{synapse.server_name}"
    assert profile == {"displayname": localpart}


async def test_provisioning_may_name_a_team_account_although_nobody_names_themselves(
    synapse: RunningSynapse, admin: Account
) -> None:
    user_id = f"@{fresh_name('team')}:{synapse.server_name}"
    body = {"password": "a long password", "displayname": "Maya (nurse)"}

    made = await synapse.request("PUT", f"/_synapse/admin/v2/users/{user_id}", admin.access_token, body)
    known = await synapse.ask("GET", f"/_synapse/admin/v2/users/{user_id}", admin.access_token)

    assert made.status == 201
    assert known["displayname"] == "Maya (nurse)"


@pytest.mark.parametrize(
    ("field", "value"),
    [("displayname", "Jane Smith"), ("avatar_url", "mxc://keyhouse.test/aaaaaaaaaaaaaaaa")],
)
async def test_nobody_names_or_pictures_themselves(synapse: RunningSynapse, field: str, value: str) -> None:
    person = await a_person(synapse)
    path = f"/_matrix/client/v3/profile/{person.user_id}/{field}"

    answer = await synapse.request("PUT", path, person.access_token, {field: value})

    assert (answer.status, answer.errcode) == (403, "M_FORBIDDEN")


@pytest.mark.parametrize("path", ["/_matrix/federation/v1/version", "/_matrix/key/v2/server"])
async def test_no_other_server_is_answered(synapse: RunningSynapse, path: str) -> None:
    assert (await synapse.request("GET", path)).status == 404


async def test_a_newcomer_invited_to_twelve_rooms_at_once_is_in_all_of_them(
    synapse: RunningSynapse, clients: Clients
) -> None:
    # More rooms than Synapse's own limits let one person be invited to, or join, at a time.
    hosts = [await a_person(synapse) for _ in range(3)]
    newcomer = await clients.register(synapse.url, synapse.shared_secret)
    body = {"preset": "private_chat", "invite": [newcomer.user_id]}
    paths = [
        ("POST", "/_matrix/client/v3/createRoom", hosts[n % 3].access_token, body) for n in range(ROOMS_OF_A_NEWCOMER)
    ]

    rooms = [made["room_id"] for made in await asyncio.gather(*(synapse.ask(*path) for path in paths))]

    await asyncio.gather(*(newcomer.wait_member(room, newcomer.user_id) for room in rooms))


async def test_a_new_room_is_of_version_twelve_and_says_itself_whether_it_is_encrypted(synapse: RunningSynapse) -> None:
    person = await a_person(synapse)
    made = await synapse.ask("POST", "/_matrix/client/v3/createRoom", person.access_token, {"preset": "private_chat"})

    path = f"/_matrix/client/v3/rooms/{made['room_id']}/state"
    create = await synapse.ask("GET", f"{path}/m.room.create", person.access_token)
    encryption = await synapse.request("GET", f"{path}/m.room.encryption", person.access_token)

    assert create["room_version"] == "12"
    assert encryption.status == 404


async def test_a_code_lets_one_person_register_and_a_wrong_one_nobody(
    synapse: RunningSynapse, clients: Clients, admin: Account
) -> None:
    path = "/_synapse/admin/v1/registration_tokens/new"
    code = (await synapse.ask("POST", path, admin.access_token, {"uses_allowed": 1}))["token"]

    person = await clients.register_with_code(synapse.url, code, username=fresh_name("person"))

    assert person.cross_signing_ready
    for wrong in (code, "never-issued"):
        with pytest.raises(ClientRefusedError, match=r"m\.login\.registration_token was refused"):
            await clients.register_with_code(synapse.url, wrong)


async def test_what_somebody_says_of_themselves_by_their_presence_is_shown_to_nobody(house: House) -> None:
    speaker, reader = await house.person(WILLOW), await house.person(WILLOW)
    await house.room_with(speaker, reader)
    path = f"{CLIENT}/presence/{speaker.user_id}/status"

    await house.synapse.request("PUT", path, speaker.access_token, {"presence": "online", "status_msg": "Jane Smith"})

    seen = await house.synapse.request("GET", path, reader.access_token)
    assert "Jane" not in str(seen.body)
    assert seen.body.get("presence", "offline") == "offline"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/_matrix/client/v1/media/preview_url?url=https://example.org/jane", None),
        ("GET", "/_matrix/media/v3/preview_url?url=https://example.org/jane", None),
        ("POST", f"{CLIENT}/search", {"search_categories": {"room_events": {"search_term": "hello"}}}),
    ],
    ids=["preview", "preview, the older way", "search"],
)
async def test_no_link_is_looked_at_and_no_word_searched_by_the_homeserver(
    house: House, method: str, path: str, body: dict[str, Any] | None
) -> None:
    person = await house.person(WILLOW)

    assert (await house.synapse.request(method, path, person.access_token, body)).status in (400, 403, 404)


async def test_the_list_of_rooms_is_empty_for_everybody(house: House) -> None:
    person = await house.person(WILLOW)
    await house.room_with(person)

    listed = await house.synapse.ask("GET", f"{CLIENT}/publicRooms", person.access_token)

    assert listed["chunk"] == []
