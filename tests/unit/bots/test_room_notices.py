"""What people read when the house cannot see their room: only what is true, and always where help is."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bots.room_gatekeeper.wording import room_notice_text
from bots.runtime.words import notice
from keyhouse.core.notices import RoomNotice, Sight
from keyhouse.core.rooms import RoomKind
from keyhouse.core.signposting import Signposting

SIGNPOSTING = Signposting(("999 in an emergency", "116 123 Samaritans"), date.min, date.max)
SINCE = datetime(2027, 3, 29, 13, 2, tzinfo=UTC)
BLIND = [sight for sight in Sight if sight is not Sight.SEEN_AGAIN]


def text(sight: Sight, kind: RoomKind = RoomKind.LIVING_ROOM) -> str:
    until = SINCE + timedelta(minutes=29) if sight is Sight.SEEN_AGAIN else None
    return room_notice_text(RoomNotice(sight, SINCE, until, SINCE), kind, SIGNPOSTING)


@pytest.mark.parametrize("sight", Sight)
def test_a_lock_screen_shows_nothing_but_that_there_is_a_message(sight: Sight) -> None:
    assert text(sight).splitlines()[0] == "A message from the house."


@pytest.mark.parametrize("sight", BLIND)
def test_a_room_that_is_not_seen_says_since_when_and_where_help_is(sight: Sight) -> None:
    assert "Since Monday 14:02" in text(sight)
    assert all(line in text(sight) for line in SIGNPOSTING.lines)


def test_a_room_that_is_seen_again_says_from_when_to_when_it_was_not() -> None:
    assert "from Monday 14:02 to Monday 14:31" in text(Sight.SEEN_AGAIN)


def test_only_a_program_that_will_read_it_promises_to() -> None:
    assert "Your messages are kept" in text(Sight.NOT_SURE)
    assert "will not see it later" in text(Sight.WITHOUT_WATCHER)
    assert "are kept" not in text(Sight.WITHOUT_WATCHER) + text(Sight.UNREADABLE)


@pytest.mark.parametrize("sight", [Sight.WITHOUT_WATCHER, Sight.UNREADABLE])
def test_nobody_is_sent_from_their_desk_to_their_desk(sight: Sight) -> None:
    assert "at your desk" in text(sight)
    assert "at your desk" not in text(sight, RoomKind.DESK)


@pytest.mark.parametrize("sight", Sight)
def test_a_notice_has_a_whole_plain_body_and_wakes_nobody(sight: Sight) -> None:
    content = notice(text(sight))

    assert content["msgtype"] == "m.notice"
    assert content["m.mentions"] == {}
    assert "<" not in content["body"]
    assert "999" in content["body"] or sight is Sight.SEEN_AGAIN
