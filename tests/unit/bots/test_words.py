"""Messages that bots send have a complete plain body."""

from datetime import date

import pytest

from bots.risk_monitor.wording import signposting_text
from bots.room_gatekeeper.wording import greeting_text
from bots.runtime.words import link_to, notice, quoted, spoken
from keyhouse.core.signposting import Signposting

SIGNPOSTING = Signposting(("call 999", "call 111"), date(2026, 1, 1), date(2027, 1, 1))


def test_a_notice_never_rings_and_a_spoken_message_rings_whom_it_names() -> None:
    assert notice("hello")["msgtype"] == "m.notice"
    assert notice("hello")["m.mentions"] == {}
    assert spoken("hello", ["@b:k.h", "@a:k.h"])["m.mentions"] == {"user_ids": ["@a:k.h", "@b:k.h"]}


def test_the_plain_body_says_everything_without_marks() -> None:
    content = notice("**Case 4**\n\n- `!claim 4`: I take it\n- " + link_to("!r", "$e", "k.h", "Go"))

    assert content["body"] == "Case 4\n\n- !claim 4: I take it\n- Go (https://matrix.to/#/%21r/%24e?via=k.h)"


@pytest.mark.parametrize(
    "words", ["*a* _b_ `c`", "# head", "1. one", "- x", "> y", "<i>z</i>", "[l](http://e.x)", "a\\b"]
)
def test_quoted_words_come_out_as_they_went_in(words: str) -> None:
    assert notice(quoted(words))["body"] == f"> {words}"


@pytest.mark.parametrize(
    "text",
    [
        greeting_text("river", SIGNPOSTING, asks_to_agree=True),
        greeting_text("river", SIGNPOSTING, asks_to_agree=False),
        signposting_text("river", SIGNPOSTING),
    ],
)
def test_what_is_said_to_a_person_begins_neutrally_and_gives_every_line(text: str) -> None:
    assert text.startswith("A message for you from the house.\n")
    assert "not a crisis service" in text
    assert "- call 999\n- call 111\n" in text
