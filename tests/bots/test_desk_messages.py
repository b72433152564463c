"""What the concierge says at a desk and takes away in rooms, with a real Synapse and an independent client."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from bots.room_gatekeeper.bot import Concierge
from bots.runtime.ledger import Ledger
from bots.runtime.outbox import NotYet
from bots.runtime.received import Reaction
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import EventId, OutgoingId, RoomId, UserId
from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.signposting import Signposting
from keyhouse.core.verdict import Reason
from keyhouse.core.workflows.moves import follow_keys
from keyhouse.core.workflows.pictures import take_away
from keyhouse.core.workflows.reminding import remind
from keyhouse.core.workflows.speaking import tell_unsent
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.storage.memory import MemoryStore
from tests.bots.conftest import People
from tests.bots.living import LivingBot
from tests.support.client import Client
from tests.support.eventually import eventually
from tests.support.fresh import fresh_name
from tests.support.household import NOW

BUILDING = Path(__file__).parents[2] / "config" / "building.yaml"


class DeskHouse:
    """A house kept in memory, of which a running bot is the concierge."""

    def __init__(self, bot: LivingBot) -> None:
        self.bot = bot
        self.ledger = Ledger(MemoryStore(), Worker.ROOM_GATEKEEPER, lambda: NOW)
        settings = HouseSettings(
            server_name=bot.user_id.partition(":")[2],
            homeserver="http://127.0.0.1:1",
            front_door="http://127.0.0.1:1",
            database="sqlite:///nowhere.db",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, bot.client.sending, UserId(bot.user_id), lambda: NOW)
        signposting = Signposting(("call 999",), date.min, date.max)
        self.concierge = Concierge(around, signposting, "", RulesInForce(BUILDING))

    async def moves_in(self, client: Client, rules_agreed: int | None) -> str:
        """Give somebody a desk, and wait until they are at it; its room."""
        user_id = UserId(client.user_id)

        def keep(tx: Transaction) -> None:
            somebody = Person(user_id, Role.PATIENT, PersonState.ACTIVE, "river", NOW, rules_agreed)
            tx.people.add(somebody)
            follow_keys(tx, somebody, "test", NOW)

        await self.ledger.write(keep)
        await self.do(OutgoingKind.DESK_ROOM)
        await self.do(OutgoingKind.INVITATION)
        desk = await client.wait_invite()
        await client.join(desk)
        await self.bot.seen.until(lambda: desk in self.bot.client.room_ids)
        return desk

    async def do(self, kind: OutgoingKind) -> None:
        """Do what was decided of one kind."""
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 99))
        for row in rows:
            if row.kind is kind:
                await self.concierge.do(row)
                await self.ledger.write(lambda tx, done=row: tx.outbox.done(done.id, NOW))  # type: ignore[misc]

    async def agreed(self, client: Client) -> int | None:
        """The version that somebody agreed to."""
        found = await self.ledger.read(lambda tx: tx.people.get(UserId(client.user_id)))
        assert found is not None
        return found.rules_agreed

    async def taps(self, client: Client, room: str, event_id: str, key: str = "✅") -> None:
        """Let somebody react, and hand the reaction to the concierge as the stream brings it."""
        reaction = await client.react(room, event_id, key)
        await self.concierge.received(await self.bot.seen.event(reaction, Reaction))


@pytest_asyncio.fixture(loop_scope="session")
async def house(bot: LivingBot) -> AsyncIterator[DeskHouse]:
    """A house of which this bot is the concierge."""
    house = DeskHouse(bot)
    yield house
    house.ledger.close()


async def test_whoever_taps_the_tick_under_the_greeting_has_agreed(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=None)
    await house.do(OutgoingKind.GREETING)
    greeting = await river.wait_message(desk, contains="Welcome")
    offered = await river.wait_message(desk, type="m.reaction", sender=house.bot.user_id)

    await house.taps(river, desk, greeting.event_id, "✅\ufe0f")
    await house.do(OutgoingKind.ANSWER)

    assert "!agree" in greeting.body
    assert offered.content["m.relates_to"]["key"] == "✅"
    assert await house.agreed(river) == 1
    await river.wait_message(desk, contains="You can write in all your rooms now")


async def test_another_sign_or_another_message_agrees_to_nothing(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=None)
    await house.do(OutgoingKind.GREETING)
    greeting = await river.wait_message(desk, contains="Welcome")
    own = await river.send(desk, "hello")

    await house.taps(river, desk, greeting.event_id, "👍")
    await house.taps(river, desk, own)

    assert await house.agreed(river) is None


async def test_whoever_has_agreed_is_greeted_without_being_asked_again(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=1)

    await house.do(OutgoingKind.GREETING)

    assert "!agree" not in (await river.wait_message(desk, contains="Welcome")).body


async def test_new_rules_are_told_at_the_desk_and_a_tap_agrees_to_them(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=1)
    await house.ledger.write(lambda tx: remind(tx, 2, "", NOW))

    await house.do(OutgoingKind.RULES_REMINDER)
    reminder = await river.wait_message(desk, contains="the rules of the house have changed")
    await house.taps(river, desk, reminder.event_id)

    assert await house.agreed(river) == 2


async def test_whoever_agreed_meanwhile_is_not_reminded(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=1)
    await house.ledger.write(lambda tx: remind(tx, 2, "", NOW))
    before = await river.mark()
    known = await house.ledger.read(lambda tx: tx.people.get(UserId(river.user_id)))
    assert known is not None
    await house.ledger.write(lambda tx: tx.people.update(replace(known, rules_agreed=2)))

    await house.do(OutgoingKind.RULES_REMINDER)
    # The greeting after it is the twin: when it is there, a reminder would be.
    await house.do(OutgoingKind.GREETING)
    await river.wait_message(desk, contains="Welcome")

    assert not any("have changed" in seen.body for seen in await river.events(desk, after_seq=before))


async def test_whoever_was_not_heard_is_rung_at_the_desk(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=None)
    await house.ledger.write(lambda tx: tell_unsent(tx, UserId(river.user_id), Reason.RULES_NOT_AGREED, NOW))

    await house.do(OutgoingKind.UNSENT)

    told = await river.wait_message(desk, contains="did not go out")
    assert told.content["msgtype"] == "m.text"
    assert told.content["m.mentions"] == {"user_ids": [river.user_id]}
    assert told.shield == "NONE"


async def test_whoever_has_no_desk_yet_is_told_once_there_is_one(house: DeskHouse) -> None:
    stranger = UserId(f"@{fresh_name('moss')}:k.h")

    def keep(tx: Transaction) -> None:
        tx.people.add(Person(stranger, Role.PATIENT, PersonState.ACTIVE, "moss", NOW))
        tell_unsent(tx, stranger, Reason.PAUSED, NOW)

    await house.ledger.write(keep)

    with pytest.raises(NotYet, match="desk room"):
        await house.do(OutgoingKind.UNSENT)


async def test_what_is_to_go_goes_once_and_what_is_gone_is_no_fault(house: DeskHouse, person: People) -> None:
    river = await person()
    desk = await house.moves_in(river, rules_agreed=1)
    shown = {"msgtype": "m.image", "body": "me.jpg", "url": "mxc://k.h/abc"}
    picture, words = await river.send_event(desk, "m.room.message", shown), await river.send(desk, "good morning")
    room, user_id = RoomId(desk), UserId(river.user_id)

    await house.ledger.write(lambda tx: take_away(tx, room, EventId(picture), user_id, NOW))
    await house.do(OutgoingKind.REDACTION)
    for number, gone in enumerate((picture, "$" + "x" * 43)):
        await house.concierge.do(_again(number, {"room_id": desk, "event_id": gone}))

    await eventually(lambda: _is_redacted(river, desk, picture))
    assert not await _is_redacted(river, desk, words)


def _again(number: int, content: dict[str, object]) -> Outgoing:
    """The decision as another device of the concierge would do it, after a crash."""
    new = NewOutgoing(OutgoingKind.REDACTION, Worker.ROOM_GATEKEEPER, f"again{number}", content, NOW)
    return Outgoing(OutgoingId(number), new.kind, new.worker, new.once, new.content, NOW, NOW, fresh_name("txn"), 1)


async def _is_redacted(client: Client, room: str, event_id: str) -> bool:
    answer = await client.request("GET", f"/_matrix/client/v3/rooms/{room}/event/{event_id}")
    return "redacted_because" in answer.get("unsigned", {})
