"""The watcher and pictures: the words beside one are judged as ever, then it is taken away and its author told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from bots.runtime.received import Message, Reaction, Undecryptable
from keyhouse.core.ids import RoomId
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from tests.unit.bots.test_watcher import NOON, RIVER, ROOM, URGENT, WILLOW, Watched

QUIET = RoomId("!quiet")


def picture(caption: str = "me.jpg", event_id: str = "$one", room: str = ROOM, **more: Any) -> Message:
    """A picture with its caption."""
    content = {"msgtype": "m.image", "body": caption, "file": {"url": "mxc://k.h/abc"}, **more}
    return Message(room, event_id, RIVER, NOON, "m.room.message", content, True, True)


async def decided(watched: Watched, kind: OutgoingKind) -> list[Outgoing]:
    rows = await watched.ledger.read(lambda tx: tx.outbox.due(Worker.ROOM_GATEKEEPER, watched.now, 99))
    return [row for row in rows if row.kind is kind]


@pytest_asyncio.fixture(loop_scope="session")
async def watched() -> AsyncIterator[Watched]:
    """One watcher, with nothing said yet."""
    house = Watched()
    await house.furnish()
    yield house
    house.ledger.close()


async def test_a_dangerous_caption_brings_a_human_who_can_read_it_and_the_picture_goes(watched: Watched) -> None:
    await watched.watcher.received(picture(URGENT))

    (card,) = await watched.leaving(OutgoingKind.CARE_CARD)
    assert URGENT in str(card.content["words"])
    assert "taken away" in str(card.content["words"])
    (redaction,) = await decided(watched, OutgoingKind.REDACTION)
    assert (redaction.content["room_id"], redaction.content["event_id"]) == (ROOM, "$one")
    (told,) = await decided(watched, OutgoingKind.UNSENT)
    assert (told.content["person"], told.content["reason"]) == (RIVER, "not_carried")
    assert len(await watched.leaving(OutgoingKind.SIGNPOSTING)) == 1


async def test_the_same_words_without_a_picture_stay(watched: Watched) -> None:
    await watched.watcher.received(picture(URGENT, msgtype="m.text"))

    (card,) = await watched.leaving(OutgoingKind.CARE_CARD)
    assert card.content["words"] == URGENT
    assert await decided(watched, OutgoingKind.REDACTION) == []
    assert await decided(watched, OutgoingKind.UNSENT) == []


async def test_a_harmless_picture_goes_and_calls_nobody(watched: Watched) -> None:
    await watched.watcher.received(picture())

    assert await watched.cases() == []
    assert len(await decided(watched, OutgoingKind.REDACTION)) == 1
    assert len(await decided(watched, OutgoingKind.UNSENT)) == 1


async def test_a_picture_that_is_handed_over_twice_goes_once(watched: Watched) -> None:
    await watched.watcher.received(picture())
    await watched.watcher.received(picture())

    assert len(await decided(watched, OutgoingKind.REDACTION)) == 1


async def test_a_text_that_is_edited_into_a_picture_loses_the_edit(watched: Watched) -> None:
    await watched.watcher.received(picture("good morning", msgtype="m.text"))
    new = {"m.new_content": {"msgtype": "m.image", "body": "me.jpg", "url": "mxc://k.h/abc"}}
    relates = {"m.relates_to": {"rel_type": "m.replace", "event_id": "$one"}}
    await watched.watcher.received(picture("* me.jpg", "$edit", msgtype="m.text", **new, **relates))

    (redaction,) = await decided(watched, OutgoingKind.REDACTION)
    assert redaction.content["event_id"] == "$edit"


async def test_a_reaction_that_is_a_picture_goes_and_a_heart_stays(watched: Watched) -> None:
    for key, event_id in (("mxc://k.h/abc", "$mine"), ("❤️", "$heart")):
        await watched.watcher.received(Reaction(ROOM, event_id, RIVER, "$one", key, NOON))

    (redaction,) = await decided(watched, OutgoingKind.REDACTION)
    assert redaction.content["event_id"] == "$mine"


async def test_what_could_not_be_read_is_never_taken_away_and_goes_once_it_shows_to_be_a_picture(
    watched: Watched,
) -> None:
    await watched.watcher.received(Undecryptable(ROOM, "$one", RIVER, "session", "no_room_key"))
    await watched.stays_unread("$one")
    unread = await decided(watched, OutgoingKind.REDACTION)

    await watched.watcher.received(picture())

    assert unread == []
    assert len(await decided(watched, OutgoingKind.REDACTION)) == 1


async def test_in_a_room_that_the_house_does_not_watch_or_does_not_know_a_picture_stays(watched: Watched) -> None:
    def keep(tx: Transaction) -> None:
        tx.rooms.put(RoomScope(QUIET, "quiet", RoomKind.QUIET, "Quiet", frozenset({Role.STAFF}), frozenset({WILLOW})))

    await watched.ledger.write(keep)

    await watched.watcher.received(picture(room=QUIET))
    await watched.watcher.received(picture(room="!nowhere", event_id="$two"))

    assert await decided(watched, OutgoingKind.REDACTION) == []
