"""What the gate refuses, on every path of Synapse's, and that its twins pass."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from keyhouse.core.sentences import SENTENCES
from keyhouse.core.verdict import Reason
from synapse_module.gate.servlets import REFUSED
from tests.support.door import running_house
from tests.support.fresh import fresh_name
from tests.support.house_with_door import CLIENT, ROWAN, WILLOW, House
from tests.support.synapse import Account
from tests.synapse.servlets import census, paths_of

HOUSE_DOES_THIS = (403, "UK.KEYHOUSE.HOUSE_DOES_THIS")


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_gate_refuses_is_refused_on_every_path_that_synapse_has_for_it(house: House, name: str) -> None:
    person = await house.person()
    method, servlet = name.split(" ")[0], census()[name]
    named = {"user_id": quote(person.user_id), "field_name": "m.email", "medium": "email", "delay_id": "delay"}

    answers = {
        path: await house.synapse.request(method, path, person.access_token, {} if method != "GET" else None)
        for path in paths_of(servlet, **named)
    }

    assert {(answer.status, answer.errcode) for answer in answers.values()} == {HOUSE_DOES_THIS}, answers
    assert all(answer.body["error"] == SENTENCES[Reason.HOUSE_DOES_THIS] for answer in answers.values())


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    "field", ["displayname", "avatar_url", "m.tz", "uk.nhs.email", "", "%64isplayname", "a b", "ﬁ"]
)
async def test_no_field_of_a_profile_is_written_whatever_it_is_called_and_whoever_asks(
    house: House, method: str, field: str
) -> None:
    person = await house.person()

    for asking in (person, house.concierge, house.caretaker):
        path = f"{CLIENT}/profile/{quote(person.user_id)}/{quote(field, safe='%')}"
        answer = await house.synapse.request(method, path, asking.access_token, {field: "jane@example.org"})
        assert (answer.status, answer.errcode) == HOUSE_DOES_THIS
    seen = await house.synapse.ask("GET", f"{CLIENT}/profile/{person.user_id}", person.access_token)
    assert seen == {"displayname": person.user_id[1:].split(":")[0]}


async def test_clients_are_told_that_no_name_picture_field_or_address_is_set_here(house: House) -> None:
    person = await house.person()

    told = (await house.synapse.ask("GET", f"{CLIENT}/capabilities", person.access_token))["capabilities"]

    offered = ("m.set_displayname", "m.set_avatar_url", "m.3pid_changes", "m.profile_fields")
    assert [told[one] for one in offered] == [{"enabled": False}] * 4
    assert told["m.room_versions"]["default"] == "12"


async def test_the_house_names_its_accounts_as_an_admin_does(house: House) -> None:
    person, name = await house.person(), fresh_name("name")

    path = f"/_synapse/admin/v2/users/{person.user_id}"
    answer = await house.synapse.request("PUT", path, house.caretaker.access_token, {"displayname": name})

    assert answer.status == 200, answer
    seen = await house.synapse.ask("GET", f"{CLIENT}/profile/{person.user_id}", person.access_token)
    assert seen == {"displayname": name}


async def test_an_event_with_a_delay_is_refused_and_the_same_without_it_goes_out(house: House) -> None:
    person = await house.person()
    room = await house.room_with(person)
    message = f"{CLIENT}/rooms/{room}/send/m.reaction/{fresh_name('txn')}"
    state = f"{CLIENT}/rooms/{room}/state/m.room.topic/"

    for late in (message, state):
        for delay in ("60000", "0", "%00", "-1", "x"):
            query = f"?org.matrix.msc4140.delay={delay}"
            answer = await house.synapse.request("PUT", late + query, house.concierge.access_token, {"topic": "x"})
            assert (answer.status, answer.errcode) == HOUSE_DOES_THIS

    assert (await house.synapse.request("PUT", state, house.concierge.access_token, {"topic": "x"})).status == 200


@pytest.mark.parametrize(
    "kind",
    [
        *("m.room.encrypted", "m.room_key_request", "m.room_key.withheld", "org.matrix.room_key.withheld"),
        *("m.key.verification.request", "m.key.verification.mac", "m.secret.request", "m.dummy"),
    ],
)
async def test_what_encryption_needs_reaches_another_device(house: House, kind: str) -> None:
    sender, receiver = await house.person(WILLOW), await house.person(WILLOW)
    await house.room_with(sender, receiver)
    content = {"x": fresh_name("content")}
    path = f"{CLIENT}/sendToDevice/{kind}/{fresh_name('txn')}"

    body = {"messages": {receiver.user_id: {receiver.device_id: content}}}
    answer = await house.synapse.request("PUT", path, sender.access_token, body)

    assert answer.status == 200, answer
    seen = await house.synapse.ask("GET", f"{CLIENT}/sync", receiver.access_token)
    events = seen["to_device"]["events"]
    assert [(event["type"], event["content"]) for event in events] == [(kind, content)]


@pytest.mark.parametrize(
    "kind",
    [
        *("m.room.message", "uk.jane", "m.room.encrypted%00", "M.ROOM.ENCRYPTED", "m.room_key", "m.call", ""),
        *("m.key.verification", "m.key.verification.jane%20smith"),
    ],
)
async def test_a_letter_to_the_device_of_a_stranger_is_refused(house: House, kind: str) -> None:
    sender, receiver = await house.person(), await house.person()

    body = {"messages": {receiver.user_id: {"*": {"body": "I know who you are"}}}}
    path = f"{CLIENT}/sendToDevice/{kind}/{fresh_name('txn')}"
    answer = await house.synapse.request("PUT", path, sender.access_token, body)

    assert (answer.status, answer.errcode) == HOUSE_DOES_THIS
    seen = await house.synapse.ask("GET", f"{CLIENT}/sync", receiver.access_token)
    assert seen.get("to_device", {}).get("events", []) == []


@pytest.mark.parametrize("kind", ["m.room.encrypted", "m.key.verification.request", "m.dummy"])
async def test_what_encryption_is_made_of_does_not_reach_a_stranger_and_nobody_is_told(house: House, kind: str) -> None:
    sender, neighbour, stranger = await house.person(WILLOW), await house.person(WILLOW), await house.person(ROWAN)
    await house.room_with(sender, neighbour)

    letter = {"*": {"body": "I know who you are"}}
    body = {
        "messages": dict.fromkeys((neighbour.user_id, stranger.user_id, "@nobody:here", "\x00", sender.user_id), letter)
    }
    path = f"{CLIENT}/sendToDevice/{kind}/{fresh_name('txn')}"
    answer = await house.synapse.request("PUT", path, sender.access_token, body)

    assert (answer.status, answer.body) == (200, {})
    reached = {who: await letters_to(house, who) for who in (neighbour, stranger, sender)}
    assert reached == {neighbour: [kind], stranger: [], sender: [kind]}


async def test_the_house_and_a_person_reach_each_other_wherever_they_stand(house: House) -> None:
    person = await house.person(WILLOW)

    for sender, reader in ((person, house.concierge), (house.concierge, person)):
        body = {"messages": {reader.user_id: {"*": {"body": "a room key"}}}}
        path = f"{CLIENT}/sendToDevice/m.room.encrypted/{fresh_name('txn')}"
        await house.synapse.ask("PUT", path, sender.access_token, body)

        assert "m.room.encrypted" in await letters_to(house, reader)


async def letters_to(house: House, person: Account) -> list[str]:
    seen = await house.synapse.ask("GET", f"{CLIENT}/sync", person.access_token)
    return [event["type"] for event in seen.get("to_device", {}).get("events", [])]


@pytest_asyncio.fixture(loop_scope="session")
async def trying_house(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose Synapse has what is still being tried out switched on."""
    tried = {"msc4133_enabled": True, "msc4140_enabled": True}
    extra = {"experimental_features": tried, "max_event_delay_duration": "1h"}
    async with running_house(tmp_path, extra=extra) as running:
        yield running


async def test_what_synapse_is_still_trying_out_is_refused_too(trying_house: House) -> None:
    person = await trying_house.person()
    profile = f"/_matrix/client/unstable/uk.tcpip.msc4133/profile/{person.user_id}/m.email"
    delayed = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/delay"

    for method, path in (("PUT", profile), ("DELETE", profile), ("POST", delayed), ("POST", delayed + "/send")):
        answer = await trying_house.synapse.request(method, path, person.access_token, {"m.email": "x"})
        assert (answer.status, answer.errcode) == HOUSE_DOES_THIS, path
