"""What the watcher makes of messages one after the other: context, edits, quotes, deletions; kept in memory alone."""

from datetime import UTC, datetime, timedelta

import pytest

from bots.risk_monitor.hearing import Hearing, Listened, heard_deletion
from bots.risk_monitor.recent import REMEMBERED_FOR
from keyhouse.core.ids import Condition, RoomId
from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.core.matching.selection import Selection
from keyhouse.core.people import Role
from keyhouse.core.rooms import RoomKind, RoomScope
from keyhouse.core.urgency import Urgency
from tests.unit.core.matching.small import ANSWER, CUTTING, WISH, small_lexicon

NOON = datetime(2027, 3, 29, 12, 0, tzinfo=UTC)
ROOM = RoomScope(RoomId("!a"), "a", RoomKind.LIVING_ROOM, "A", frozenset({Role.PATIENT}), frozenset({Condition("x")}))


class Room:
    """One room in which people write, and a clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOON
        self.hearing = Hearing(lambda: small_lexicon(WISH, ANSWER, CUTTING))
        self._events = 0

    def says(self, sender: str, text: str, quoted: str = "", replaces: str | None = None) -> Urgency | None:
        """Let somebody write; returns how soon a human is asked to look, None when none is."""
        return urgency(self.writes(sender, Selection(text, quoted, replaces)))

    def writes(self, sender: str, said: Selection) -> Listened:
        """Let somebody write."""
        self._events += 1
        return self.hearing.listen("!a", f"${self._events}", sender, said, ROOM, self.now)


def urgency(listened: Listened) -> Urgency | None:
    """How soon a human is asked to look."""
    return listened.heard.urgency if listened.heard else None


def test_a_sentence_split_over_two_messages_is_heard() -> None:
    room = Room()

    assert room.says("river", "i want to") is None
    assert room.says("river", "die") is Urgency.CONCERN


def test_other_peoples_messages_between_do_not_push_it_out() -> None:
    room = Room()
    room.says("river", "i want to")
    for number in range(20):
        room.says("moss", f"hello {number}")

    assert room.says("river", "die") is Urgency.CONCERN


def test_after_a_quarter_of_an_hour_it_is_forgotten() -> None:
    room = Room()
    room.says("river", "i want to")
    room.now += REMEMBERED_FOR + timedelta(seconds=1)

    assert room.says("river", "die") is None


def test_what_makes_an_alerted_message_urgent_later_alerts_again() -> None:
    room = Room()

    assert room.says("river", "i want to die") is Urgency.CONCERN
    assert room.says("river", "tonight") is Urgency.URGENT


def test_the_quote_of_a_reply_is_the_question_that_it_answers() -> None:
    room = Room()
    room.says("moss", "anybody for tea?")

    assert room.says("river", "no", quoted="are you safe?") is Urgency.CONCERN
    assert room.says("river", "no") is None


@pytest.mark.parametrize(
    ("first", "edited", "heard"),
    [
        pytest.param("i want to die", "i want to die!", None, id="as urgent as before"),
        pytest.param("i want to die", "i want to die tonight", Urgency.URGENT, id="more urgent"),
        pytest.param("i want to die", "i want tea", None, id="less urgent"),
        pytest.param("i want tea", "i want to die", Urgency.CONCERN, id="harmless before"),
        pytest.param("i want to die", "i keep cutting", Urgency.CONCERN, id="as urgent, by another rule"),
        pytest.param("i want to die, cutting", "i keep cutting", None, id="as urgent, by one of the rules of before"),
    ],
)
def test_an_edit_alerts_only_if_it_is_more_urgent_or_says_something_else(
    first: str, edited: str, heard: Urgency | None
) -> None:
    room = Room()
    room.says("river", first)

    assert room.says("river", edited, replaces="$1") is heard


def test_an_edit_of_a_forgotten_message_is_judged_as_new() -> None:
    room = Room()

    assert room.says("river", "i want to die", replaces="$long_ago") is Urgency.CONCERN


def test_what_an_edit_replaced_is_no_longer_context() -> None:
    room = Room()
    room.says("river", "i want to")
    room.says("river", "i want tea", replaces="$1")

    assert room.says("river", "die") is None


@pytest.mark.parametrize(
    ("by_its_author", "was_judged", "looked_at"),
    [
        pytest.param(True, False, True, id="by its author, unread"),
        pytest.param(True, True, False, id="by its author, judged"),
        pytest.param(False, False, False, id="by a moderator"),
    ],
)
def test_a_message_deleted_before_it_was_read_is_watched(
    by_its_author: bool, was_judged: bool, looked_at: bool
) -> None:
    heard = heard_deletion(by_its_author=by_its_author, was_judged=was_judged)

    assert (heard is not None) is looked_at
    assert heard is None or (heard.urgency, heard.category) == (Urgency.WATCH, "deleted_before_read")


def test_a_fault_in_judging_is_raised_so_that_the_inbox_can_bring_a_human() -> None:
    def broken() -> CompiledLexicon:
        raise ZeroDivisionError

    room = Room()
    room.hearing = Hearing(broken)

    with pytest.raises(ZeroDivisionError):
        room.says("river", "i want to die")


def test_a_newly_accepted_lexicon_judges_the_next_message() -> None:
    lexicons = [small_lexicon(ANSWER), small_lexicon(WISH)]
    room = Room()
    room.hearing = Hearing(lambda: lexicons[0])

    before = room.says("river", "i want to die")
    lexicons.pop(0)

    assert (before, room.says("river", "i want to die")) == (None, Urgency.CONCERN)
