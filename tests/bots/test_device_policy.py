"""Who gets the keys of a bot's message: by policy, and always by the newest devices and members."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bots.runtime.answers import send_answer
from bots.runtime.clock import utc_now
from bots.runtime.device_policy import DevicePolicy, PeoplesDevices, read_devices
from bots.runtime.homeserver import Homeserver
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import RoomId, UserId
from keyhouse.core.outgoing import NewOutgoing, OutgoingKind, Worker
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.settings.house import HouseSettings
from tests.bots.breakable import Breakable
from tests.bots.conftest import People
from tests.bots.living import LivingBot, living
from tests.support.client import Client, Clients
from tests.support.fresh import fresh_name
from tests.support.synapse import RunningSynapse

OWNER_SIGNED, ALL_DEVICES = DevicePolicy.OWNER_SIGNED, DevicePolicy.ALL_DEVICES


async def said(bot: LivingBot, room: str, policy: DevicePolicy) -> str:
    """The bot says something; gives the event's id."""
    words = fresh_name("words")
    return await bot.client.sending.send_message(room, {"msgtype": "m.text", "body": words}, words, policy)


async def told_of(bot: LivingBot, user_id: str, devices: int) -> None:
    """Wait until the bot has heard of so many devices of a person."""
    await bot.seen.until(lambda: len(bot.client._devices.of(user_id)) == devices)


@pytest.fixture
def second_device(clients: Clients, synapse: RunningSynapse) -> Any:
    """Logs a person in on another phone that nobody has signed."""

    async def log_in(owner: Client) -> Client:
        return await clients.log_in(synapse.url, owner.user_id, str(owner.password), bootstrap=False)

    return log_in


async def test_an_unsigned_device_reads_a_desk_message_and_no_other(bot: LivingBot, person: People) -> None:
    unsigned = await person(bootstrap=False)
    room = await bot.join(unsigned)

    for_signed = await said(bot, room, OWNER_SIGNED)
    for_all = await said(bot, room, ALL_DEVICES)
    for_signed_again = await said(bot, room, OWNER_SIGNED)

    assert (await unsigned.wait_message(room, event_id=for_all)).shield == "NONE"
    assert (await unsigned.wait_unreadable(room, for_signed)).decrypt_state == "failed"
    assert (await unsigned.wait_unreadable(room, for_signed_again)).decrypt_state == "failed"


async def test_a_device_that_is_signed_later_reads_the_next_message(bot: LivingBot, person: People) -> None:
    alice, late = await person(), await person(bootstrap=False)
    room = await bot.join(alice, late)

    before = await said(bot, room, OWNER_SIGNED)
    assert (await late.wait_unreadable(room, before)).decrypt_state == "failed"
    await late.command("bootstrap_cross_signing")
    await bot.seen.until(lambda: any(each.owner_signed for each in bot.client._devices.of(late.user_id)))
    after = await said(bot, room, OWNER_SIGNED)

    assert (await late.wait_message(room, event_id=after)).shield == "NONE"
    assert (await alice.wait_message(room, event_id=before)).shield == "NONE"


async def test_a_new_device_reads_the_next_desk_message(bot: LivingBot, person: People, second_device: Any) -> None:
    alice = await person()
    room = await bot.join(alice)
    await alice.wait_message(room, event_id=await said(bot, room, ALL_DEVICES))

    phone = await second_device(alice)
    await told_of(bot, alice.user_id, 2)
    after = await said(bot, room, ALL_DEVICES)

    assert (await phone.wait_message(room, event_id=after)).shield == "NONE"
    assert alice.user_id in bot.seen.devices_of


async def test_a_removed_device_and_a_removed_person_end_the_room_key(
    bot: LivingBot, person: People, second_device: Any
) -> None:
    alice, bob = await person(), await person()
    room = await bot.join(alice, bob)
    phone = await second_device(alice)
    await told_of(bot, alice.user_id, 2)

    async def session() -> str:
        seen = await alice.wait_message(room, event_id=await said(bot, room, ALL_DEVICES))
        return str(seen.raw["wire"]["session_id"])

    first = await session()
    same = await session()
    await phone.command("logout")
    await told_of(bot, alice.user_id, 1)
    without_phone = await session()
    await alice.kick(room, bob.user_id)
    without_bob = await session()

    assert first == same
    assert len({same, without_phone, without_bob}) == 3


async def test_somebody_who_joined_a_moment_ago_reads_the_very_next_message(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice, bob = await person(), await person()
        room = await bot.join(alice)
        await said(bot, room, OWNER_SIGNED)

        # The stream has not told of bob yet.
        door.refused = "/sync"
        await alice.invite(room, bob.user_id)
        await bob.join(room)
        at_once = await said(bot, room, OWNER_SIGNED)

        assert bob.user_id not in bot.client._rooms[room].joined
        assert (await bob.wait_message(room, event_id=at_once)).shield == "NONE"


async def test_a_persons_first_device_is_an_event(bot: LivingBot, synapse: RunningSynapse, clients: Clients) -> None:
    account = await synapse.register(fresh_name("person"), "a long password")
    created = await bot.client.sending.create_room({"preset": "private_chat", "invite": [account.user_id]}, "one")
    await bot.client.sending.put_state(created, "m.room.encryption", "", {"algorithm": "m.megolm.v1.aes-sha2"})
    await synapse.ask("POST", f"/_matrix/client/v3/join/{created}", account.access_token, {})
    before = await bot.client.sending.has_devices(account.user_id)

    phone = await clients.log_in(synapse.url, account.user_id, account.password, bootstrap=False)
    await bot.seen.until(lambda: account.user_id in bot.seen.devices_of)

    assert not before
    assert await bot.client.sending.has_devices(account.user_id)
    greeting = await said(bot, created, ALL_DEVICES)
    assert (await phone.wait_message(created, event_id=greeting)).shield == "NONE"


async def test_an_answer_that_a_change_overtook_is_asked_for_again(
    door: Breakable, person: People, second_device: Any
) -> None:
    alice = await person()
    homeserver = Homeserver(door.url, alice.access_token)
    devices = PeoplesDevices(homeserver)

    door.held = "/keys/query"
    asking = asyncio.create_task(devices.know([alice.user_id]))
    await asyncio.wait_for(door.holding.wait(), 20)
    await second_device(alice)
    devices.outdate([alice.user_id])
    door.released.set()
    await asking

    assert len(devices.of(alice.user_id)) == 2
    await homeserver.close()


async def test_the_rooms_own_limit_ends_a_room_key(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    limits = {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 2}
    await alice.request("PUT", f"/_matrix/client/v3/rooms/{room}/state/m.room.encryption", limits)
    await bot.seen.until(lambda: True)
    await bot.seen.event(await alice.send(room, "now"))

    sent = [await said(bot, room, OWNER_SIGNED) for _ in range(3)]
    seen = [(await alice.wait_message(room, event_id=each)).raw["wire"]["session_id"] for each in sent]

    assert seen[0] == seen[1]
    assert seen[1] != seen[2]


MALFORMED = {
    "no device": None,
    "list": ["x"],
    "another name": {"user_id": "@b:x", "device_id": "B", "keys": {}},
    "no keys": {"user_id": "@a:x", "device_id": "A"},
    "keys that are none": {"user_id": "@a:x", "device_id": "A", "keys": {"ed25519:A": "%", "curve25519:A": 5}},
    "not signed by itself": {
        "user_id": "@a:x",
        "device_id": "A",
        "keys": {"ed25519:A": "A" * 43, "curve25519:A": "A" * 43},
        "signatures": {"@a:x": {"ed25519:A": "A" * 86}},
    },
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_device_is_left_out(content: Any) -> None:
    assert read_devices({"device_keys": {"@a:x": {"A": content}}}, "@a:x") == []


async def test_an_edit_is_for_the_same_devices_as_what_it_edits(bot: LivingBot, person: People) -> None:
    unsigned = await person(bootstrap=False)
    room = await bot.join(unsigned)
    card = await said(bot, room, OWNER_SIGNED)
    taken = {"msgtype": "m.text", "body": "taken"}

    edit_for_signed = await bot.client.sending.edit(room, card, taken, fresh_name("edit"), OWNER_SIGNED)
    edit_for_all = await bot.client.sending.edit(room, card, taken, fresh_name("edit"), ALL_DEVICES)

    assert (await unsigned.wait_message(room, event_id=edit_for_all)).content["m.new_content"] == taken
    assert (await unsigned.wait_unreadable(room, edit_for_signed)).decrypt_state == "failed"


@pytest.mark.parametrize(
    ("kind", "read"),
    [pytest.param(RoomKind.DESK, True, id="desk"), pytest.param(RoomKind.CARE, False, id="care room")],
)
async def test_an_answer_is_read_on_an_unsigned_phone_at_the_desk_alone(
    bot: LivingBot, person: People, kind: RoomKind, read: bool
) -> None:
    unsigned = await person(bootstrap=False)
    room = await bot.join(unsigned)
    settings = HouseSettings(server_name="k.h", homeserver="http://h", front_door="f", database="d", config=Path())
    around = Surroundings(settings, bot.ledger, bot.client.sending, UserId(bot.user_id), utc_now)
    scope = RoomScope(RoomId(room), fresh_name("room"), kind, "A room", service=None)
    await bot.ledger.write(lambda tx: tx.rooms.put(scope))
    command = await said(bot, room, ALL_DEVICES)
    await bot.ledger.write(lambda tx: tx.outbox.add(answer_to(command, room), utc_now()))
    (row,) = await bot.ledger.read(lambda tx: tx.outbox.due(Worker.RISK_MONITOR, utc_now(), 9))

    await send_answer(around, row)

    if read:
        assert (await unsigned.wait_message(room, contains="here is your answer")).sender == bot.user_id
    else:
        assert (await unsigned.wait_unreadable(room)).sender == bot.user_id


def answer_to(event_id: str, room: str) -> NewOutgoing:
    """What was decided to be answered."""
    content = {"room_id": room, "markdown": "here is your answer", "reply_to": event_id}
    return NewOutgoing(OutgoingKind.ANSWER, Worker.RISK_MONITOR, fresh_name("answer"), content, utc_now())
