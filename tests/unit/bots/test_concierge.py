"""The concierge at a desk: agreeing to the rules, typed or said."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bots.room_gatekeeper.bot import Concierge
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import OutgoingKind, Worker
from keyhouse.core.ports import Transaction
from keyhouse.core.signposting import Signposting
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.rules_in_force import RulesInForce
from keyhouse.storage.memory import MemoryStore
from tests.support.household import ANOREXIA, NOW, desk, living_room, person, user

BUILDING = Path(__file__).parents[3] / "config" / "building.yaml"
NOTHING_IS_SENT: Any = None
RIVER = user("river")


class Desk:
    """The desk of somebody who has not agreed yet, in a house kept in memory."""

    def __init__(self) -> None:
        self.ledger = Ledger(MemoryStore(), Worker.ROOM_GATEKEEPER, lambda: NOW)
        settings = HouseSettings(
            server_name="keyhouse.test",
            homeserver="http://h",
            front_door="http://f",
            database="sqlite://",
            config=Path(),
        )
        around = Surroundings(settings, self.ledger, NOTHING_IS_SENT, UserId("@concierge:keyhouse.test"), lambda: NOW)
        signposting = Signposting(("call 999",), date.min, date.max)
        self.concierge = Concierge(around, signposting, "", RulesInForce(BUILDING))
        self._said = 0

    async def furnish(self) -> None:
        """Keep the person, the desk and a living room."""

        def keep(tx: Transaction) -> None:
            tx.people.add(replace(person("river"), rules_agreed=None))
            tx.rooms.put(desk("river"))
            tx.rooms.put(living_room(ANOREXIA))

        await self.ledger.write(keep)

    async def says(self, body: str, room: str = "!desk-river", **more: Any) -> str | None:
        """Let the person write; what is answered to it, None when nothing is."""
        self._said += 1
        event, content = f"${self._said}", {"msgtype": "m.text", "body": body, **more}
        await self.concierge.received(Message(room, event, RIVER, NOW, "m.room.message", content, True, True))
        rows = await self.ledger.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, NOW, 99))
        answers = [row for row in rows if row.kind is OutgoingKind.ANSWER and row.content["reply_to"] == event]
        return str(answers[0].content["markdown"]) if answers else None

    async def agreed(self) -> int | None:
        """The version that the person agreed to."""
        found = await self.ledger.read(lambda tx: tx.people.get(RIVER))
        assert found is not None
        return found.rules_agreed


@pytest_asyncio.fixture(loop_scope="session")
async def at_desk() -> AsyncIterator[Desk]:
    """A desk at which nothing has been said."""
    at_desk = Desk()
    await at_desk.furnish()
    yield at_desk
    at_desk.ledger.close()


@pytest.mark.parametrize("text", ["!agree", "! Agree", "I agree", "Yes, I agree.", "agree"])
async def test_agreeing_is_kept_with_the_version_and_answered_plainly(at_desk: Desk, text: str) -> None:
    answer = await at_desk.says(text)

    assert answer == "Thank you. You can write in all your rooms now."
    assert await at_desk.agreed() == RulesInForce(BUILDING).current().version


async def test_agreeing_twice_is_answered_kindly_and_changes_nothing(at_desk: Desk) -> None:
    await at_desk.says("!agree")

    assert "agreed to these rules before" in (await at_desk.says("!agree") or "")
    assert await at_desk.agreed() == 1


async def test_i_agree_is_talk_once_somebody_has_agreed(at_desk: Desk) -> None:
    await at_desk.says("!agree")

    assert await at_desk.says("I agree") is None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"body": "I do not agree"}, id="the opposite"),
        pytest.param({"body": "I agree", "room": "!living-anorexia"}, id="elsewhere"),
        pytest.param({"body": "* I agree", "m.new_content": {"body": "I agree"}}, id="an edit"),
    ],
)
async def test_what_is_no_agreement_is_none(at_desk: Desk, more: dict[str, Any]) -> None:
    assert await at_desk.says(**more) is None
    assert await at_desk.agreed() is None


async def test_the_rules_are_answered_with_their_version(at_desk: Desk) -> None:
    answer = await at_desk.says("!rules") or ""

    assert "(version 1)" in answer
    assert "- The house is not a crisis service." in answer
    assert "write `!agree`" in answer


async def test_help_names_agreeing(at_desk: Desk) -> None:
    assert "`!agree`" in (await at_desk.says("!help") or "")
