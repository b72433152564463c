"""What a watcher that has just begun makes of a room's past: it is understood, and nothing of it is raised again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bots.risk_monitor.hearing import Hearing
from bots.risk_monitor.recalling import Recalling
from bots.risk_monitor.recent import REMEMBERED_FOR
from bots.risk_monitor.said import words_said
from bots.runtime.ledger import Ledger
from bots.runtime.received import Message, Reaction, Received, Redaction
from bots.runtime.surroundings import Surroundings
from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import Worker
from keyhouse.core.urgency import Urgency
from keyhouse.settings.house import HouseSettings
from keyhouse.storage.memory import MemoryStore
from tests.unit.core.matching.small import ANSWER, WISH, small_lexicon

NOON = datetime(2027, 3, 29, 12, 0, tzinfo=UTC)
A_MINUTE, A_SECOND = timedelta(minutes=1), timedelta(seconds=1)
RIVER, MOSS = "@river:k.h", "@moss:k.h"
NOTHING_IS_SENT: Any = None


class Room:
    """A room that was there before its watcher, and a clock that the test moves. asked: from when on, each time."""

    def __init__(self, ledger: Ledger) -> None:
        self.now = NOON
        self.said_before: list[Received] = []
        self.asked: list[datetime] = []
        settings = HouseSettings(
            server_name="k.h", homeserver="http://h", front_door="http://f", database="sqlite://", config=Path()
        )
        around = Surroundings(settings, ledger, NOTHING_IS_SENT, UserId("@watcher:k.h"), lambda: self.now, self)
        self._hearing = Hearing(lambda: small_lexicon(WISH, ANSWER))
        self._recalling = Recalling(around, self._hearing)

    async def before(self, room_id: str, event_id: str, since: datetime) -> list[Received]:
        """Give what was said before."""
        self.asked.append(since)
        return self.said_before

    async def says(self, event: Message | Reaction) -> Urgency | None:
        """Let the watcher hear this; returns how soon a human is asked to look, None when none is."""
        assert await self._recalling.before(event, None)
        said = words_said(event)
        assert said is not None
        listened = self._hearing.listen(event.room_id, event.event_id, event.sender, said, None, self.now)
        return listened.heard.urgency if listened.heard else None


@pytest_asyncio.fixture(loop_scope="session")
async def room() -> AsyncIterator[Room]:
    """A room with a watcher that begins at noon."""
    ledger = Ledger(MemoryStore(), Worker.RISK_MONITOR)
    yield Room(ledger)
    ledger.close()


def message(sender: str, body: str, at: datetime = NOON, event_id: str = "$now", edits: str | None = None) -> Message:
    """Something said; `edits` names what it is to replace."""
    content: dict[str, Any] = {"msgtype": "m.text", "body": body}
    if edits:
        replaces = {"rel_type": "m.replace", "event_id": edits}
        content = {"msgtype": "m.text", "body": f"* {body}", "m.new_content": content, "m.relates_to": replaces}
    return Message("!a", event_id, sender, at, "m.room.message", content, True, True)


@pytest.mark.parametrize(
    ("question", "heard"),
    [pytest.param("are you safe?", Urgency.CONCERN, id="asked"), pytest.param("tea?", None, id="something else")],
)
async def test_an_answer_to_what_was_asked_before_the_start_is_understood(
    room: Room, question: str, heard: Urgency | None
) -> None:
    room.said_before = [message(MOSS, question, NOON - A_MINUTE, "$before")]

    assert await room.says(message(RIVER, "no")) is heard


async def test_a_sentence_of_which_the_start_parts_two_messages_is_heard(room: Room) -> None:
    room.said_before = [
        message(RIVER, "i want to", NOON - A_MINUTE, "$before"),
        Reaction("!a", "$smile", MOSS, "$before", "🙂", NOON - A_SECOND),
        Redaction("!a", "$redaction", MOSS, "$other", NOON - A_SECOND),
    ]

    assert await room.says(message(RIVER, "die")) is Urgency.CONCERN


@pytest.mark.parametrize(
    ("edited", "heard"),
    [
        pytest.param("i want to die!", None, id="as urgent as before"),
        pytest.param("i want to die tonight", Urgency.URGENT, id="more urgent"),
    ],
)
async def test_what_was_said_before_the_start_was_raised_then_and_only_a_more_urgent_edit_is_new(
    room: Room, edited: str, heard: Urgency | None
) -> None:
    room.said_before = [message(RIVER, "i want to die", NOON - A_MINUTE, "$before")]

    assert await room.says(message(MOSS, "hello")) is None
    assert await room.says(message(RIVER, edited, event_id="$edit", edits="$before")) is heard


async def test_the_past_is_as_old_as_it_was_when_a_message_that_waited_was_written(room: Room) -> None:
    written = NOON - timedelta(hours=8)
    room.said_before = [message(MOSS, "are you safe?", written - A_MINUTE, "$before")]

    assert await room.says(message(RIVER, "no", written)) is Urgency.CONCERN
    assert room.asked == [written - REMEMBERED_FOR]


@pytest.mark.parametrize(
    ("ahead", "heard"), [pytest.param(A_SECOND, None, id="over"), pytest.param(-A_SECOND, Urgency.CONCERN, id="not")]
)
async def test_what_was_recalled_is_forgotten_a_quarter_of_an_hour_after_it_was_written(
    room: Room, ahead: timedelta, heard: Urgency | None
) -> None:
    room.said_before = [message(RIVER, "i want to", NOON - A_MINUTE, "$before")]
    await room.says(message(MOSS, "hello"))

    room.now += REMEMBERED_FOR - A_MINUTE + ahead

    assert await room.says(message(RIVER, "die", room.now, "$later")) is heard


async def test_a_rooms_past_is_asked_for_once(room: Room) -> None:
    for number in range(3):
        await room.says(message(RIVER, "hello", event_id=f"${number}"))

    assert len(room.asked) == 1


@pytest.mark.parametrize(
    ("after", "times"), [pytest.param(timedelta(), 1, id="just within"), pytest.param(A_SECOND, 0, id="later")]
)
async def test_a_quarter_of_an_hour_after_the_start_nothing_was_forgotten_that_could_be_asked_for(
    room: Room, after: timedelta, times: int
) -> None:
    room.now += REMEMBERED_FOR + after

    await room.says(message(RIVER, "hello", room.now))

    assert len(room.asked) == times
