"""What a bot that has just begun reads of a room's past, and what it does while the homeserver does not answer."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bots.risk_monitor.bot import Watcher
from bots.runtime.clock import utc_now
from bots.runtime.errors import MatrixAway
from bots.runtime.history import EVENTS_AT_MOST
from bots.runtime.received import Message
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import EventId, UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.signposting import Signposting
from keyhouse.settings.house import HouseSettings
from tests.bots.breakable import Breakable
from tests.bots.conftest import People, Unlimited
from tests.bots.living import LivingBot, living
from tests.unit.bots.test_watcher import Shipped

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def bodies(bot: LivingBot, room: str, event_id: str, since: datetime = LONG_AGO) -> list[str]:
    """What was written before this event."""
    before = await bot.client.history(bot.ledger).before(room, event_id, since)
    assert all(isinstance(each, Message) and each.encrypted for each in before)
    return [str(each.content["body"]) for each in before if isinstance(each, Message)]


async def test_a_bot_that_was_started_again_reads_what_was_said_before_an_event_in_its_order(
    directory: Path, person: People
) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice)
        first = await alice.send(room, "first")
        second = await alice.send(room, "second")
        written = (await bot.seen.event(second)).sent_at
    third = await alice.send(room, "third")
    later = await alice.send(room, "later")

    async with living(directory) as bot:
        await bot.seen.event(later)
        whole = await bodies(bot, room, third)
        lately = await bodies(bot, room, third, written)
        nothing = await bodies(bot, room, first)

    assert (whole, lately, nothing) == (["first", "second"], ["second"], [])


async def test_what_was_set_aside_is_not_read_again(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)
    bot.seen.fails_on.append("hostile")
    sent = [await alice.send(room, words) for words in ("harmless", "hostile", "the next")]
    await bot.seen.event(sent[-1])

    aside = await bot.ledger.read(lambda tx: tx.inbox.set_aside(Worker.RISK_MONITOR, [EventId(each) for each in sent]))

    assert aside == {sent[1]}
    assert await bodies(bot, room, sent[-1]) == ["harmless"]


async def test_of_a_long_past_the_last_events_are_read(bot: LivingBot, person: People, unlimited: Unlimited) -> None:
    alice = await unlimited(await person())
    room = await bot.join(alice)
    sent = [await alice.send(room, str(number)) for number in range(EVENTS_AT_MOST + 3)]
    await bot.seen.event(sent[-1])

    assert await bodies(bot, room, sent[-1]) == [str(number) for number in range(2, EVENTS_AT_MOST + 2)]


async def test_while_the_homeserver_does_not_tell_a_message_is_judged_without_the_past_and_it_is_counted(
    door: Breakable, bot: LivingBot, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice)
    message = await bot.seen.event(await alice.send(room, "good morning"))

    counted = {}
    door.held = "/context/"
    counted["held"] = await judged(bot, message)
    door.released.set()
    counted["answers"] = await judged(bot, message)
    door.refused = "/context/"
    counted["broken"] = await judged(bot, message)

    assert counted == {"held": (1, 1), "answers": (1, 0), "broken": (1, 1)}


async def test_an_answer_that_does_not_come_ends_the_wait_with_one_sentence(
    door: Breakable, bot: LivingBot, person: People
) -> None:
    alice = await person()
    room = await bot.join(alice)
    sent = await alice.send(room, "good morning")
    await bot.seen.event(sent)
    door.held = "/context/"

    with pytest.raises(MatrixAway, match="does not answer in time"):
        await bodies(bot, room, sent)

    door.released.set()


async def judged(bot: LivingBot, message: Message) -> tuple[int, int]:
    """Let a watcher that has just begun judge this; how much it judged, and how much of that without the past."""
    settings = HouseSettings(server_name="k.h", homeserver="http://h", front_door="f", database="d", config=Path())
    history = bot.client.history(bot.ledger)
    around = Surroundings(settings, bot.ledger, bot.client.sending, UserId(bot.user_id), utc_now, history)
    watcher = Watcher(around, Shipped(), Signposting((), date.min, date.max))
    await watcher.received(message)
    return watcher.counters["judged"], watcher.counters["judged_without_the_past"]
