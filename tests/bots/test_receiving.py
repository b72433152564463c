"""What came in is in the database before the homeserver may forget it, and reaches the bot whatever goes wrong."""

import asyncio
import shutil
import sqlite3
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from bots.runtime.backfill import GapCut, pages_of_gap
from bots.runtime.client import HouseClient
from bots.runtime.credentials import BotCredentials, BotFiles
from bots.runtime.errors import SessionEnded
from bots.runtime.received import Message
from keyhouse.core.outgoing import Worker
from tests.bots.breakable import Breakable
from tests.bots.conftest import People, Unlimited
from tests.bots.living import LivingBot, Remembering, give_new_device, living
from tests.support.client import Client
from tests.support.eventually import eventually
from tests.support.ledgers import house_file, open_ledger
from tests.support.synapse import Account, RunningSynapse

SHOWN_AT_ONCE = 100
MISSED = SHOWN_AT_ONCE + 5
WATCHER = Worker.RISK_MONITOR


def heard(bot: LivingBot, room: str | None = None) -> list[str]:
    """The messages that the bot was handed, in their order."""
    return [e.event_id for e in bot.seen.events if isinstance(e, Message) and room in (None, e.room_id)]


def has_heard_of_devices(seen: Remembering, user_id: str) -> bool:
    """Say whether the bot was told that somebody's devices are new."""
    return user_id in seen.devices_of


async def say(synapse: RunningSynapse, client: Client, room: str, first: int, count: int) -> list[str]:
    """Send this many plain messages; give their ids."""
    at = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/"
    sent = []
    for number in range(first, first + count):
        told = {"msgtype": "m.text", "body": f"plain {number}"}
        sent.append((await synapse.ask("PUT", f"{at}{number}", client.access_token, told))["event_id"])
    return sent


async def test_a_slow_handler_of_one_room_holds_up_neither_the_stream_nor_another_room(
    bot: LivingBot, person: People
) -> None:
    alice = await person()
    slow, quick = await bot.join(alice), await bot.join(alice)
    bot.seen.holds_up = slow

    held = [await alice.send(slow, f"slow {number}") for number in range(3)]
    passed = [await alice.send(quick, f"quick {number}") for number in range(3)]
    await bot.seen.event(passed[-1])
    heard_meanwhile = heard(bot, slow)
    bot.seen.goes_on.set()
    await bot.seen.event(held[-1])

    assert heard_meanwhile == []
    assert (heard(bot, slow), heard(bot, quick)) == (held, passed)


async def test_while_the_database_is_away_the_token_stays_and_nothing_is_lost(
    bot: LivingBot, directory: Path, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice)
    await bot.seen.event(await alice.send(room, "before"))
    other = sqlite3.connect(house_file(directory), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    token = bot.client._olm.store.load_sync_token()

    async def store_is_away() -> int:
        return bot.client.counts["store_away"]

    sent = await alice.send(room, "meanwhile")
    await eventually(store_is_away)
    kept = bot.client._olm.store.load_sync_token()
    other.execute("ROLLBACK")
    other.close()

    assert (await bot.seen.event(sent)).content["body"] == "meanwhile"
    assert kept == token
    assert bot.client.counts["could_not_handle"] == 0


async def test_an_event_that_the_bot_fails_on_is_set_aside_and_does_not_come_back(
    directory: Path, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        bot.seen.fails_on.append("poison")
        await alice.send(room, "poison")
        await bot.seen.event(await alice.send(room, "fine"))
        assert len(bot.seen.failed) == 1

    async with living(directory) as bot:
        await bot.seen.event(await alice.send(room, "later"))
        standing = await bot.ledger.read(lambda tx: tx.inbox.standing(WATCHER))
        assert [e.content["body"] for e in bot.seen.events if isinstance(e, Message)] == ["later"]
        assert (bot.seen.failed, standing["quarantined"]) == ([], 1)


async def test_what_was_kept_and_not_handled_when_the_process_ended_comes_first_at_the_next_start(
    directory: Path, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        bot.seen.holds_up = room
        kept = [await alice.send(room, f"kept {number}") for number in range(3)]
        await eventually(lambda: bot.ledger.read(lambda tx: len(kept) == tx.inbox.standing(WATCHER)["new"]))
    missed = await alice.send(room, "missed")

    async with living(directory) as bot:
        await bot.seen.event(missed)
        assert heard(bot) == [*kept, missed]


async def test_gaps_in_several_rooms_and_several_in_a_row_are_filled_in_order(
    directory: Path, person: People, unlimited: Unlimited, synapse: RunningSynapse
) -> None:
    async with living(directory) as bot:
        alice = await unlimited(await person())
        rooms = [await bot.join(alice, encrypted=False) for _ in range(2)]
        quiet = await bot.join(alice)

    sent: dict[str, list[str]] = {room: [] for room in rooms}
    for behind in (rooms, rooms[:1]):
        told = await asyncio.gather(*(say(synapse, alice, room, len(sent[room]), MISSED) for room in behind))
        for room, event_ids in zip(behind, told, strict=True):
            sent[room] += event_ids
        last = await alice.send(quiet, "quiet")
        async with living(directory) as bot:
            await asyncio.gather(*(bot.seen.event(sent[room][-1]) for room in behind), bot.seen.event(last))
            assert [heard(bot, room) for room in behind] == [sent[room][-MISSED:] for room in behind]
            assert bot.client.counts["gaps"] >= len(behind)


async def test_a_gap_is_fetched_a_page_at_a_time_and_one_without_end_is_cut_with_a_fault(
    bot: LivingBot, person: People, unlimited: Unlimited, synapse: RunningSynapse
) -> None:
    alice = await unlimited(await person())
    room = await bot.join(alice, encrypted=False)
    since = bot.client._olm.store.load_sync_token()
    sent = await say(synapse, alice, room, 0, 9)
    await bot.seen.event(sent[-1])
    before = bot.client._olm.store.load_sync_token()

    pages = [
        [event["event_id"] for event in page]
        async for page in pages_of_gap(bot.client._homeserver, room, since, before, events=2)
    ]
    with pytest.raises(GapCut):
        async for _ in pages_of_gap(bot.client._homeserver, room, since, before, events=2, pages=3):
            pass

    assert [event_id for page in pages for event_id in page if event_id in sent] == sent
    assert max(map(len, pages)) == 2


async def test_a_new_device_looks_back_to_the_last_message_that_the_house_knows(
    directory: Path, person: People, unlimited: Unlimited, synapse: RunningSynapse
) -> None:
    async with living(directory) as bot:
        alice = await unlimited(await person())
        rooms = [await bot.join(alice, encrypted=False) for _ in range(2)]
        known = [(await say(synapse, alice, room, 0, 3))[-1] for room in rooms]
        for event_id in known:
            await bot.seen.event(event_id)
    missed = [await say(synapse, alice, rooms[0], 3, MISSED), await say(synapse, alice, rooms[1], 3, 2)]
    give_new_device(directory)

    async with living(directory) as bot:
        for event_ids in missed:
            await bot.seen.event(event_ids[-1])
        assert [heard(bot, room) for room in rooms] == missed
        marker = bot.client._files.look_back_marker(bot.client.device_id)
        await eventually(lambda: asyncio.to_thread(lambda: not marker.exists()))
    async with living(directory) as bot:
        await bot.seen.event((await say(synapse, alice, rooms[1], 900, 1))[0])
        assert len(heard(bot)) == 1


async def test_a_homeserver_that_asks_for_time_gets_it_and_costs_nothing(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        door.limited, door.limited_times = "/sync", 3

        sent = [await alice.send(room, f"message {number}") for number in range(3)]
        await bot.seen.event(sent[-1])
        async with asyncio.timeout(60):
            while door.limited_times:
                sent.append(await alice.send(room, "and on"))
                await bot.seen.event(sent[-1])

        assert heard(bot) == sent


async def test_answers_that_were_lost_on_their_way_are_asked_for_again(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        door.withheld = "/sync"
        sent = [await alice.send(room, f"message {number}") for number in range(3)]
        await asyncio.wait_for(door.broke_twice.wait(), 40)
        door.withheld = None

        await bot.seen.event(sent[-1])
        assert heard(bot) == sent


async def test_a_homeserver_that_is_slow_with_everything_else_does_not_hold_up_what_was_heard(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        door.held = "/keys/upload"

        sent = [await alice.send(room, f"message {number}") for number in range(3)]
        await bot.seen.event(sent[-1])
        door.released.set()

        assert heard(bot) == sent


async def test_a_bot_whose_device_was_logged_out_ends_with_a_sentence(
    directory: Path, admin: Account, synapse: RunningSynapse
) -> None:
    seen, ledger = Remembering(), open_ledger(directory)
    async with HouseClient(directory) as client:
        running = asyncio.create_task(client.run(seen, ledger))
        await asyncio.wait_for(client.caught_up.wait(), 40)
        at = f"/_synapse/admin/v2/users/{client.user_id}/devices/{client.device_id}"
        await synapse.ask("DELETE", at, admin.access_token)

        with pytest.raises(SessionEnded, match="keyhouse bot renew"):
            await asyncio.wait_for(running, 60)
    ledger.close()


async def test_a_start_asks_for_what_is_new_alone_and_a_census_tells_who_is_where(
    directory: Path, door: Breakable, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
    door.asked.clear()

    async with living(directory) as bot:
        syncs = [asked for asked in door.asked if "/sync?" in asked]
        assert syncs
        assert all("since=" in asked and "full_state" not in asked for asked in syncs)
        assert bot.client.room_ids == [room]
        assert await bot.client.census() == {room: {alice.user_id, bot.user_id}}


async def test_of_two_devices_that_hear_every_message_exactly_one_decides_about_it(
    directory: Path, tmp_path: Path, person: People
) -> None:
    other = tmp_path / "other"
    BotCredentials.load(directory).save(other)
    give_new_device(other)
    async with living(directory) as one:
        # The second signs its device with the identity that the first has made.
        shutil.copy(BotFiles(directory).signing_seeds, other)
        async with living(other, house=directory) as two:
            alice, newcomer = await person(), await person()
            room = await one.join(alice)
            for bot in (one, two):
                bot.seen.decides_in = bot.ledger
            sent = [await alice.send(room, f"message {number}") for number in range(5)]
            await eventually(lambda: asyncio.to_thread(lambda: {*one.seen.decided, *two.seen.decided} >= {*sent}))
            # What one has decided about, the other may never be handed. Of new devices both hear, after all that.
            await alice.invite(room, newcomer.user_id)
            await newcomer.join(room)
            for seen in (one.seen, two.seen):
                await seen.until(partial(has_heard_of_devices, seen, newcomer.user_id))

            decided = Counter([*one.seen.decided, *two.seen.decided])

    assert {event_id: decided[event_id] for event_id in sent} == dict.fromkeys(sent, 1)
