"""What clinicians read about a case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bots.risk_monitor.cards import WORDS_KEY, CardFacts, again, card
from keyhouse.core.alerts import Alert
from keyhouse.core.cases import Case, CaseState, Outcome, claimed, closed
from keyhouse.core.ids import CaseNumber, EventId, RoomId, UserId
from keyhouse.core.urgency import Urgency

AT = datetime(2026, 7, 6, 13, 3, tzinfo=UTC)
ROOM, SAM, AUTHOR = RoomId("!room"), UserId("@sam:k.h"), UserId("@river-clover-44:k.h")
ALERT = Alert(EventId("$event"), ROOM, AUTHOR, Urgency.URGENT, "suicide", ("suicide.intent",), AT)
CASE = Case(
    CaseNumber(17),
    AUTHOR,
    "one",
    RoomId("!care"),
    Urgency.URGENT,
    CaseState.RAISED,
    AT,
    alerts=(ALERT,),
    card=EventId("$card"),
)


def facts(case: Case = CASE, holder: str | None = None) -> CardFacts:
    """What a card is written from."""
    return CardFacts(case, "river-clover-44", holder, {ROOM: "The Willow living room"}, (SAM,))


def test_a_card_says_who_where_when_why_and_what_to_do() -> None:
    content = card(facts(), "I cannot go on", "k.h")

    for said in (
        *("Urgent", "5 minutes", "Case 17", "river-clover-44", "The Willow living room", "Mon 14:03"),
        *("I cannot go on", "suicide.intent", "it may be wrong", "Nobody has it yet"),
        *("!claim 17", "!close 17 support", "!false 17", "https://matrix.to/#/%21room/%24event?via=k.h"),
    ):
        assert said in content["body"], said
    assert content["msgtype"] == "m.text"
    assert content["m.mentions"] == {"user_ids": [SAM]}
    assert content[WORDS_KEY] == "I cannot go on"


@pytest.mark.parametrize("urgency", [Urgency.WATCH, Urgency.NONE])
def test_what_can_wait_rings_nobody(urgency: Urgency) -> None:
    assert card(facts(replace(CASE, urgency=urgency)), "words", "k.h")["m.mentions"] == {}


def test_a_taken_case_names_its_holder_and_rings_nobody_again() -> None:
    content = card(facts(claimed(CASE, SAM, AT + timedelta(minutes=2)), "Sam"), "words", "k.h")

    assert "Taken by Sam at Mon 14:05" in content["body"]
    assert "!claim" not in content["body"]
    assert content["m.mentions"] == {}


def test_a_closed_case_says_how_it_ended_and_asks_for_nothing() -> None:
    content = card(facts(closed(CASE, SAM, Outcome.SUPPORT, AT), "Sam"), "words", "k.h")

    assert "Closed: support" in content["body"]
    assert not any(command in content["body"] for command in ("!claim", "!close", "!false"))


def test_somebodys_words_are_shown_as_written_and_are_never_markup() -> None:
    words = "<b>x</b> [a](https://evil.example) **y**\n# z"

    content = card(facts(), words, "k.h")

    assert "<b>x</b> [a](https://evil.example) **y**" in content["body"]
    assert 'evil.example"' not in content["formatted_body"]
    assert "&lt;b&gt;" in content["formatted_body"]
    assert "<h1>" not in content["formatted_body"]


def test_no_card_uses_a_table_because_phones_drop_it() -> None:
    assert "<table" not in card(facts(), "| a | b |\n|---|---|\n| 1 | 2 |", "k.h")["formatted_body"]


def test_a_further_message_rings_the_holder_alone_and_the_team_when_nobody_holds_it() -> None:
    held = again(facts(claimed(CASE, SAM, AT), "Sam"), "$event", Urgency.URGENT, "again")
    free = again(replace(facts(), team=(SAM, UserId("@kim:k.h"))), "$event", Urgency.URGENT, "again")

    assert held["m.mentions"] == {"user_ids": [SAM]}
    assert free["m.mentions"] == {"user_ids": ["@kim:k.h", SAM]}
    assert held["m.relates_to"]["m.in_reply_to"]["event_id"] == "$card"
