"""What the watcher decides about a message: once, and never silence where somebody may be in danger."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bots.risk_monitor.bot import Watcher
from bots.runtime.ledger import Ledger
from bots.runtime.received import Deleted, Malformed, Message, Reaction, Redaction, Undecryptable
from bots.runtime.surroundings import Surroundings
from keyhouse.core.cases import Case, CaseState, Outcome
from keyhouse.core.ids import CaseNumber, Condition, EventId, RoomId, UserId
from keyhouse.core.incoming import NewIncoming
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.outgoing import Outgoing, OutgoingKind, Worker
from keyhouse.core.people import Key, Person, PersonState, Role
from keyhouse.core.ports import Transaction
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.signposting import Signposting
from keyhouse.core.urgency import Urgency
from keyhouse.core.workflows.casework import close
from keyhouse.settings.house import HouseSettings
from keyhouse.settings.lexicons import load_compiled_lexicon
from keyhouse.storage.memory import MemoryStore

RIVER, CLINICIAN = UserId("@river:k.h"), UserId("@dr-a:k.h")
ROOM, LIBRARY, CARE, WILLOW = RoomId("!willow"), RoomId("!library"), RoomId("!care"), Condition("willow")
NOON = datetime(2027, 3, 29, 12, 0, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)
TEN_MINUTES = timedelta(minutes=10)
URGENT = "I am going to kill myself tonight"
NOTHING_IS_SENT: Any = None
WATCHER = Worker.RISK_MONITOR


class Shipped:
    """The lexicon that comes along, for ever in force."""

    def current(self) -> CompiledLexicon:
        """Return it."""
        return LEXICON

    def look(self) -> bool:
        """Find no other."""
        return False


class Watched:
    """A house kept in memory, with one patient and one clinician, and a watcher whose clock the test moves."""

    def __init__(self) -> None:
        self.now = NOON
        self.ledger = Ledger(MemoryStore(), WATCHER, lambda: self.now)
        settings = HouseSettings(
            server_name="k.h", homeserver="http://h", front_door="http://f", database="sqlite://", config=Path()
        )
        around = Surroundings(settings, self.ledger, NOTHING_IS_SENT, UserId("@watcher:k.h"), lambda: self.now)
        self.watcher = Watcher(around, Shipped(), Signposting(("call 999",), date.min, date.max))

    async def furnish(self) -> None:
        """Keep a care room, a living room, a library, and who lives and works there."""

        def keep(tx: Transaction) -> None:
            team, patients = frozenset({Role.CLINICIAN}), frozenset({Role.PATIENT})
            only = frozenset({WILLOW})
            tx.rooms.put(RoomScope(CARE, "care", RoomKind.CARE, "Care", team, service="one"))
            tx.rooms.put(RoomScope(ROOM, "willow", RoomKind.LIVING_ROOM, "Willow", patients, only, service="one"))
            tx.rooms.put(RoomScope(LIBRARY, "library", RoomKind.LIBRARY, "Library", patients, only, service="one"))
            tx.people.add(Person(RIVER, Role.PATIENT, PersonState.ACTIVE, "river", NOON))
            tx.people.add(Person(CLINICIAN, Role.CLINICIAN, PersonState.ACTIVE, "Dr A", NOON))
            tx.people.grant(Key(RIVER, WILLOW, "test", NOON))

        await self.ledger.write(keep)

    async def stays_unread(self, event_id: str, room: RoomId = ROOM, sender: UserId = RIVER) -> None:
        """Let an event be unread, and its time run out."""
        event = NewIncoming(room, EventId(event_id), {"sender": sender})

        def keep(tx: Transaction) -> None:
            tx.inbox.receive(WATCHER, [event], self.now)
            tx.inbox.unread(WATCHER, event.event_id, "key", "no_room_key", self.now)

        await self.ledger.write(keep)
        await self.watcher.stayed_unread(Undecryptable(room, event_id, sender, "session", "no_room_key"))

    async def is_unread(self, event_id: str) -> None:
        """Let an event be unread since a moment."""
        event = NewIncoming(ROOM, EventId(event_id), {"sender": RIVER})

        def keep(tx: Transaction) -> None:
            tx.inbox.receive(WATCHER, [event], self.now)
            tx.inbox.unread(WATCHER, event.event_id, "key", "no_room_key", self.now)

        await self.ledger.write(keep)

    async def cases(self) -> list[Case]:
        """Every case, the newest first."""
        return list(await self.ledger.read(lambda tx: tx.cases.listed(only_open=False, limit=9)))

    async def close(self, number: CaseNumber) -> None:
        """End a case, as a clinician does."""
        await self.ledger.write(lambda tx: close(tx, number, Outcome.SUPPORT, CLINICIAN, self.now))

    async def leaving(self, kind: OutgoingKind) -> list[Outgoing]:
        """What was decided of one kind."""
        rows = await self.ledger.read(lambda tx: tx.outbox.due(WATCHER, self.now, 999))
        return [row for row in rows if row.kind is kind]


LEXICON = load_compiled_lexicon(Path(__file__).parents[3] / "config" / "lexicons")


@pytest_asyncio.fixture(loop_scope="session")
async def watched() -> AsyncIterator[Watched]:
    """One watcher, with nothing said yet."""
    house = Watched()
    await house.furnish()
    yield house
    house.ledger.close()


def said(body: Any, event_id: str = "$one", room: RoomId = ROOM, sender: UserId = RIVER) -> Message:
    """A message that could be read."""
    return Message(room, event_id, sender, NOON, "m.room.message", {"msgtype": "m.text", "body": body}, True, True)


async def test_messages_that_stay_unreadable_bring_a_human_and_their_author_is_asked_to_write_again(
    watched: Watched,
) -> None:
    await watched.stays_unread("$one")
    await watched.stays_unread("$two")

    (case,) = await watched.cases()
    assert {(alert.event_id, alert.category) for alert in case.alerts} == {
        ("$one", "could_not_be_read"),
        ("$two", "could_not_be_read"),
    }
    (asked,) = await watched.leaving(OutgoingKind.WRITE_AGAIN)
    assert asked.content["person"] == RIVER
    assert await watched.leaving(OutgoingKind.SIGNPOSTING) == []


async def test_the_alarm_about_one_message_is_raised_once_whoever_raises_it(watched: Watched) -> None:
    await watched.stays_unread("$one")
    await watched.watcher.stayed_unread(Undecryptable(ROOM, "$one", RIVER, "session", "no_room_key"))

    (case,) = await watched.cases()
    assert len(case.alerts) == 1


async def test_hundreds_of_unread_messages_of_one_person_are_one_case_one_ring_and_one_question_in_ten_minutes(
    watched: Watched,
) -> None:
    for number in range(300):
        await watched.stays_unread(f"${number}")
    rung, asked = await watched.leaving(OutgoingKind.CARE_MESSAGE), await watched.leaving(OutgoingKind.WRITE_AGAIN)
    watched.now += TEN_MINUTES
    await watched.stays_unread("$later")

    (case,) = await watched.cases()
    assert (len(case.alerts), len(rung), len(asked)) == (301, 1, 1)
    assert len(await watched.leaving(OutgoingKind.CARD_EDIT)) == 1
    assert len(await watched.leaving(OutgoingKind.WRITE_AGAIN)) == 2


async def test_after_a_case_was_closed_the_next_unread_message_is_asked_for_again_at_once(watched: Watched) -> None:
    await watched.stays_unread("$one")
    await watched.close(CaseNumber(1))
    await watched.stays_unread("$two")

    assert len(await watched.cases()) == 2
    assert len(await watched.leaving(OutgoingKind.WRITE_AGAIN)) == 2


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param("m.room.message", {"msgtype": "m.text", "body": [URGENT]}, id="words in a list"),
        pytest.param("m.room.message", {"msgtype": "m.text", "m.new_content": {}, "body": URGENT}, id="emptied edit"),
        pytest.param(
            "m.room.message",
            {"msgtype": "m.text", "m.new_content": {"body": "soup"}, "body": URGENT},
            id="new content that replaces nothing",
        ),
        pytest.param(
            "m.room.message",
            {"msgtype": "m.text", "body": f"> {URGENT}", "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}},
            id="own words behind a mark in a reply",
        ),
        pytest.param("m.room.topic", {"topic": URGENT}, id="a topic inside the encryption"),
        pytest.param("org.example.beacon", {"info": {"description": [URGENT]}}, id="a kind that nobody knows"),
    ],
)
async def test_words_in_odd_places_bring_a_human(watched: Watched, kind: str, content: dict[str, Any]) -> None:
    await watched.watcher.received(Message(ROOM, "$odd", RIVER, NOON, kind, content, True, True))

    (case,) = await watched.cases()
    assert case.urgency is Urgency.URGENT


@pytest.mark.parametrize("content", [{"msgtype": "m.text"}, {"msgtype": "m.text", "body": 7}, {"body": None}])
async def test_a_message_without_a_readable_body_could_not_be_judged(watched: Watched, content: dict[str, Any]) -> None:
    await watched.watcher.received(Message(ROOM, "$none", RIVER, NOON, "m.room.message", content, True, True))
    await watched.watcher.received(Message(ROOM, "$call", RIVER, NOON, "m.call.invite", {"sdp": "v=0"}, True, True))

    (case,) = await watched.cases()
    assert [(alert.event_id, alert.category) for alert in case.alerts] == [("$none", "could_not_be_judged")]


async def test_an_alert_says_what_was_read_at_last(watched: Watched) -> None:
    await watched.stays_unread("$one")
    await watched.watcher.received(said(URGENT, "$one"))

    (case,) = await watched.cases()
    (alert,) = case.alerts
    assert (alert.urgency, alert.category) == (Urgency.URGENT, "suicide")


async def test_one_that_was_read_in_time_alarms_nobody(watched: Watched) -> None:
    await watched.watcher.received(said("good morning"))
    await watched.ledger.write(lambda tx: tx.inbox.take(WATCHER, EventId("$one"), NOON))
    await watched.watcher.stayed_unread(Undecryptable(ROOM, "$one", RIVER, "session", "no_room_key"))

    assert await watched.cases() == []


async def test_what_could_be_read_at_last_after_its_alarm_is_raised_in_the_same_case(watched: Watched) -> None:
    # The second alarm joins the case of the first, so a further message has been decided for it already.
    await watched.stays_unread("$zero")
    await watched.stays_unread("$one")

    await watched.watcher.received(said(URGENT))

    (case,) = await watched.cases()
    told = [row.content for row in await watched.leaving(OutgoingKind.CARE_MESSAGE)]
    assert case.urgency is Urgency.URGENT
    assert [content["urgency"] for content in told] == ["concern", "urgent"]
    assert told[-1]["words"] == URGENT


async def test_what_could_be_read_only_after_its_case_was_closed_opens_the_case_again(watched: Watched) -> None:
    await watched.stays_unread("$one")
    (alarmed,) = await watched.cases()
    await watched.close(alarmed.number)

    await watched.watcher.received(said(URGENT))

    (case,) = await watched.cases()
    assert (case.number, case.state, case.urgency) == (alarmed.number, CaseState.RAISED, Urgency.URGENT)
    assert (case.claimed_by, case.closed_at, case.outcome) == (None, None, None)
    (told,) = await watched.leaving(OutgoingKind.CARE_MESSAGE)
    assert told.content["words"] == URGENT


async def test_while_another_case_of_the_person_is_open_that_one_hears_of_what_was_read_at_last(
    watched: Watched,
) -> None:
    await watched.stays_unread("$one")
    (alarmed,) = await watched.cases()
    await watched.close(alarmed.number)
    await watched.watcher.received(said("I am not sure that I want to live", "$other"))

    await watched.watcher.received(said(URGENT))

    newest, oldest = await watched.cases()
    assert (oldest.number, oldest.is_open) == (alarmed.number, False)
    assert newest.urgency is Urgency.URGENT
    told = await watched.leaving(OutgoingKind.CARE_MESSAGE)
    assert [(row.content["case"], row.content["words"]) for row in told] == [(newest.number, URGENT)]


async def test_a_harmless_message_that_was_read_at_last_changes_nothing(watched: Watched) -> None:
    await watched.stays_unread("$one")
    before = await watched.cases()

    await watched.watcher.received(said("good morning"))

    assert await watched.cases() == before


async def test_a_message_that_comes_again_after_a_crash_is_one_alert(watched: Watched) -> None:
    for _ in range(2):
        await watched.watcher.received(said(URGENT))

    (case,) = await watched.cases()
    assert len(case.alerts) == 1
    assert watched.watcher.counters["alerts"] == 1


async def test_what_its_author_took_back_before_anybody_could_read_it_is_to_be_looked_at_by_the_next_day(
    watched: Watched,
) -> None:
    await watched.is_unread("$unread")
    await watched.watcher.received(Redaction(ROOM, "$redaction", RIVER, "$unread", NOON))
    await watched.watcher.received(Deleted(ROOM, "$gone-before", RIVER, by=RIVER))

    (case,) = await watched.cases()
    assert [(alert.event_id, alert.urgency, alert.category) for alert in case.alerts] == [
        ("$unread", Urgency.WATCH, "deleted_before_read"),
        ("$gone-before", Urgency.WATCH, "deleted_before_read"),
    ]
    assert await watched.leaving(OutgoingKind.WRITE_AGAIN) == await watched.leaving(OutgoingKind.SIGNPOSTING) == []


async def test_what_was_judged_before_it_was_deleted_or_was_deleted_by_somebody_else_raises_nothing(
    watched: Watched,
) -> None:
    await watched.is_unread("$unread")
    await watched.watcher.received(said("a quiet day", "$judged"))

    await watched.watcher.received(Redaction(ROOM, "$r1", RIVER, "$judged", NOON))
    await watched.watcher.received(Redaction(ROOM, "$r2", CLINICIAN, "$unread", NOON))
    await watched.watcher.received(Deleted(ROOM, "$gone", RIVER, by=CLINICIAN))

    assert await watched.cases() == []


async def test_a_deleted_message_whose_key_comes_at_last_is_judged_by_its_words(watched: Watched) -> None:
    await watched.is_unread("$unread")
    await watched.watcher.received(Redaction(ROOM, "$redaction", RIVER, "$unread", NOON))

    await watched.watcher.received(said(URGENT, "$unread"))

    (case,) = await watched.cases()
    assert case.urgency is Urgency.URGENT


@pytest.mark.parametrize(("room", "cases"), [pytest.param(ROOM, 1, id="watched"), pytest.param(LIBRARY, 0, id="not")])
async def test_what_could_not_be_handled_brings_a_human_where_the_house_watches(
    watched: Watched, room: RoomId, cases: int
) -> None:
    for _ in range(2):
        await watched.watcher.could_not_handle(said("anything", room=room))

    found = await watched.cases()
    assert [alert.category for case in found for alert in case.alerts] == ["could_not_be_judged"] * cases


async def test_what_a_clinician_writes_and_nobody_can_read_opens_no_case(watched: Watched) -> None:
    await watched.stays_unread("$one", CARE, CLINICIAN)

    assert await watched.cases() == []


async def test_a_claim_and_its_answer_are_decided_together_and_once(watched: Watched) -> None:
    await watched.watcher.received(said(URGENT))
    (case,) = await watched.cases()

    for _ in range(2):
        await watched.watcher.received(said(f"!claim {case.number}", "$claim", CARE, CLINICIAN))

    (claimed,) = await watched.cases()
    (answer,) = await watched.leaving(OutgoingKind.ANSWER)
    assert claimed.claimed_by == CLINICIAN
    assert answer.content == {"room_id": CARE, "markdown": f"Case {case.number} is yours.", "reply_to": "$claim"}


async def test_a_mistyped_command_is_answered(watched: Watched) -> None:
    await watched.watcher.received(said("!cliam 4", "$claim", CARE, CLINICIAN))

    (answer,) = await watched.leaving(OutgoingKind.ANSWER)
    assert "Did you mean `!claim 4`?" in str(answer.content["markdown"])


async def test_a_claim_by_reaction_is_decided_once_and_says_only_what_went_wrong(watched: Watched) -> None:
    await watched.watcher.received(said(URGENT))
    (case,) = await watched.cases()
    await watched.ledger.write(lambda tx: tx.cases.update(_with_card(case)))

    for number, who in enumerate((CLINICIAN, RIVER)):
        await watched.watcher.received(Reaction(CARE, f"$react-{number}", who, "$card", "👀", NOON))

    (claimed,) = await watched.cases()
    (answer,) = await watched.leaving(OutgoingKind.ANSWER)
    assert claimed.claimed_by == CLINICIAN
    assert answer.content["reply_to"] == "$card"
    assert "Only the team can do this" in str(answer.content["markdown"])


DEEP: Any = "x"
for _ in range(400):
    DEEP = [DEEP]

HOSTILE = {
    "a number": 5,
    "a deep list": DEEP,
    "nothing": None,
    "zero characters": "\0" * 9,
    "marks from right to left": "\u202e\u2066ylno\u2069 \u200f",
    "64 KiB of one letter": "a" * 65_536,
    "64 KiB of one letter and marks over it": "a\u0300\u0301" * 20_000,
    "an urgent sentence after zero characters": "\0\0" + URGENT,
    "halves of surrogate pairs": "\ud83d \udc00",
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in HOSTILE.items()])
async def test_after_whatever_somebody_writes_the_next_message_is_judged(watched: Watched, body: Any) -> None:
    await watched.watcher.received(said(body, "$hostile"))
    await watched.watcher.received(Malformed(ROOM, "$malformed", RIVER, "m.room.message"))
    await watched.watcher.received(said(URGENT, "$next"))

    alerts = {alert.event_id: alert.category for case in await watched.cases() for alert in case.alerts}
    assert alerts["$malformed"] == "could_not_be_judged"
    assert alerts["$next"] not in ("could_not_be_judged", "could_not_be_read")
    if isinstance(body, str) and URGENT in body:
        assert alerts["$hostile"] == alerts["$next"]
    else:
        assert alerts.get("$hostile") in (None, "could_not_be_judged")


def _with_card(case: Case) -> Case:
    return replace(case, card=EventId("$card"))
