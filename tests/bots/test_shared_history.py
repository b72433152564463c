"""Room keys that come with an invitation are taken from the inviter's signed device, and from nobody else."""

import base64
import hashlib
import io
import json
import secrets
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from bots.runtime import shared_history
from tests.bots.conftest import People
from tests.bots.living import LivingBot
from tests.bots.test_missing_room_keys import counted
from tests.support.client import Client, Clients


async def room_with_history(client: Client) -> tuple[str, list[str]]:
    """A room whose history is shared with whom is invited, and three messages in it."""
    room = await client.create_room("room", history_visibility="shared")
    return room, [await client.send(room, f"history {number}") for number in range(3)]


async def readable(bot: LivingBot, room: str, sent: list[str]) -> list[str]:
    """Those of these messages that the bot can read now."""
    olm, homeserver = bot.client._olm, bot.client._homeserver
    words = []
    for event_id in sent:
        event = await homeserver.get(f"/_matrix/client/v3/rooms/{room}/event/{event_id}")
        if olm.kept.of(room, event["content"]["session_id"]):
            words.append(olm.read_room_event(room, event).payload["content"]["body"])
    return words


async def invite_alone(client: Client, bot: LivingBot, room: str) -> None:
    """Invite the bot past the client's encryption, which would share the history by itself."""
    await client.request("POST", f"/_matrix/client/v3/rooms/{room}/invite", {"user_id": bot.user_id})


async def enter(bot: LivingBot, room: str) -> None:
    await bot.client.sending.join(room)
    await bot.seen.until(lambda: room in bot.client._olm.arrivals.rooms)


async def send_bundle(client: Client, bot: LivingBot, room: str, content: dict[str, Any], **broken: Any) -> None:
    """Upload a bundle and tell the bot where it is, as an inviter's client does. broken: fields of the file."""
    key, iv = secrets.token_bytes(32), secrets.token_bytes(8) + bytes(8)
    encryptor = Cipher(AES(key), CTR(iv)).encryptor()
    sealed = encryptor.update(json.dumps(content).encode()) + encryptor.finalize()
    file = {
        "v": "v2",
        "url": await uploaded(client, sealed),
        "key": {"alg": "A256CTR", "ext": True, "kty": "oct", "key_ops": ["encrypt", "decrypt"], "k": url_safe(key)},
        "iv": unpadded(iv),
        "hashes": {"sha256": unpadded(hashlib.sha256(sealed).digest())},
        **broken,
    }
    device = {"user": bot.user_id, "device": bot.client.device_id}
    told = {"room_id": room, "file": file}
    await client.command("to_device_encrypted", type="m.room_key_bundle", content=told, **device)


async def uploaded(client: Client, content: bytes) -> str:
    at = f"{client.homeserver}/_matrix/media/v3/upload"
    headers = {"Authorization": f"Bearer {client.access_token}"}
    async with aiohttp.ClientSession() as http, http.post(at, data=io.BytesIO(content), headers=headers) as answer:
        return str((await answer.json())["content_uri"])


def unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def url_safe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def keys_of(client: Client, room: str) -> list[Any]:
    keys = (await client.command("export_keys"))["keys"]
    return [each for each in keys if each["room_id"] == room]


async def test_the_history_that_an_inviter_shares_is_read_whole(bot: LivingBot, person: People) -> None:
    alice = await person()
    room, sent = await room_with_history(alice)

    await alice.invite(room, bot.user_id)
    await enter(bot, room)
    heard = [await bot.seen.event(each) for each in sent]

    assert [each.content["body"] for each in heard] == ["history 0", "history 1", "history 2"]
    assert bot.client.counts["bundles_refused"] == 0


async def test_a_message_read_by_a_shared_key_does_not_count_as_from_a_signed_device(
    bot: LivingBot, person: People
) -> None:
    alice = await person()
    room, sent = await room_with_history(alice)

    await alice.invite(room, bot.user_id)
    await enter(bot, room)
    by_shared_key = await bot.seen.event(sent[0])
    by_her_own = await bot.seen.event(await alice.send(room, "after"))

    assert by_shared_key.sender_device_signed is None
    assert by_her_own.sender_device_signed


async def test_the_history_is_not_taken_from_somebody_who_did_not_invite(bot: LivingBot, person: People) -> None:
    alice, bob = await person(), await person()
    room = await alice.create_room("room", [bob.user_id], history_visibility="shared")
    await bob.join(room)
    await alice.wait_member(room, bob.user_id)
    sent = [await alice.send(room, f"history {number}") for number in range(3)]
    await bob.wait_message(room, event_id=sent[-1])
    await invite_alone(alice, bot, room)

    await bob.command("share_history", room=room, user=bot.user_id)
    await enter(bot, room)
    await counted(bot, "bundles_refused")
    from_bob = await readable(bot, room, sent)
    await alice.command("share_history", room=room, user=bot.user_id)
    await counted(bot, "bundles_taken")

    assert from_bob == []
    assert len(await readable(bot, room, sent)) == 3


async def test_the_history_is_not_taken_from_an_unsigned_device_of_the_inviter(
    bot: LivingBot, person: People, clients: Clients
) -> None:
    alice = await person()
    assert alice.password is not None
    unsigned = await clients.log_in(alice.homeserver, alice.user_id, alice.password, bootstrap=False, strict=False)
    room, sent = await room_with_history(alice)
    await invite_alone(alice, bot, room)
    await enter(bot, room)
    bundle = {"room_keys": await keys_of(alice, room)}

    await send_bundle(unsigned, bot, room, bundle)
    await counted(bot, "bundles_refused")
    from_unsigned = await readable(bot, room, sent)
    await send_bundle(alice, bot, room, bundle)
    await counted(bot, "bundles_taken")

    assert from_unsigned == []
    assert len(await readable(bot, room, sent)) == 3


async def test_a_bundle_that_is_too_large_or_not_what_was_meant_or_of_another_room_brings_nothing(
    bot: LivingBot, person: People
) -> None:
    alice = await person()
    room, sent = await room_with_history(alice)
    other, _ = await room_with_history(alice)
    await invite_alone(alice, bot, room)
    await enter(bot, room)
    keys = await keys_of(alice, room)
    good = {"room_keys": keys}

    await send_bundle(alice, bot, room, good, hashes={"sha256": unpadded(bytes(32))})
    await send_bundle(alice, bot, room, good, url="mxc://keyhouse.test/never-uploaded")
    await send_bundle(alice, bot, room, good, url="https://keyhouse.test/elsewhere")
    await send_bundle(alice, bot, room, {"room_keys": {"not": "a list"}})
    await send_bundle(alice, bot, room, {**good, "filling": "x" * shared_history.BYTES_AT_MOST})
    await counted(bot, "bundles_refused", 5)
    taken_from_broken = await readable(bot, room, sent)
    await send_bundle(alice, bot, room, {"room_keys": [{"broken": 1}, *await keys_of(alice, other), *keys, 5]})
    await counted(bot, "bundles_taken")

    assert taken_from_broken == []
    assert len(await readable(bot, room, sent)) == 3
    assert not bot.client._olm.inbound_group_store[other]
