"""What is said at a desk about the rules, and about what did not go out: neutral first, true, and never a dead end."""

from dataclasses import replace
from datetime import date

import pytest

from bots.room_gatekeeper.rules_wording import agreed_text, reminder_text, rules_text
from bots.room_gatekeeper.unsent_wording import unsent_text
from bots.room_gatekeeper.wording import greeting_text
from bots.runtime.words import spoken
from keyhouse.core.house_rules import HouseRules
from keyhouse.core.people import PersonState
from keyhouse.core.signposting import Signposting
from keyhouse.core.verdict import Reason
from tests.support.household import person

SIGNPOSTING = Signposting(("999 in an emergency", "116 123 Samaritans"), date.min, date.max)
RULES = HouseRules(3, ("Be kind.", "Stay unknown."))
ASKED = replace(person("river"), rules_agreed=None)
TAKEN_AWAY = {"reason": "not_carried", "taken_away": True}
UNSENT = [*({"reason": reason.value} for reason in Reason), {"reason": "a word of tomorrow"}, {"reason": 7}, TAKEN_AWAY]


def unsent(content: dict[str, object]) -> str:
    return unsent_text("river", content, SIGNPOSTING)


@pytest.mark.parametrize("content", UNSENT, ids=str)
def test_whoever_was_not_heard_is_told_so_and_where_to_be_heard(content: dict[str, object]) -> None:
    text = unsent(content)

    assert text.splitlines()[0] == "A message for you from the house."
    assert "You can write to us here, now and at any time." in text
    assert "not a crisis service" in text
    assert all(f"- {line}" in text for line in SIGNPOSTING.lines)


@pytest.mark.parametrize("content", [each for each in UNSENT if each is not TAKEN_AWAY], ids=str)
def test_what_did_not_go_out_was_read_by_nobody_and_the_text_says_so(content: dict[str, object]) -> None:
    text = unsent(content)

    assert "did not go out" in text
    assert "Nobody has read it" in text
    assert "judged" in text


@pytest.mark.parametrize("reason", [Reason.RULES_NOT_AGREED, Reason.PAUSED, Reason.NOT_CARRIED])
def test_nobody_is_sent_from_their_desk_to_their_desk(reason: Reason) -> None:
    assert "desk" not in unsent({"reason": reason.value})


def test_the_next_step_is_named() -> None:
    assert "write `!agree`" in unsent({"reason": "rules_not_agreed"})
    assert "say it in words" in unsent({"reason": "not_carried"})
    assert "say it in words" in unsent(TAKEN_AWAY)


def test_a_picture_that_was_taken_away_was_seen_in_the_room_and_judged_by_nobody() -> None:
    text = unsent(TAKEN_AWAY)

    assert "was taken away again" in text
    assert "it was not judged" in text
    assert "did not go out" not in text
    assert "Only words beside it were read" in text


def test_the_greeting_asks_to_agree_only_whoever_has_not() -> None:
    asking = greeting_text("river", SIGNPOSTING, asks_to_agree=True)

    assert "Before you can write in the other rooms" in asking
    assert "`!agree`" in asking
    assert "!agree" not in greeting_text("river", SIGNPOSTING, asks_to_agree=False)


def test_the_rules_are_shown_with_their_version_and_say_how_to_agree_while_it_is_to_do() -> None:
    asked = rules_text(RULES, ASKED)
    older, done = rules_text(RULES, replace(ASKED, rules_agreed=2)), rules_text(RULES, replace(ASKED, rules_agreed=3))

    for text in (asked, older, done):
        assert text.startswith("**The rules of the house** (version 3)\n\n- Be kind.\n- Stay unknown.")
    assert "Then you can write" in asked
    assert "have changed since you agreed" in older
    assert "!agree" not in done


def test_whoever_agrees_may_write_and_whoever_is_paused_is_not_told_so() -> None:
    paused = replace(ASKED, state=PersonState.PAUSED)

    assert agreed_text(ASKED, is_new=True) == "Thank you. You can write in all your rooms now."
    assert agreed_text(ASKED, is_new=False).startswith("You agreed to these rules before")
    assert "You can write in all your rooms" not in agreed_text(paused, is_new=True)


def test_a_reminder_silences_nobody_and_wakes_nobody() -> None:
    content = spoken(reminder_text("river"))

    assert content["body"].splitlines()[0] == "A message for you from the house."
    assert "you can write wherever you could write before" in content["body"]
    assert content["m.mentions"] == {}
