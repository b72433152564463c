"""The independent client works against a plain Synapse, and is as strict as we rely on."""

import pytest

from tests.support.client import Client, Clients
from tests.support.client_process import ClientRefusedError
from tests.support.synapse import RunningSynapse


async def two_in_a_room(synapse: RunningSynapse, clients: Clients) -> tuple[Client, Client, str]:
    alice = await clients.register(synapse.url, synapse.shared_secret)
    bob = await clients.register(synapse.url, synapse.shared_secret)
    room = await alice.create_room("A room", invite=[bob.user_id])
    await bob.wait_member(room, bob.user_id)
    await alice.wait_member(room, bob.user_id)
    return alice, bob, room


async def test_two_strict_clients_read_each_other_without_a_shield(synapse: RunningSynapse, clients: Clients) -> None:
    alice, bob, room = await two_in_a_room(synapse, clients)

    for sender, receiver in ((alice, bob), (bob, alice)):
        event_id = await sender.send(room, f"from {sender.name}")
        seen = await receiver.wait_message(room, sender=sender.user_id)

        assert (seen.event_id, seen.body) == (event_id, f"from {sender.name}")
        assert (seen.encrypted, seen.decrypt_state, seen.shield) == (True, "ok", "NONE")

    assert alice.cross_signing_ready
    assert bob.cross_signing_ready
    assert await clients.refused_network() == []


async def test_a_second_device_signed_by_the_recovery_key_is_read_without_a_shield(
    synapse: RunningSynapse, clients: Clients
) -> None:
    alice, bob, room = await two_in_a_room(synapse, clients)
    recovery_key = await bob.set_up_recovery()

    phone = await clients.log_in(synapse.url, bob.user_id, bob.password or "", recovery_key=recovery_key)
    await alice.wait_device(bob.user_id, phone.device_id, signed=True)
    await phone.send(room, "from the phone")
    seen = await alice.wait_message(room, contains="from the phone")

    assert (seen.decrypt_state, seen.shield) == ("ok", "NONE")


async def test_an_unsigned_device_gets_no_key_and_is_not_believed(synapse: RunningSynapse, clients: Clients) -> None:
    alice, bob, room = await two_in_a_room(synapse, clients)
    unsigned = await clients.log_in(synapse.url, bob.user_id, bob.password or "", bootstrap=False)
    trust = await alice.wait_device(bob.user_id, unsigned.device_id)

    withheld = await alice.send(room, "not for unsigned devices")
    unreadable = await unsigned.wait_unreadable(room, withheld)
    await unsigned.believe_unsigned()
    sent = await unsigned.send(room, "from an unsigned device")
    doubted = await alice.wait_unreadable(room, sent)

    assert not trust["signed_by_owner"]
    assert unreadable.failure == "MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE"
    assert doubted.failure == "UNSIGNED_SENDER_DEVICE"
    assert (await bob.wait_message(room, event_id=withheld)).decrypt_state == "ok"


async def test_a_strict_client_does_not_send_from_an_unsigned_device(synapse: RunningSynapse, clients: Clients) -> None:
    _, bob, room = await two_in_a_room(synapse, clients)
    unsigned = await clients.log_in(synapse.url, bob.user_id, bob.password or "", bootstrap=False)

    with pytest.raises(ClientRefusedError, match="not verified"):
        await unsigned.send(room, "must not go out")


async def test_what_was_sent_while_a_phone_was_offline_is_read_when_it_comes_back(
    synapse: RunningSynapse, clients: Clients
) -> None:
    alice, bob, room = await two_in_a_room(synapse, clients)

    await bob.wait_device(alice.user_id, alice.device_id, signed=True)
    await bob.go_offline()
    event_id = await alice.send(room, "while you were away")
    with pytest.raises(ClientRefusedError, match="timeout"):
        await bob.wait_message(room, event_id=event_id, timeout=1)
    await bob.come_back()

    assert (await bob.wait_message(room, event_id=event_id)).shield == "NONE"


async def test_waiting_for_what_never_comes_ends_at_the_deadline(synapse: RunningSynapse, clients: Clients) -> None:
    alice = await clients.register(synapse.url, synapse.shared_secret)
    room = await alice.create_room("An empty room")

    with pytest.raises(ClientRefusedError, match="timeout after 1000ms"):
        await alice.wait_message(room, contains="never sent", timeout=1)
