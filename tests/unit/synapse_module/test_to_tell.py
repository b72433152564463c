"""Who is still to be told that a message did not go out."""

from datetime import timedelta

from keyhouse.core.verdict import Reason
from synapse_module.to_tell import ToTell
from tests.support.household import A_SECOND, NOW, user

RIVER, CLOVER = user("river"), user("clover")
A_MINUTE = timedelta(minutes=1)


def test_somebody_waits_once_a_minute_for_each_reason() -> None:
    to_tell = ToTell()

    assert to_tell.add(RIVER, Reason.PAUSED, NOW)
    assert not to_tell.add(RIVER, Reason.PAUSED, NOW + A_SECOND)
    assert to_tell.add(RIVER, Reason.NOT_CARRIED, NOW)
    assert to_tell.add(CLOVER, Reason.PAUSED, NOW)
    assert to_tell.add(RIVER, Reason.PAUSED, NOW + A_MINUTE)
    assert [who for who, _, _ in to_tell.oldest().values()] == [RIVER, RIVER, CLOVER, RIVER]


def test_who_was_told_waits_no_longer_and_is_not_told_again_in_the_same_minute() -> None:
    to_tell = ToTell()
    to_tell.add(RIVER, Reason.PAUSED, NOW)

    to_tell.done(to_tell.oldest())

    assert to_tell.oldest() == {}
    assert not to_tell.add(RIVER, Reason.PAUSED, NOW + A_SECOND)


def test_when_too_many_wait_the_oldest_makes_room_and_is_counted() -> None:
    to_tell = ToTell(most_waiting=2)

    for name in ("river", "clover", "moss"):
        to_tell.add(user(name), Reason.PAUSED, NOW)

    assert [who for who, _, _ in to_tell.oldest().values()] == [CLOVER, user("moss")]
    assert to_tell.dropped == 1


def test_memory_of_who_was_told_is_bounded() -> None:
    to_tell = ToTell(most_remembered=1)
    to_tell.add(RIVER, Reason.PAUSED, NOW)
    to_tell.add(CLOVER, Reason.PAUSED, NOW)

    assert to_tell.add(RIVER, Reason.PAUSED, NOW)
