"""What a bot knows of its rooms, when the stream and an answer about who is there tell it side by side."""

from typing import Any

from bots.runtime.rooms import Rooms

ROOM, OTHER = "!one", "!two"
RIVER, WILLOW, HAZEL = "@river:x", "@willow:x", "@hazel:x"


def member(user_id: str, membership: str) -> dict[str, Any]:
    """A membership as the stream tells it."""
    return {"type": "m.room.member", "state_key": user_id, "content": {"membership": membership}}


def test_what_the_stream_has_told_meanwhile_stands_before_an_older_answer() -> None:
    rooms = Rooms()
    rooms.found([ROOM])
    rooms[ROOM].apply(member(RIVER, "leave"))
    rooms[ROOM].apply(member(WILLOW, "join"))

    rooms[ROOM].found([RIVER, HAZEL])

    assert rooms[ROOM].joined == {WILLOW, HAZEL}


def test_after_the_answer_the_stream_is_followed() -> None:
    rooms = Rooms()
    rooms.found([ROOM])
    rooms[ROOM].found([RIVER])

    rooms[ROOM].apply(member(RIVER, "leave"))
    rooms[ROOM].apply(member(HAZEL, "join"))

    assert rooms[ROOM].joined == {HAZEL}


def test_a_room_that_was_left_meanwhile_is_not_found_again_but_may_be_entered_again() -> None:
    rooms = Rooms()
    rooms.leave(ROOM)

    rooms.found([ROOM, OTHER])
    assert rooms.ids() == [OTHER]

    assert rooms.enter([ROOM, OTHER])
    assert rooms.ids() == [ROOM, OTHER]
    assert not rooms.enter([ROOM])


def test_an_emptied_event_does_not_make_an_encrypted_room_a_plain_one() -> None:
    rooms = Rooms()
    rooms.enter([ROOM])

    for content in ({"algorithm": "m.megolm.v1.aes-sha2"}, {}):
        rooms[ROOM].apply({"type": "m.room.encryption", "state_key": "", "content": content})

    assert rooms[ROOM].encryption is not None
